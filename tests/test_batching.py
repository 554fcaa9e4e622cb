"""Many requests, one budget: never exceeded, and spent where it gains most."""

import asyncio
import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver

from tests.recordings.made_up import question
from tests.scripted import Scripted
from tscale_graph import Budget, Policy, abatch, batch
from tscale_graph.budget import Usage
from tscale_graph.candidates import Result
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import ClassPolicy
from tscale_graph.stopping import AnswerPrior
from tscale_graph.techniques.batching.graph import sampling_batch

PLENTY = Budget(tokens=1_000_000)
ASKED = [f"How many are in {k}?" for k in range(6)]


def is_three(question, answer):
    return answer == "3"


def policy(**classes):
    return Policy(default_class=next(iter(classes)), classes=classes)


def votes(**more):
    arguments = {"max_samples": 8, "max_output_tokens": 40, "answer": "number", **more}
    return ClassPolicy(technique="self_consistency", arguments=arguments)


def checked(**more):
    arguments = {"n": 8, "max_output_tokens": 40, "answer": "number", **more}
    return ClassPolicy(technique="best_of_n", arguments=arguments)


def spent(results):
    return Usage.total(result.usage.model_copy(update={"seconds": 0}) for result in results)


def test_every_question_has_its_result_in_its_place():
    recorded = [question(f"q{k}", digit * 8, gold=digit) for k, digit in enumerate("31415")]
    model = ReplayModel(questions=tuple(recorded))
    results = batch([one.question for one in recorded], budget=PLENTY, model=model, answer="number")
    assert [one.answer for one in results] == list("31415")
    assert all(one.status == "complete" for one in results)
    assert batch([], budget=PLENTY) == []


def test_a_thread_may_have_several_batches():
    recorded = [question(f"q{k}", digit * 8, gold=digit) for k, digit in enumerate("31415")]
    model = ReplayModel(questions=tuple(recorded))
    graph = sampling_batch(policy(any=votes()), model=model).compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "one"}}
    said, calls = [], []
    for part in (recorded[:3], recorded[3:]):
        asked = [{"messages": [("user", one.question)]} for one in part]
        out = graph.invoke({"requests": asked, "budget": {"tokens": 10_000}}, config)
        results = [Result.model_validate(result) for result in out["results"]]
        said += [result.answer for result in results]
        calls.append(spent(results).calls / len(part))
    assert said == list("31415")
    assert calls[0] == calls[1]


def test_classes_that_nobody_names_are_told_by_a_classifier():
    two = policy(simple=votes(max_samples=1), verifiable=checked(n=2))
    model = Scripted(answers=["x = 3"])

    async def told(question):
        return "verifiable" if "Solve" in question else "simple"

    asked = ["Solve x = 3.", "Who are you?", {"question": "Hm?", "task_class": "verifiable"}]
    for classifier in (told, lambda question: asyncio.run(told(question))):
        results = batch(
            asked, two, budget=PLENTY, model=model, verifier=is_three, classifier=classifier
        )
        found = [result.task_class for result in results]
        assert found == ["verifiable", "simple", "verifiable"]
    with pytest.raises(ValueError, match="must ask no model"):
        batch(asked, two, budget=PLENTY, model=model, verifier=is_three, classifier="llm")


def test_settled_questions_get_no_more_and_contested_ones_do():
    recorded = [
        question("settled", "3" * 24),
        question("split", "343434334343434343343434"),
        question("also-settled", "3" * 24),
    ]
    model = ReplayModel(questions=tuple(recorded))
    one = policy(any=votes(max_samples=24))
    calls = [
        result.usage.calls
        for result in batch(
            [q.question for q in recorded], one, budget=Budget(calls=24), model=model,
            max_parallel=1,
        )
    ]  # fmt: skip
    assert sum(calls) <= 24
    assert calls[1] > 2 * max(calls[0], calls[2])


def test_a_verified_question_ends_with_the_first_that_passes():
    recorded = [question("easy", "3" * 8), question("hard", "12121213"), question("never", "1" * 8)]
    model = ReplayModel(questions=tuple(recorded))
    results = batch(
        [q.question for q in recorded], policy(any=checked()), budget=PLENTY, model=model,
        verifier=is_three, seed=0, max_parallel=4,
    )  # fmt: skip
    assert [one.answer for one in results][:2] == ["3", "3"]
    assert results[0].usage.calls == 1
    assert results[2].usage.calls == 8
    assert results[2].verdict.passed is False


def test_what_a_request_says_of_itself_comes_before_the_policy():
    one = policy(cheap=votes(max_samples=1), dear=votes(stop="fixed"))
    model = Scripted(answers=["The answer is 3", "The answer is 4"], draws=random.Random(0))
    results = batch(
        [
            {"question": ASKED[0], "task_class": "dear"},
            {"question": ASKED[1], "task_class": "dear", "budget": Budget(calls=2)},
            {"messages": [("user", ASKED[2])]},
        ],
        one, budget=PLENTY, model=model,
    )  # fmt: skip
    assert [result.task_class for result in results] == ["dear", "dear", "cheap"]
    assert results[0].usage.calls > 2
    assert results[1].usage.calls <= 2
    assert results[2].usage.calls == 1


def test_techniques_that_are_no_samples_run_once_as_a_whole():
    one = policy(
        refined=ClassPolicy(technique="refine", arguments={"max_revisions": 1}), any=votes()
    )
    asked = [
        {"question": ASKED[0], "task_class": "refined"},
        {"question": ASKED[1], "task_class": "any"},
    ]
    results = batch(asked, one, budget=PLENTY, model=Scripted())
    assert [result.technique for result in results] == ["refine", "self_consistency"]
    assert all(result.answer for result in results)


def test_what_the_budget_does_not_pay_for_is_told():
    results = batch(ASKED, "self_consistency", budget=Budget(calls=3), model=Scripted())
    assert sum(result.answer is not None for result in results) == 3
    without = [result for result in results if result.answer is None]
    assert {result.cut_off_by for result in without} == {"calls"}
    assert {result.status for result in without} == {"cut_off"}


def test_a_request_that_only_fails_costs_the_others_nothing():
    class Fails(Scripted):
        def begin(self, messages, options):
            if "in 0" in str(messages[-1].text):
                self.fail = 1.0
            else:
                self.fail = 0.0
            return super().begin(messages, options)

    results = batch(ASKED, "self_consistency", budget=PLENTY, model=Fails(), max_samples=4)
    assert results[0].answer is None
    assert any("the scripted failure" in note for note in results[0].notes)
    assert all(result.answer == "3" for result in results[1:])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3_000),
    st.none() | st.integers(1, 30),
    st.integers(1, 12),
    st.floats(0, 0.4),
    st.booleans(),
    st.sampled_from(["right", "none", "over", "under"]),
    st.integers(0, 2**16),
)
def test_the_budget_is_never_exceeded(tokens, calls, parallel, fail, verified, usage, seed):
    model = Scripted(
        answers=["The answer is 3", "The answer is 4", "I do not know"],
        draws=random.Random(seed), fail=fail, usage=usage,
    )  # fmt: skip
    budget = Budget(tokens=tokens, calls=calls)
    one = policy(any=checked() if verified else votes())
    results = batch(
        ASKED, one, budget=budget, model=model, max_parallel=parallel,
        verifier=is_three if verified else None,
    )  # fmt: skip
    assert len(results) == len(ASKED)
    assert calls is None or len(model.calls) <= calls
    if usage in ("right", "none"):
        assert sum(call.billed for call in model.calls) <= tokens
    if usage != "over":
        assert budget.exceeded_by(spent(results)) is None


def test_time_ends_it_with_what_there_is():
    model = Scripted(hang=0.5, draws=random.Random(0))
    results = batch(ASKED, "self_consistency", budget=Budget(tokens=50_000, seconds=1), model=model)
    assert len(results) == 6
    assert any(result.answer == "3" for result in results)
    assert any(result.cut_off_by == "seconds" for result in results)


def test_a_stopped_batch_goes_on_and_pays_for_nothing_twice():
    model = Scripted(
        answers=["The answer is 3", "The answer is 4"], draws=random.Random(1), delay=0.02
    )
    graph = sampling_batch(policy(any=votes()), model=model, max_parallel=3)
    compiled = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 1000}
    asked = {"requests": [{"messages": [("user", one)]} for one in ASKED], "budget": PLENTY}

    async def run():
        running = asyncio.create_task(compiled.ainvoke(asked, config))
        while len(model.calls) < 8:
            await asyncio.sleep(0.005)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return await compiled.ainvoke(None, config)

    out = asyncio.run(run())
    results = [Result.model_validate(result) for result in out["results"]]
    assert all(result.answer for result in results)
    assert sum(call.fate == "cancelled" for call in model.calls) <= 3
    assert spent(results).calls >= len(model.calls)
    assert sum(call.billed for call in model.calls) <= spent(results).tokens


def test_what_is_believed_of_a_question_decides_who_gets_more():
    recorded = [question(f"q{k}", "34" * 10) for k in range(4)]
    model = ReplayModel(questions=tuple(recorded))

    def prior(signals):
        return AnswerPrior(200, 1, 1) if "q0" in signals.question else None

    results = batch(
        [q.question for q in recorded], policy(any=votes(max_samples=20)), model=model,
        budget=Budget(calls=24), prior=prior, max_parallel=1,
    )  # fmt: skip
    calls = [result.usage.calls for result in results]
    assert calls[0] < min(calls[1:])


def test_it_runs_inside_a_running_loop():
    async def run():
        return await abatch(ASKED, "self_consistency", budget=PLENTY, model=Scripted())

    assert all(result.answer == "3" for result in asyncio.run(run()))


@pytest.mark.parametrize(
    ("asked", "more", "told"),
    [
        (["fine", "  "], {}, "question 1 is empty"),
        ([{"question": "a", "class": "b"}], {}, "question 0: takes messages or question"),
        (["a"], {"policy": "guess"}, "technique of all must be one of"),
        (["a"], {"policy": Policy.default(), "max_samples": 3}, "takes no further arguments"),
        (["a"], {"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
        ([{"question": "a", "task_class": "x"}], {}, "request 0: task_class must be one of all"),
        (["a"], {"budget": Budget(usd=1)}, "is not known"),
    ],
)
def test_wrong_use_is_told_before_any_call(asked, more, told):
    model = Scripted()
    given = {"budget": PLENTY, "model": model, **more}
    with pytest.raises(ValueError, match=told):
        batch(asked, given.pop("policy", "self_consistency"), **given)
    assert not model.calls
