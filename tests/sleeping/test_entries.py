from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.sleeping.entries import Anticipated, Page, folded

questions = st.lists(
    st.builds(
        Anticipated,
        question=st.sampled_from(["How much is tea?", "how much is TEA", "Is it open?", "Why?"]),
        answer=st.none() | st.just("3"),
        asked=st.booleans(),
    ),
    max_size=8,
)
EMPTY = Page(source="1", name="menu")


@given(questions)
def test_a_question_is_there_once_and_stays_asked(new):
    page = EMPTY.with_questions(new)
    keys = [folded(one.question) for one in page.questions]
    assert len(keys) == len(set(keys))
    assert set(keys) == {folded(one.question) for one in new}
    for one in page.questions:
        same = [other for other in new if folded(other.question) == folded(one.question)]
        assert one.asked == any(other.asked for other in same)
        assert one.answer == same[-1].answer


@given(questions)
def test_another_version_has_the_questions_and_no_answer(new):
    page = EMPTY.with_questions(new).of_context("2", name="menu")
    assert page.source == "2"
    assert page.answered == ()
    assert {folded(one.question) for one in page.questions} == {folded(n.question) for n in new}


@given(questions, st.integers(0, 5), st.dictionaries(st.just("is it open"), st.integers(1, 9)))
def test_what_has_earned_least_goes_first(new, count, earned):
    page = EMPTY.with_questions(new)
    kept = page.at_most(count, earned=earned).questions
    assert len(kept) == min(count, len(page.questions))
    there = {folded(one.question) for one in page.questions}
    if count and earned and "is it open" in there:
        assert "is it open" in {folded(one.question) for one in kept}
