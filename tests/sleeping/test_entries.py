from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.sleeping.entries import Anticipated, Dense, Page, Rewriting, folded

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


def test_what_is_expected_now_stays_before_all_others():
    page = EMPTY.with_wanted(["Is it open?", "Why?"], asked=True)
    page = page.with_wanted(["How much is tea?"], asked=False)
    kept = page.at_most(2, earned={"why": 9}, first=["how much is TEA"]).questions
    assert [one.question for one in kept] == ["Why?", "How much is tea?"]


@given(questions, questions)
def test_two_runs_on_one_page_lose_nothing_of_each_other(one, other):
    first, second = EMPTY.with_questions(one), EMPTY.with_questions(other)
    merged = first.merged(second)
    for page in (first, second):
        for there in page.questions:
            found = merged.find(there.question)
            assert found.asked >= there.asked
            assert found.tries >= there.tries
            assert found.answer is not None or there.answer is None


def rewriting(text="short", tokens=2, **tests):
    return Rewriting(text=text, tokens=tokens, tests=tests)


def dense(best, draft=None):
    return Dense(source="1", source_tokens=9, best=best, draft=draft)


results = st.dictionaries(st.sampled_from("abcd"), st.booleans())


@given(results, results, st.sets(st.sampled_from("abcd")), st.integers(1, 12))
def test_a_draft_takes_the_place_of_the_best_once_it_did_as_well_in_the_same_tests(
    before, now, askable, tokens
):
    best, draft = rewriting(**before), rewriting("draft", tokens, **now)
    found = dense(best, draft).compared(askable)
    common = set(before) & askable
    if not common <= set(now):
        assert (found.best, found.draft) == (best, draft)
        return
    assert found.draft is None
    right, still = (sum(tests[one] for one in common) for tests in (before, now))
    assert (found.best == draft) == (bool(common) and still >= right and tokens < 9)


def test_only_what_was_tested_waits_for_a_better_one_to_be():
    untested, tested, new = rewriting(), rewriting(a=True), rewriting("new")
    assert dense(untested).with_rewriting(new).best == new
    assert dense(tested).with_rewriting(new).best == tested
    assert dense(tested).with_rewriting(new).draft == new
    assert dense(tested).with_rewriting(None).rounds == 2


def test_one_question_is_one_test_however_often_it_is_asked():
    once = rewriting().with_test("Why?", right=False)
    assert once.with_test(" why", right=True).tests == {"why": True}
    assert not once.faithful(0.5)
    assert not rewriting().faithful(0.0), "nothing was asked of it"
