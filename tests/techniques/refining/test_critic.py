"""Without a verifier: the model criticises its own answers, and its last word is not the best."""

import pytest

from tests.techniques.refining.revising import numbering, versions
from tests.techniques.searching import QUESTION, ask, asked_of
from tests.verifiers.judges.readers import billed
from tscale_graph import Budget, refine
from tscale_graph.techniques.feedback import BETTER
from tscale_graph.techniques.refining.critic import CRITIQUE, read_critique

WRONG = "The sum is off by one.\nVerdict: revise"
RIGHT = "All of it holds.\n\n**Verdict: correct**"


def refining(model, **more):
    return refine(model, answer="number", **more)


async def test_the_model_criticises_its_answer_and_revises_it_by_that():
    model = numbering(4, 5, critiques=[WRONG, RIGHT])
    result = await ask(refining(model))
    assert (result.answer, result.status, versions(result)) == ("5", "complete", ["4", "5"])
    question, answer = ("human", QUESTION), ("ai", "The answer is 4")
    assert asked_of(model) == [
        [question],
        [question, answer, ("human", CRITIQUE)],
        [
            question,
            answer,
            ("human", f"That answer is not good enough yet: The sum is off by one. {BETTER}"),
        ],
        [question, ("ai", "The answer is 5"), ("human", CRITIQUE)],
    ]
    assert result.usage.calls == len(model.calls) == 4
    assert result.usage.tokens == billed(model)
    assert "without a verifier: the model found nothing wrong with its own answer" in result.notes


async def test_an_answer_that_the_model_finds_nothing_wrong_with_is_not_revised():
    model = numbering(4, critiques=[RIGHT])
    result = await ask(refining(model))
    assert (result.answer, len(model.calls), result.status) == ("4", 2, "complete")


async def test_a_later_version_is_not_believed_for_being_later():
    model = numbering(4, 5, 6, 7, 8)
    result = await ask(refining(model))
    assert versions(result) == ["4", "5", "6", "7", "8"]
    assert result.answer == "4", "each was given once: the earliest stands"
    assert any("no version stood up to the model's own critique" in note for note in result.notes)


async def test_what_most_versions_gave_displaces_the_first():
    result = await ask(refining(numbering(4, 5, 6, 5, 7)))
    assert result.answer == "5"
    assert (result.votes[0].answer, result.votes[0].count) == ("5", 2)


async def test_a_version_that_stood_up_to_its_critique_beats_the_majority():
    model = numbering(4, "So the answer is 4", 6, critiques=[WRONG, WRONG, RIGHT])
    result = await ask(refining(model))
    assert versions(result) == ["4", "4", "6"]
    assert result.answer == "6"


async def test_it_ends_when_revisions_come_to_nothing_new():
    model = numbering(4, 5, "It is 5", 5)
    result = await ask(refining(model, max_revisions=9))
    assert (versions(result), result.answer) == (["4", "5", "5", "5"], "5")
    assert "revising ended with repeats=2: nothing new had come" in result.notes


async def test_a_critique_that_fails_ends_the_run_with_what_there_is():
    model = numbering(4, 5, critiques=["", WRONG])
    result = await ask(refining(model))
    assert (result.answer, result.status, versions(result)) == ("4", "complete", ["4"])
    assert any("not verified: " in note and "it said nothing" in note for note in result.notes)
    assert "revising ended for want of a verdict" in result.notes


async def test_the_whole_conversation_is_criticised_and_not_the_last_message_alone():
    model = numbering(4, critiques=[RIGHT])
    graph = refining(model, system="Be brief.", critique_tokens=33).compile()
    messages = [("user", "Here is a text."), ("ai", "Thank you."), ("user", QUESTION)]
    await graph.ainvoke({"messages": messages, "budget": Budget(calls=9)})
    assert [kind for kind, _ in asked_of(model)[1]] == [
        "system", "human", "ai", "human", "ai", "human",
    ]  # fmt: skip
    assert [options["max_tokens"] for options in model.options] == [1024, 33]


@pytest.mark.parametrize("calls", range(1, 8))
async def test_calls_are_never_exceeded_and_the_status_is_true(calls):
    model = numbering(4, 5, 6, 7, critiques=[WRONG, WRONG, RIGHT])
    result = await ask(refining(model), Budget(calls=calls))
    assert len(model.calls) == result.usage.calls <= calls
    over = calls >= 6
    assert (result.status, result.cut_off_by) == (
        ("complete", None) if over else ("cut_off", "calls")
    )
    assert result.answer == ("6" if over else "4")


async def test_a_critique_that_the_deadline_cuts_off_is_charged_and_the_answer_stands():
    model = numbering(4, delay=0.3)
    result = await ask(refining(model), Budget(seconds=0.5))
    assert (result.answer, result.status, result.cut_off_by) == ("4", "cut_off", "seconds")
    assert result.usage.calls == len(model.calls) == 2
    assert result.usage.tokens >= billed(model)


@pytest.mark.parametrize(
    ("text", "satisfied", "feedback"),
    [
        ("It holds.\nVerdict: correct", True, "It holds."),
        ("It holds.\nverdict:  CORRECT.", True, "It holds."),
        ("**Verdict:** correct", True, ""),
        ("The sum is wrong.\nVerdict: revise", False, "The sum is wrong."),
        ("The sum is wrong.", False, "The sum is wrong."),
        ("Wrong.\nVerdict: incorrect", False, "Wrong.\nVerdict: incorrect"),
        ("Wrong.\nVerdict: not correct", False, "Wrong.\nVerdict: not correct"),
        ("Verdict: correct the sum", False, "Verdict: correct the sum"),
        ("Verdict: correct\nNo, wait: 2 + 2 is 4.\nVerdict: revise", False,
         "Verdict: correct\nNo, wait: 2 + 2 is 4."),
        ("It holds.\nVerdict: correct. No changes are needed.", True,
         "It holds.\nNo changes are needed."),
        ("**Verdict:** Correct. Nothing to change.", True, "Nothing to change."),
        ("**Verdict: Correct** - nothing to change", True, "nothing to change"),
        ("Verdict: correct (no changes)", True, "no changes"),
        ("Verdict: correct, as it stands", True, "as it stands"),
        ("Verdict: correct or revise", False, "Verdict: correct or revise"),
        ("Verdict: correct/revise", False, "Verdict: correct/revise"),
        ("Verdict: correct if n > 0", False, "Verdict: correct if n > 0"),
        ("Verdict: correct, if n > 0", False, "Verdict: correct, if n > 0"),
        ("Verdict: correct. But the unit is missing.", False,
         "Verdict: correct. But the unit is missing."),
        ("Verdict: correct (but round it)", False, "Verdict: correct (but round it)"),
        ("Verdict: revise. The sum is 13.", False, "The sum is 13."),
        ("Verdict: revise the sum", False, "the sum"),
        ("Verdict: revise\nOn second thought, it holds.\nVerdict: correct. It is 4.", True,
         "Verdict: revise\nOn second thought, it holds.\nIt is 4."),
        ("", False, ""),
    ],
)  # fmt: skip
def test_a_critique_is_read_by_its_last_verdict(text, satisfied, feedback):
    assert read_critique(text) == (satisfied, feedback)
