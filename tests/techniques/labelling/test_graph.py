"""Labelling the steps of one question's solutions."""

import asyncio
import random

import pytest
from langchain_core.messages import AIMessage

from tests.techniques.searching import Told, asked_of, billed, told
from tests.techniques.stepping import BAD, GOOD, QUESTION, solving
from tscale_graph import Budget, BudgetExceeded
from tscale_graph.recordings.records import RecordedSample
from tscale_graph.techniques.labelling.graph import label_steps
from tscale_graph.techniques.labelling.state import Labels
from tscale_graph.verifiers.process.labels import Bisection, Shares


async def labelled(model, *, gold="6", known=(), config=None, budget=None, **more):
    graph = label_steps(model, steps="line", **more).compile()
    asked = {
        "messages": [("user", QUESTION)],
        "budget": budget or Budget(calls=1000),
        "gold": gold,
        "known": list(known),
    }
    return Labels.model_validate((await graph.ainvoke(asked, config))["labels"])


async def test_a_step_is_worth_the_share_of_completions_that_come_to_a_right_answer():
    model = solving()
    labels = await labelled(model, labels=Shares(rollouts=8, first=8))
    assert (labels.status, len(labels.solutions)) == ("complete", 6)
    for one in labels.solutions:
        assert one.steps == (GOOD if one.right else BAD)
        first, second, last = one.values
        assert 0.4 < first < 0.9
        assert second == pytest.approx(17 / 18 if one.right else 1 / 18)
        assert last == float(one.right)
        assert one.weights[-1] == 1
    assert {one.right for one in labels.solutions} == {True, False}
    # 8 go on from the first step, the 6 solutions among them; they also went on from one of the
    # two second steps, and so 8 of the 16 completions of those were there.
    assert len(model.calls) == 8 + 16 - 8


async def test_a_binary_search_finds_the_first_wrong_step_with_fewer():
    every, bisection = solving(), solving()
    await labelled(every, labels=Shares(rollouts=8, first=8))
    found = await labelled(bisection, labels="bisection")
    assert len(bisection.calls) < len(every.calls)
    wrong = [one for one in found.solutions if not one.right]
    assert wrong
    assert {one.values for one in wrong} == {(1.0, 0.0, 0.0)}


@pytest.mark.parametrize("words", [False, True])
async def test_the_model_goes_on_from_its_own_words_or_is_asked_to(words):
    model = solving(words=words)
    labels = await labelled(model)
    assert labels.status == "complete"
    last = [prompt[-1] for prompt in asked_of(model)]
    kinds = {kind for kind, text in last if text != QUESTION}
    assert kinds == ({"human"} if words else {"ai"})
    if not words:
        assert ("ai", "1 + 2 = 3\n") in last


@pytest.mark.parametrize("calls", [1, 5, 7, 11, 20])
async def test_no_call_is_made_beyond_the_budget_and_a_later_run_goes_on(calls):
    model, known, spent = solving(), [], 0
    for _ in range(100):
        labels = await labelled(model, known=known, budget=Budget(calls=calls))
        assert labels.usage.calls <= calls
        spent += labels.usage.calls
        assert len(labels.samples) == len(known) + labels.usage.calls
        known = labels.samples
        if labels.status == "complete":
            break
        assert (labels.status, labels.cut_off_by) == ("cut_off", "calls")
    assert spent == len(model.calls)
    once = solving()
    await labelled(once)
    assert abs(spent - len(once.calls)) <= 4  # what is drawn differs, the need hardly


@pytest.mark.parametrize("tokens", [60, 150, 300])
async def test_tokens_are_kept_to(tokens):
    model = solving()
    labels = await labelled(model, budget=Budget(tokens=tokens), max_output_tokens=20)
    assert (labels.status, labels.cut_off_by) == ("cut_off", "tokens")
    assert labels.usage.tokens == billed(model) <= tokens


async def test_a_budget_for_nothing_is_an_error_and_costs_nothing():
    model = solving()
    with pytest.raises(BudgetExceeded, match="ended before there was a solution"):
        await labelled(model, budget=Budget(tokens=5))
    assert not model.calls


async def test_a_verifier_judges_where_there_is_no_right_answer():
    def is_six(question, answer):
        assert question == QUESTION
        return answer == "6"

    labels = await labelled(solving(), gold=None, verifier=is_six, answer="number")
    assert {one.right for one in labels.solutions} == {True, False}
    assert {sample.passed for sample in labels.samples} == {True, False}


async def test_a_question_that_cannot_be_judged_is_refused_before_any_call():
    model = solving()
    with pytest.raises(ValueError, match="neither a gold answer nor a verifier"):
        await labelled(model, gold=None)

    def costly(question, answer, *, lease):
        return True

    with pytest.raises(ValueError, match="must not call a model"):
        await labelled(model, verifier=costly)
    assert not model.calls


async def test_a_model_that_always_fails_ends_it_and_says_why():
    labels = await labelled(solving(fail=1.0))
    assert (labels.status, labels.samples) == ("failed", ())
    assert "the scripted failure" in labels.error


async def test_a_call_that_failed_is_asked_for_again():
    model = solving(fail=0.3, draws=random.Random(3))
    labels = await labelled(model)
    assert labels.status == "complete"
    assert any(call.fate == "failed" for call in model.calls)


async def test_a_verifier_that_fails_is_told_and_asked_no_further_in_vain():
    def broken(question, answer):
        raise RuntimeError("out of order")

    model = solving()
    labels = await labelled(model, gold=None, verifier=broken, answer="number")
    assert (labels.status, labels.error, labels.samples) == ("incomplete", None, ())
    assert labels.notes == ("6 completions: it could not be judged: RuntimeError: out of order",)
    assert len(model.calls) == 6


async def test_completions_that_cannot_be_judged_are_counted_and_asked_for_again():
    def picky(question, answer):
        if answer != "6":
            raise RuntimeError("no idea")
        return True

    labels = await labelled(solving(), gold=None, verifier=picky, answer="number")
    assert labels.status == "complete"
    assert len(labels.solutions) == 6
    (note,) = labels.notes
    assert note.endswith("completions: it could not be judged: RuntimeError: no idea")


async def test_time_that_is_up_in_the_middle_of_a_wave_cuts_the_run_off():
    model = solving(delay=0.0)
    labels = await labelled(model, max_parallel=2, budget=Budget(seconds=30, calls=500))
    assert labels.status == "complete"
    slow = solving(delay=0.6)
    labels = await labelled(slow, max_parallel=2, budget=Budget(seconds=1.5))
    assert (labels.status, labels.cut_off_by, labels.error) == ("cut_off", "seconds", None)
    assert len(labels.samples) in (2, 4)
    assert labels.usage.calls == len(slow.calls)


async def test_a_verifier_that_takes_its_time_does_not_outlast_the_budget():
    async def slow(question, answer):
        await asyncio.sleep(20)
        return True

    with pytest.raises(BudgetExceeded, match="seconds ended") as raised:
        await labelled(
            solving(), gold=None, verifier=slow, answer="number", budget=Budget(seconds=1)
        )
    assert raised.value.usage.calls == 6
    assert raised.value.usage.seconds < 10


@pytest.mark.parametrize("steps", ["delimiter:;", "sentence", "paragraph"])
async def test_beginnings_are_what_the_model_wrote_however_steps_are_cut(steps):
    ends = {"delimiter:;": "; ", "sentence": " ", "paragraph": "\n\n"}[steps]
    lines = ["1.\nAdd 1 and 2, that is 3.", "Add 3, that is 6.", "The answer is 6."]

    def decide(prompt, number):
        so_far = prompt[-1].text if isinstance(prompt[-1], AIMessage) else ""
        written = ends.join(lines)
        assert written.startswith(so_far)
        return written[len(so_far) :]

    model = told(decide, metadata={"continues_assistant_message": True})
    graph = label_steps(model, steps=steps, labels=Shares(rollouts=8, first=8)).compile()
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=200), "gold": "6"}
    labels = (await graph.ainvoke(asked))["labels"]
    assert (labels["status"], labels["notes"]) == ("complete", ())
    assert {sample["given"] for sample in labels["samples"]} >= {0, 1}


async def test_a_later_run_has_other_seeds_than_an_earlier_one():
    class Seeded(Told):
        seed: int | None = None

    model = Seeded(**dict(solving()))
    known = (await labelled(model, budget=Budget(calls=3), seed=7)).samples
    await labelled(model, known=known, budget=Budget(calls=9), seed=7)
    seeds = [options["seed"] for options in model.options]
    assert len(set(seeds)) == len(seeds) == 12


async def test_what_is_known_already_is_not_asked_for():
    model = solving()
    first = await labelled(model)
    calls = len(model.calls)
    again = await labelled(model, known=first.samples)
    assert len(model.calls) == calls
    assert again.solutions == first.solutions
    assert again.usage.calls == 0


async def test_steps_that_are_cut_differently_later_end_it_rather_than_go_on_forever():
    def decide(prompt, number):
        return "= 6. So it is." if isinstance(prompt[-1], AIMessage) else "Take 5."

    model = told(decide, metadata={"continues_assistant_message": True})
    graph = label_steps(model, steps="sentence").compile()
    known = [RecordedSample(text="Take 3! Then 4. The answer is 4.", answer="4", correct=True)]
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=200), "gold": "4"}
    labels = (await graph.ainvoke({**asked, "known": known}))["labels"]
    assert labels["status"] == "incomplete"
    assert "cut differently" in labels["notes"][0]
    assert len(model.calls) < 30


def test_it_runs_under_invoke_too():
    graph = label_steps(solving(), steps="line").compile()
    asked = {"messages": [("user", QUESTION)], "budget": {"calls": 100}, "gold": "6"}
    assert graph.invoke(asked)["labels"]["status"] == "complete"


async def test_each_request_is_told_on_the_custom_stream():
    graph = label_steps(solving(), steps="line", max_parallel=4).compile()
    asked = {"messages": [("user", QUESTION)], "budget": {"calls": 100}, "gold": "6"}
    told_of = [event async for event in graph.astream(asked, stream_mode="custom")]
    rollouts = [one for event in told_of for one in event["rollouts"]]
    assert {one["sample"]["given"] for one in rollouts} == {0, 1, 2}
    assert max(len(event["rollouts"]) for event in told_of) <= 4


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"solutions": 0}, "solutions must be at least 1, got 0"),
        (
            {"labels": "guesses"},
            "labels must be one of shares, bisection, or shares:8, got 'guesses'",
        ),
        ({"continuation": "no"}, "continuation must be one of auto, prefill, prompt, got 'no'"),
        ({"steps": "words"}, "steps must be one of"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
        ({"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused_when_the_graph_is_built(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        label_steps(solving(), **arguments)


def test_a_labelling_of_ones_own_is_taken():
    assert label_steps(solving(), labels=Bisection(rollouts=2))
