"""Recursive self-aggregation: what is written from what, who votes, and when it ends."""

import inspect
import time

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tests.techniques.aggregating.crowds import answers, converging, counting, shown
from tests.techniques.searching import QUESTION, Told, ask, asked_of, told
from tscale_graph import Budget, SamplingError, aggregate_recursively, asolve, solve
from tscale_graph.techniques.aggregating.prompts import BETTER_THAN_ONE


def aggregating(model, **more):
    arguments = {"population": 4, "subset": 2, "generations": 3, "answer": "number", "seed": 1}
    return aggregate_recursively(model, **(arguments | more))


async def test_each_generation_is_written_from_random_subsets_of_the_one_before():
    model = counting()
    result = await ask(aggregating(model))
    assert (result.technique, result.status, result.tree) == (
        "aggregate_recursively", "complete", None,
    )  # fmt: skip
    assert answers(result) == [str(number) for number in range(12)]
    prompts = asked_of(model)
    assert prompts[:4] == [[("human", QUESTION)]] * 4
    for generation in (1, 2):
        before = {f"The answer is {number}" for number in range(4 * generation - 4, 4 * generation)}
        subsets = [shown(prompt) for prompt in model.prompts[4 * generation : 4 * generation + 4]]
        assert all(len(set(subset)) == 2 for subset in subsets)
        assert all(set(subset) <= before for subset in subsets)
        assert len({tuple(subset) for subset in subsets}) > 1
    assert all(prompt[0][1].startswith(QUESTION) for prompt in prompts)


async def test_the_last_population_votes_and_no_other():
    said = [1] * 4 + [2] * 4 + [3, 4, 4, 5]
    model = told(lambda prompt, number: f"The answer is {said[number]}")
    result = await ask(aggregating(model, agreement=None))
    assert (result.answer, result.agreement) == ("4", 0.5)
    assert [(vote.answer, vote.count) for vote in result.votes] == [("4", 2), ("3", 1), ("5", 1)]
    assert len(result.candidates) == 12
    assert "agreement of each generation: 100%, 100%, 50%" in result.notes
    assert "aggregating ended with generations=3" in result.notes


async def test_it_ends_as_soon_as_the_population_agrees():
    model = converging()
    result = await ask(aggregating(model, population=8, subset=7, generations=9))
    assert (result.answer, result.status, result.agreement) == ("7", "complete", 1.0)
    assert 16 <= len(model.calls) < 72
    assert "aggregating ended with agreement=1.0" in result.notes


async def test_a_share_that_is_enough_can_be_given():
    said = [1, 1, 1, 2]
    model = told(lambda prompt, number: f"The answer is {said[number % 4]}")
    result = await ask(aggregating(model, agreement=0.75))
    assert (result.answer, len(model.calls), result.agreement) == ("1", 4, 0.75)
    assert len((await ask(aggregating(model, agreement=0.8))).candidates) == 12
    same = Scripted()
    await ask(aggregating(same, agreement=None))
    assert len(same.calls) == 12, "None makes all generations"


async def test_a_subset_of_one_is_self_refinement():
    model = counting()
    await ask(aggregating(model, population=1, subset=1))
    assert [shown(prompt) for prompt in model.prompts] == [
        [], ["The answer is 0"], ["The answer is 1"],
    ]  # fmt: skip
    assert model.prompts[1][0].text.endswith(BETTER_THAN_ONE)


async def test_one_generation_is_a_majority_vote():
    model = Scripted(answers=["The answer is 3", "The answer is 2", "It is 3"])
    result = await ask(aggregating(model, population=3, generations=1))
    assert (result.answer, len(model.calls)) == ("3", 3)


async def test_a_seed_draws_the_same_subsets_again_and_another_one_others():
    async def subsets(seed):
        model = counting()
        await ask(aggregating(model, population=8, subset=4, generations=2, seed=seed))
        return [shown(prompt) for prompt in model.prompts]

    assert await subsets(3) == await subsets(3)
    assert await subsets(3) != await subsets(4)
    assert await subsets(None) != await subsets(None)


class FailsAt(Told):
    """Fails at these calls."""

    places: tuple[int, ...] = ()

    def begin(self, messages, options):
        self.fail = 1.0 if len(self.calls) in self.places else 0.0
        return super().begin(messages, options)


def failing_at(*places, decide=lambda prompt, number: f"The answer is {number}"):
    return FailsAt(decide=decide, places=places)


async def test_failed_members_are_not_shown_and_fewer_than_a_subset_are():
    model = failing_at(0, 1, 2)
    result = await ask(aggregating(model, generations=2))
    assert [shown(prompt) for prompt in model.prompts[4:]] == [["The answer is 3"]] * 4
    assert (result.status, len(result.votes)) == ("complete", 4)
    assert any(note.startswith("3 of 8 samples failed") for note in result.notes)


async def test_empty_members_are_not_shown_and_texts_without_an_answer_are():
    def decide(prompt, number):
        return ["", "I am not sure.", "", "Hm."][number] if number < 4 else "The answer is 9"

    model = told(decide)
    result = await ask(aggregating(model))
    assert {frozenset(shown(p)) for p in model.prompts[4:]} == {
        frozenset(["I am not sure.", "Hm."])
    }
    assert (result.answer, len(model.calls)) == ("9", 8)
    assert "4 of 8 samples had no answer to read" in result.notes


async def test_a_member_that_fails_is_represented_by_the_one_before_it():
    result = await ask(aggregating(failing_at(4, 5, 6, 7), generations=5))
    assert len(result.candidates) == 8, "nothing came of a whole generation"
    assert {vote.answer for vote in result.votes} == {"0", "1", "2", "3"}
    assert "aggregating ended: nothing had come of a whole generation" in result.notes
    result = await ask(aggregating(failing_at(5, 7), generations=2))
    assert {vote.answer for vote in result.votes} == {"4", "1", "6", "3"}


async def test_where_every_call_fails_the_error_says_why():
    model = counting(fail=1.0)
    with pytest.raises(SamplingError, match=r"all 4 samples failed, the last .*scripted") as it:
        await ask(aggregating(model))
    assert len(model.calls) == 4 == it.value.usage.calls


class Thinking(Told):
    """Tells what it thought apart from its answer."""

    def finish(self, call, text):
        result = super().finish(call, text)
        result.generations[0].message.additional_kwargs["reasoning_content"] = "Deep."
        return result


async def test_reasoning_is_not_shown_to_the_next():
    model = Thinking(decide=lambda prompt, number: f"The answer is {number}")
    result = await ask(aggregating(model))
    assert all(candidate.reasoning == "Deep." for candidate in result.candidates)
    assert not any("Deep." in prompt[-1].text for prompt in model.prompts)


async def test_the_first_generation_is_one_request_where_the_provider_has_that():
    with FakeServer(Behaviour(answers={"The answer is 3": 1.0}), in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        result = await ask(aggregating(model, generations=2, agreement=None))
        requests = server.ledger().requests
    assert [request.n for request in requests] == [4, 1, 1, 1, 1]
    assert result.usage.calls == 8
    assert result.usage.tokens == sum(request.billed_tokens for request in requests)


@pytest.mark.parametrize("n", ["one", "error"])
async def test_a_provider_that_does_not_answer_several_times_is_asked_one_by_one(n):
    behaviour = Behaviour(answers={"The answer is 3": 0.5, "The answer is 2": 0.5}, n=n)
    with FakeServer(behaviour, in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        result = await ask(aggregating(model, generations=2, agreement=None))
        asked = sum(request.n for request in server.ledger().requests)
    assert len(result.candidates) == 8
    assert result.usage.calls == asked


async def test_max_parallel_holds_and_generations_do_not_mix():
    model = counting(delay=0.005)
    result = await ask(aggregating(model, population=5, max_parallel=2, generations=2))
    assert model.most_in_flight == 2
    assert len(result.candidates) == 10
    early = {f"The answer is {number}" for number in range(5)}
    assert all(set(shown(prompt)) <= early for prompt in model.prompts)


async def test_members_of_a_generation_run_side_by_side():
    model = counting(delay=0.02)
    await ask(aggregating(model, population=80, generations=2))
    assert model.most_in_flight == 80


def test_members_run_side_by_side_under_invoke_too():
    model = counting(delay=0.05)
    graph = aggregating(model, population=24, generations=2).compile()
    out = graph.invoke({"messages": [("user", QUESTION)], "budget": {"calls": 99}})
    assert model.most_in_flight == 24
    assert set(out) == {"messages", "result"}
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    usage = out["messages"][-1].usage_metadata
    assert usage["total_tokens"] == out["result"].usage.tokens


async def test_all_ten_generations_of_the_default_run():
    model = counting()
    started = time.monotonic()
    result = await ask(aggregate_recursively(model, answer="number"))
    assert len(model.calls) == len(result.candidates) == 160
    assert time.monotonic() - started < 30


class Seeded(Told):
    """Takes a seed."""

    seed: int | None = None


async def test_the_system_prompt_the_seed_and_the_temperature_are_passed_on():
    model = Seeded(decide=lambda prompt, number: f"The answer is {number}")
    more = {"system": "Be brief.", "seed": 5, "temperature": 0.2, "max_output_tokens": 9}
    await ask(aggregating(model, population=2, generations=2, **more))
    assert [prompt[0] for prompt in asked_of(model)] == [("system", "Be brief.")] * 4
    asked = [(told["max_tokens"], told["temperature"], told["seed"]) for told in model.options]
    assert asked == [(9, 0.2, 5), (9, 0.2, 6), (9, 0.2, 7), (9, 0.2, 8)]


async def test_every_member_is_told_as_it_comes():
    graph = aggregating(counting()).compile()
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=99)}
    events = [event async for event in graph.astream(asked, stream_mode="custom")]
    assert sorted(event["sample"]["index"] for event in events) == list(range(12))


async def test_it_can_be_asked_for_by_name():
    sizes = {"population": 3, "generations": 2, "answer": "number"}
    for name in ("aggregate_recursively", "aggregate-recursively"):
        result = await asolve(QUESTION, name, budget=Budget(calls=9), model=counting(), **sizes)
        assert (result.technique, result.usage.calls) == ("aggregate_recursively", 6)
    assert solve(QUESTION, name, budget=Budget(calls=9), model=Scripted(), **sizes).answer == "3"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"population": 0}, "population must be at least 1, got 0"),
        ({"population": 1.5}, "population must be a whole number, got 1.5"),
        ({"subset": 0}, "subset must be at least 1, got 0"),
        ({"generations": 0}, "generations must be at least 1, got 0"),
        ({"agreement": 0}, "agreement must be above 0 and at most 1, got 0"),
        ({"agreement": 1.1}, "agreement must be above 0 and at most 1, got 1.1"),
        ({"agreement": "all"}, "agreement must be a finite number, got 'all'"),
        ({"temperature": 3}, "temperature must be between 0 and 2"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1"),
        ({"max_parallel": 0}, "max_parallel must be at least 1"),
        ({"on_exceeded": "ignore"}, 'on_exceeded must be "raise" or "return"'),
        ({"answer": "nonsense"}, "answer must be"),
    ],
)
def test_a_bad_argument_is_refused_when_the_graph_is_built(arguments, says):
    with pytest.raises(ValueError, match=says) as caught:
        aggregating(counting(), **arguments)
    assert "\n" not in str(caught.value)


def test_every_node_says_where_it_belongs_and_none_is_a_closure():
    graph = aggregating(counting())
    where = {name: spec.metadata["execute_in"] for name, spec in graph.nodes.items()}
    assert where == {
        "admit": "activity",
        "sample": "activity",
        "decide": "workflow",
        "finish": "workflow",
    }
    for spec in graph.nodes.values():
        assert inspect.ismethod(spec.runnable.afunc)
