"""Waves: in parallel, and hardly a sample more than one at a time."""

import random
from typing import ClassVar

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tests.techniques.test_clustering import BagOfWords
from tscale_graph import Budget, best_of_n, self_consistency
from tscale_graph.verifiers.meaning import semantic

QUESTIONS = 20
MOST = 40


async def waves(answers, **arguments):
    """How many samples each wave of a run took."""
    graph = self_consistency(Scripted(answers=answers), max_samples=MOST, **arguments).compile()
    asked = {"messages": [("user", "How many?")], "budget": Budget(tokens=1_000_000)}
    taken = []
    async for update in graph.astream(asked, stream_mode="updates"):
        if "admit" in update:
            taken.append(0)
        taken[-1] += len(update.get("sample", {}).get("candidates", ()))
    return taken


def questions(seed):
    """For each question a sequence of answers: easy, contested and hopeless ones."""
    rng = random.Random(seed)
    for _ in range(QUESTIONS):
        weights = [rng.choice([0.9, 0.7, 0.5, 0.2]), 0.3, 0.2, 0.1]
        yield [f"The answer is {n}" for n in rng.choices(range(4), weights, k=MOST)]


@pytest.mark.parametrize(
    ("stop", "rounds"), [("beta", 1 / 3), ("window:5", 1 / 3), ("first_to_lead_by:4", 1 / 2)]
)
@pytest.mark.slow
async def test_waves_buy_at_most_a_tenth_more_than_one_at_a_time_in_fewer_rounds(stop, rounds):
    parallel, single = [], []
    for answers in questions(stop):
        parallel += await waves(answers, stop=stop)
        single += await waves(answers, stop=stop, max_parallel=1)
    assert sum(parallel) <= 1.1 * sum(single)
    assert len(parallel) <= rounds * len(single)


async def test_a_wave_never_buys_what_one_at_a_time_would_surely_not_have_bought():
    for answers in questions("surely"):
        *before, _ = await waves(answers, stop="first_to_lead_by:3")
        # The rule had not fired at the end of any wave but the last.
        one_at_a_time = await waves(answers, stop="first_to_lead_by:3", max_parallel=1)
        assert sum(before) < len(one_at_a_time) - (one_at_a_time[-1] == 0)


@pytest.fixture(scope="module")
async def patient():
    return [await waves(answers) for answers in questions("hurry")]


@pytest.mark.parametrize("speculate", [1, 4])
async def test_speculation_takes_fewer_rounds_still(speculate, patient):
    hurried = [await waves(answers, speculate=speculate) for answers in questions("hurry")]
    assert sum(map(len, hurried)) < sum(map(len, patient))


async def test_fixed_takes_all_at_once():
    assert await waves(["The answer is 3"], stop="fixed") == [MOST]
    assert await waves(["The answer is 3"], stop="fixed", max_parallel=16) == [16, 16]


async def test_samples_that_cannot_change_the_winner_are_not_taken():
    graph = self_consistency(Scripted(), max_samples=9, stop="dirichlet:0.9999999").compile()
    asked = {"messages": [("user", "How many?")], "budget": Budget(calls=50)}
    assert (await graph.ainvoke(asked))["result"].usage.calls == 5


def test_the_picture_shows_the_steps_that_a_technique_has():
    def nodes(technique):
        return {*technique.compile().get_graph().nodes} - {"__start__", "__end__"}

    common = {"admit", "sample", "decide", "finish"}
    assert nodes(self_consistency(Scripted())) == common
    assert nodes(self_consistency(Scripted(), vote="universal")) == {*common, "rank"}
    assert nodes(best_of_n(Scripted(), "equation")) == {*common, "verify"}
    words = semantic(embeddings=BagOfWords())
    assert nodes(best_of_n(Scripted(), str.startswith, answer=words)) == {
        *common,
        "verify",
        "cluster",
    }


class AtMostThree(ChatOpenAI):
    """A server that answers three times at once, and no more often."""

    most_completions: ClassVar[int] = 3


AtMostThree.__name__ = "ChatOpenAI"  # by which it is known to answer several times at once


async def test_no_request_asks_for_more_completions_than_the_server_gives():
    with FakeServer(Behaviour(answers={"The answer is 3": 1.0}), in_process=True) as server:
        model = AtMostThree(model="fake", base_url=server.url, api_key="none", max_retries=0)
        graph = self_consistency(model, max_samples=8, stop="fixed").compile()
        asked = {"messages": [("user", "How many?")], "budget": Budget(calls=50)}
        result = (await graph.ainvoke(asked))["result"]
        assert [request.n for request in server.ledger().requests] == [3, 3]
    # Two more could not change what six agree on.
    assert (len(result.candidates), result.status) == (6, "complete")
