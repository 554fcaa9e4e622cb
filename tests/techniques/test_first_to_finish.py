"""All samples race; the first that finish with an answer vote, and the rest is cancelled."""

import asyncio
import random
import time

import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tests.techniques.searching import ask, billed
from tests.techniques.test_racing import NUMBERS, UNWANTED, Uneven
from tscale_graph import Budget, best_of_n, self_consistency
from tscale_graph.techniques.restarts import LOST

DELAYS = (60.0, 0.06, 60.0, 0.0, 0.03, 60.0, 60.0, 60.0)


def first_to_finish(model, finishers=3, **more):
    arguments = {"max_samples": 8, "stop": f"first_to_finish:{finishers}", "answer": "number"}
    return self_consistency(model, **(arguments | more))


async def test_only_the_first_vote_and_the_slow_are_cancelled():
    model = Uneven(answers=NUMBERS, delays=DELAYS)
    result = await asyncio.wait_for(ask(first_to_finish(model)), 10)
    assert {vote.answer for vote in result.votes} == {"1", "3", "4"}
    assert (result.status, result.cut_off_by) == ("complete", None)
    assert model.most_in_flight == 8
    fates = [call.fate for call in model.calls]
    assert [place for place, fate in enumerate(fates) if fate == "completed"] == [1, 3, 4]
    assert [c.discarded for c in result.candidates if c.answer is None] == [UNWANTED] * 5
    assert model.in_flight == 0


@pytest.mark.parametrize("finishers", [1, 2, 4])
async def test_the_run_takes_as_long_as_the_last_that_was_waited_for(finishers):
    delays = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75)
    everyone, few = Uneven(answers=NUMBERS, delays=delays), Uneven(answers=NUMBERS, delays=delays)
    started = time.monotonic()
    await ask(first_to_finish(everyone, 6, max_samples=6))
    whole = time.monotonic() - started
    started = time.monotonic()
    await ask(first_to_finish(few, finishers, max_samples=6))
    part = time.monotonic() - started
    assert delays[finishers - 1] <= part < delays[finishers] / delays[-1] * whole


async def test_no_more_than_the_first_vote_even_if_all_finish_at_once():
    result = await ask(first_to_finish(Scripted(answers=NUMBERS)))
    assert sum(vote.count for vote in result.votes) == 3
    assert sum(c.discarded is not None for c in result.candidates) == 5


async def test_the_majority_of_the_first_wins_and_a_tie_goes_to_the_shortest():
    said = ["So, after a while, the answer is 4", "It is 7", "The answer is 4", "The answer is 9"]
    model = Uneven(answers=said, delays=(0.02, 0.0, 0.04, 60.0))
    assert (await ask(first_to_finish(model, 3, max_samples=4))).answer == "4"
    model = Uneven(answers=said, delays=(0.0, 0.02, 60.0, 60.0))
    for seed in range(4):
        result = await ask(first_to_finish(model, 2, max_samples=4, seed=seed))
        assert (result.answer, result.agreement) == ("7", 0.5)


async def test_samples_that_fail_or_hold_no_answer_are_none_of_the_first():
    class Unlucky(Uneven):
        def draw(self, low=0.0, high=1.0):
            return 0.0 if len(self.calls) in (1, 2) else 1.0

    said = ["?", "?", "I do not know.", *NUMBERS[3:]]
    model = Unlucky(answers=said, fail=0.5, delays=(*[0.0] * 3, 0.02, 0.02, 0.02, 60.0, 60.0))
    result = await asyncio.wait_for(ask(first_to_finish(model)), 10)
    assert {vote.answer for vote in result.votes} == {"3", "4", "5"}
    assert sum(1 for c in result.candidates if c.error) == 2


async def test_where_fewer_have_an_answer_those_vote():
    model = Scripted(answers=["Hm."] * 7 + ["The answer is 5"])
    result = await ask(first_to_finish(model))
    assert (result.answer, result.status, len(model.calls)) == ("5", "complete", 8)


@pytest.mark.parametrize("calls", [1, 2, 5])
async def test_a_budget_that_pays_for_fewer_starts_fewer(calls):
    model = Uneven(answers=NUMBERS, delays=(0.0, 0.0, 0.0, 60.0, 60.0))
    result = await asyncio.wait_for(ask(first_to_finish(model), Budget(calls=calls)), 10)
    assert len(model.calls) == model.most_in_flight == result.usage.calls == calls
    assert sum(vote.count for vote in result.votes) == min(calls, 3)
    assert result.status == ("complete" if calls == 5 else "cut_off")


@pytest.mark.parametrize("seed", range(20))
async def test_no_limit_is_exceeded_and_the_cancelled_are_charged(seed):
    rng = random.Random(seed)
    delays = tuple(rng.choice([0.0, 0.002, 0.01, 60.0]) for _ in range(8))
    model = Uneven(answers=NUMBERS, delays=(0.0, 0.0, *delays), fail=rng.choice([0, 0.3]))
    budget = Budget(calls=rng.randint(1, 12), tokens=rng.randint(40, 700), seconds=5)
    graph = first_to_finish(model, rng.randint(1, 2), max_output_tokens=20, on_exceeded="return")
    try:
        usage = (await ask(graph, budget)).usage
    except RuntimeError as error:  # all that could be asked failed
        usage = error.usage
    assert usage.calls == len(model.calls) <= budget.calls
    assert billed(model) <= usage.tokens <= budget.tokens
    assert model.in_flight == 0


async def test_each_is_a_request_of_its_own_where_a_provider_has_several_in_one():
    behaviour = Behaviour(
        answers={"The answer is 3": 0.5, "The answer is 2": 0.5}, latency=(0, 0.1)
    )
    with FakeServer(behaviour, in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        result = await ask(first_to_finish(model))
        requests = server.ledger(settle=0.5).requests
    assert [request.n for request in requests] == [1] * 8
    assert sum(vote.count for vote in result.votes) == 3


async def test_a_verifier_judges_the_first_and_the_best_of_them_stands():
    model = Uneven(answers=NUMBERS, delays=DELAYS)
    graph = best_of_n(
        model, lambda q, a: int(a) / 10, n=8, stop="first_to_finish:3", answer="number"
    )
    result = await asyncio.wait_for(ask(graph), 10)
    assert (result.answer, result.verdict.score) == ("4", 0.4)
    assert sum(1 for c in result.candidates if c.verdict) == 3


def test_it_races_under_invoke_too():
    model = Uneven(answers=NUMBERS, delays=DELAYS)
    asked = {"messages": [("user", "How many?")], "budget": Budget(calls=9)}
    result = first_to_finish(model).compile().invoke(asked)["result"]
    assert {vote.answer for vote in result.votes} == {"1", "3", "4"}


async def test_a_race_that_was_stopped_is_charged_and_run_again():
    model = Uneven(answers=NUMBERS, delays=(0.0, 0.0, *[60.0] * 6))
    graph = first_to_finish(model).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "How many?")], "budget": Budget(calls=12)}
    running = asyncio.ensure_future(graph.ainvoke(asked, thread))
    while model.in_flight != 6 or len(model.calls) < 8:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    model.delays = (0.0,)
    result = (await graph.ainvoke(None, thread))["result"]
    assert sum(c.error == LOST for c in result.candidates) == 8
    assert result.usage.calls == len(model.calls) == 12, "what the budget left"
    assert (result.status, sum(vote.count for vote in result.votes)) == ("complete", 3)
