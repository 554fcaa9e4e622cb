"""How the samples of a wave are asked for: together where that works, each with its own seed."""

import pytest
from langchain_openai import ChatOpenAI
from pydantic import Field

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph import Budget, self_consistency
from tscale_graph.models.endpoint import HONOURS_KEY

QUESTION = [("user", "How many r's are in strawberry?")]
TRUSTED = {HONOURS_KEY: True}


@pytest.fixture(scope="module")
def running():
    with FakeServer(in_process=True) as server:
        yield server


async def ask(graph, budget):
    out = await graph.compile().ainvoke({"messages": QUESTION, "budget": budget})
    return out["result"]


def sampling(server, samples, metadata=TRUSTED, **more):
    model = ChatOpenAI(model="fake", base_url=server.url, api_key="none", metadata=metadata)
    return self_consistency(model, max_samples=samples, stop="fixed", max_output_tokens=30, **more)


@pytest.mark.parametrize("metadata", [TRUSTED, None], ids=["trusted", "unknown"])
@pytest.mark.parametrize("honoured", ["yes", "one", "error"])
async def test_there_are_as_many_samples_whatever_a_server_makes_of_n(running, honoured, metadata):
    running.reset(Behaviour(n=honoured))
    result = await ask(sampling(running, 6, metadata), Budget(tokens=20_000))
    ledger = running.ledger(settle=1)
    assert result.status == "complete"
    assert [c.text for c in result.candidates] == ["The answer is 3"] * 6
    asked = [request.n for request in ledger.requests]
    assert asked == {"yes": [6], "one": [6] + [1] * 5, "error": [6] + [1] * 6}[honoured]
    assert result.usage.tokens == ledger.billed_tokens


async def test_a_refusal_of_n_is_told_and_counted_once(running):
    running.reset(Behaviour(n="error"))
    result = await ask(sampling(running, 6), Budget(tokens=20_000))
    assert result.usage.calls == sum(request.n for request in running.ledger().requests)
    [note] = [note for note in result.notes if "several times at once" in note]
    assert "n must be 1" in note


@pytest.mark.parametrize("honoured", ["yes", "one", "error"])
async def test_calls_for_every_sample_bring_every_sample_from_a_server_that_nobody_knows(
    running, honoured
):
    """It is not asked for several at once where a refusal would leave no calls for single ones."""
    running.reset(Behaviour(n=honoured))
    result = await ask(sampling(running, 16, metadata=None), Budget(calls=16))
    assert (result.status, len(result.candidates)) == ("complete", 16)
    assert all(candidate.error is None for candidate in result.candidates)
    assert [request.n for request in running.ledger().requests] == [1] * 16
    assert result.usage.calls == 16


class Seeded(Scripted):
    seed: int | None = None
    seeds: list = Field(default_factory=list)

    def begin(self, messages, options):
        self.seeds.append(options.get("seed"))
        return super().begin(messages, options)


async def test_each_sample_has_a_seed_of_its_own_across_waves():
    model = Seeded(answers=[f"The answer is {k}" for k in range(7)])
    graph = self_consistency(model, max_samples=7, stop="fixed", seed=100, max_parallel=3)
    await ask(graph, Budget(calls=20))
    assert sorted(model.seeds) == [*range(100, 107)]


async def test_without_a_seed_none_is_sent():
    model = Seeded()
    await ask(self_consistency(model, max_samples=3, stop="fixed"), Budget(calls=20))
    assert model.seeds == [None] * 3
