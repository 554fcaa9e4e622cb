from hypothesis import given
from hypothesis import strategies as st

from tests.recordings.made_up import question
from tscale_graph.recordings.records import RecordedQuestion, estimated_tokens, playing_order


@given(st.integers(0, 2**63), st.integers(0, 40))
def test_an_order_has_every_sample_once_and_is_the_same_each_time(seed, count):
    asked = question("q", "3" * count)
    order = playing_order(asked, seed=seed)
    assert sorted(order) == list(range(count))
    assert order == playing_order(asked, seed=seed)


def test_orders_of_two_seeds_or_two_questions_differ():
    orders = {
        tuple(playing_order(question(name, "3" * 40), seed=seed))
        for name in ("a", "b")
        for seed in range(20)
    }
    assert len(orders) == 40


def test_each_place_is_first_equally_often():
    asked = question("q", "3" * 8)
    firsts = [playing_order(asked, seed=seed)[0] for seed in range(4000)]
    # 500 expected for each, with a standard deviation of 21.
    assert all(395 < firsts.count(place) < 605 for place in range(8))


def test_a_prompt_nobody_counted_is_estimated_from_all_of_it():
    bare = RecordedQuestion(id="q", question="12345678", samples=())
    assert bare.prompt_size == 2
    shown = bare.model_copy(update={"messages": (("human", "1234"), ("ai", "12345678"))})
    assert shown.prompt_size == estimated_tokens("1234\n12345678") == 4
    assert bare.model_copy(update={"prompt_tokens": 7}).prompt_size == 7
