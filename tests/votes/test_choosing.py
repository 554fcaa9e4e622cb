import random

from hypothesis import given
from hypothesis import strategies as st

from tscale_graph import Candidate, Verdict
from tscale_graph.answers import answer_kind
from tscale_graph.votes import choose, count_votes, read_answers

number = answer_kind("number")


def candidate(index, answer, score=None, passed=None, **more):
    verdict = None if score is None else Verdict(score=score, passed=passed)
    text = "" if answer is None else f"The answer is {answer}."
    return Candidate(index=index, text=text, answer=answer, verdict=verdict, **more)


def test_the_majority_wins_and_equal_answers_count_together():
    votes = [candidate(0, "1/2"), candidate(1, "3"), candidate(2, "0.5")]
    choice = choose(votes, number, select="majority")
    assert choice.winner.index == 0
    assert [(t.answer, t.count) for t in choice.tallies] == [("1/2", 2), ("3", 1)]
    assert choice.agreement == 2 / 3


def test_a_tie_goes_to_the_higher_score_and_then_to_the_earlier_sample():
    tied = [candidate(0, "1"), candidate(1, "2")]
    assert choose(tied, number, select="majority").winner.index == 0
    scored = [candidate(0, "1", 0.2), candidate(1, "2", 0.6)]
    assert choose(scored, number, select="majority").winner.index == 1


def test_nothing_without_an_answer_votes():
    votes = [candidate(0, None), candidate(1, None, error="boom"), candidate(2, "7")]
    choice = choose(votes, number, select="majority")
    assert (choice.winner.index, choice.agreement) == (2, 1.0)
    assert choose(votes[:2], number, select="majority").winner is None
    assert count_votes(votes, number) == (1,)


def test_weighted_sums_scores_and_max_takes_the_single_best():
    votes = [candidate(0, "1", 0.5), candidate(1, "1", 0.5), candidate(2, "2", 0.9)]
    assert choose(votes, number, select="weighted").winner.answer == "1"
    assert choose(votes, number, select="max").winner.answer == "2"


def test_one_answer_that_passed_beats_any_number_that_did_not():
    wrong = [candidate(k, "1", 0.6, passed=False) for k in range(9)]
    votes = [*wrong, candidate(9, "2", 1.0, passed=True)]
    for select in ("majority", "max", "weighted"):
        assert choose(votes, number, select=select).winner.index == 9


def test_a_failed_call_has_no_answer_to_read_and_a_cut_off_text_only_a_stated_one():
    read = read_answers(
        [
            Candidate(index=0, text="so far 12", truncated=True),
            Candidate(index=1, text="The answer is 12", truncated=True),
            Candidate(index=2, text="12", error="boom"),
        ],
        number,
    )
    assert [c.answer for c in read] == [None, "12", None]


@given(
    st.lists(
        st.tuples(st.integers(min_value=0, max_value=4), st.floats(min_value=0, max_value=1)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["majority", "max", "weighted"]),
    st.integers(),
)
def test_the_choice_does_not_depend_on_the_order_of_arrival(votes, select, seed):
    candidates = [candidate(k, str(a), s) for k, (a, s) in enumerate(votes)]
    shuffled = list(candidates)
    random.Random(seed).shuffle(shuffled)
    assert choose(shuffled, number, select=select) == choose(candidates, number, select=select)
