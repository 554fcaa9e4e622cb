"""Providers that refuse, fail or give fewer completions than they were asked for."""

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.searching import ask
from tscale_graph import Budget, ab_mcts, beam_search, lats


@pytest.fixture(scope="module")
def server():
    with FakeServer(in_process=True) as running:
        yield running


def client(server):
    return ChatOpenAI(model="fake", base_url=server.url, api_key="none")


SERVED = {
    "ab_mcts": lambda model: ab_mcts(
        model, lambda q, a: int(a) / 10, max_nodes=8, batch=4, answer="number", seed=1
    ),
    "beam_search": lambda model: beam_search(
        model, lambda q, a: 0.5, beams=2, width=2, max_steps=2, answer="number"
    ),
    "lats": lambda model: lats(
        model, value=lambda q, a: 0.6, width=4, max_nodes=4, answer="number", reflections=0
    ),
}


@pytest.mark.parametrize("technique", SERVED)
async def test_a_provider_that_gives_fewer_completions_than_asked_is_asked_one_by_one_then(
    technique, server
):
    server.reset(Behaviour(n="one", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)))
    requests = server.ledger().requests
    assert result.answer in ("1", "2")
    assert requests[0].n > 1
    assert all(request.n == 1 for request in requests[1:]), "it is not asked like that again"
    assert sum(request.n for request in requests) == result.usage.calls
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert {node.note for node in failed} == {
        "the provider gave fewer completions than it was asked for"
    }


@pytest.mark.parametrize("technique", SERVED)
async def test_a_provider_that_refuses_several_completions_is_asked_one_by_one(technique, server):
    server.reset(Behaviour(n="error", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)))
    requests = server.ledger().requests
    assert result.answer in ("1", "2")
    assert [request.n > 1 for request in requests].count(True) == 1
    assert sum(request.n for request in requests) == result.usage.calls
    assert not [node for node in result.tree.nodes if node.status == "failed"]
    assert any("does not answer several times at once" in note for note in result.notes)


@pytest.mark.parametrize("technique", SERVED)
async def test_a_refusal_does_not_use_up_a_small_budget_of_calls(technique, server):
    server.reset(Behaviour(n="error", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)), Budget(calls=4))
    assert result.answer in ("1", "2")
    assert sum(request.n for request in server.ledger().requests) == result.usage.calls <= 4


@pytest.mark.parametrize("technique", SERVED)
@pytest.mark.parametrize("fault", ["malformed", "reset", "empty", "500"])
async def test_requests_that_fail_now_and_then_cost_their_nodes_only(technique, fault, server):
    server.reset(Behaviour(script=[None, fault], answers={"The answer is 1": 1}))
    result = await ask(SERVED[technique](client(server)))
    assert result.answer == "1"
    assert sum(request.n for request in server.ledger().requests) == result.usage.calls
