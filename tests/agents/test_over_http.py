"""Agents beside a server that keeps its own ledger: what is counted, and what is cancelled."""

import asyncio
import time

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain_openai import ChatOpenAI

from tests.agents.shop import ASKED, Shop, never, on_turns, technique
from tests.fake_server import Behaviour, FakeServer
from tscale_graph import Budget, BudgetExceeded, ScalingMiddleware

ADD = {"name": "add", "arguments": {"a": 2, "b": 3}}
HARD = {"name": "deliberate", "arguments": {"question": "What is 6 times 7?"}}
TEN = 10


def model(server):
    return ChatOpenAI(model="fake", base_url=server.url, api_key="none")


def until_turn(last):
    """Tools are offered until a turn, so that the agent answers there."""

    class Last:
        @staticmethod
        def of(request):
            over = sum(one.type == "ai" for one in request.messages) >= last
            return request.override(tools=[]) if over else request

    @wrap_model_call
    async def asynchronous(request, handler):
        return await handler(Last.of(request))

    @wrap_model_call
    def synchronous(request, handler):
        return handler(Last.of(request))

    return asynchronous, synchronous


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize(
    "limits", [{"calls": 100}, {"tokens": 100_000}, {"seconds": 60, "tokens": 100_000}]
)
async def test_ten_calls_of_which_three_are_scaled_add_up_to_what_the_server_counted(
    asynchronous, limits
):
    shop, pick = Shop(), until_turn(TEN - 1)[0 if asynchronous else 1]
    with FakeServer(Behaviour(tool_calls=[ADD])) as server:
        scaling = ScalingMiddleware(
            technique(model(server)), when=on_turns(0, 4, 9), budget=Budget(**limits)
        )
        agent = create_agent(model(server), shop.tools(), middleware=[pick, scaling])
        config = {"recursion_limit": 100}
        out = await agent.ainvoke(ASKED, config) if asynchronous else agent.invoke(ASKED, config)
        ledger = server.ledger(settle=2)
    run = out["scaling"]
    assert [call.kind for call in run.calls.values()].count("scaled") == 3
    assert len(run.calls) == TEN
    assert run.usage.calls == sum(request.n for request in ledger.requests) == 7 + 3 * 3
    assert run.usage.tokens == ledger.billed_tokens
    assert shop.done == [(2, 3)] * (TEN - 1)
    assert out["messages"][-1].text == "The answer is 3"


@pytest.mark.parametrize("limit", [{"calls": 7}, {"tokens": 2_000}, {"seconds": 0.5}])
async def test_a_run_is_cut_off_at_each_of_its_limits(limit):
    with FakeServer(Behaviour(tool_calls=[ADD], latency=0.02)) as server:
        scaling = ScalingMiddleware(
            technique(model(server), max_output_tokens=100),
            when=on_turns(1, 3),
            budget=Budget(**limit),
            max_output_tokens=100,
            on_exceeded="return",
        )
        agent = create_agent(model(server), Shop().tools(), middleware=[scaling])
        started = time.monotonic()
        out = await agent.ainvoke(ASKED, {"recursion_limit": 200})
        took = time.monotonic() - started
        ledger = server.ledger(settle=2)
    assert out["scaling"].cut_off_by == next(iter(limit))
    assert sum(request.n for request in ledger.requests) <= limit.get("calls", 1_000)
    assert ledger.billed_tokens <= limit.get("tokens", 1_000_000)
    assert took < limit.get("seconds", 60) + 2
    assert len(ledger.requests) > 2


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_half_a_call_of_a_tool_is_not_made(asynchronous):
    shop, long = Shop(), {"name": "add", "arguments": {"a": 2, "b": 3, "note": "long " * 800}}
    wordy = Behaviour(tool_calls=[long], ignore_max_tokens=True, chunk_delay=0.001)
    with FakeServer(wordy) as server:
        scaling = ScalingMiddleware(
            technique(model(server)), when=never, budget=Budget(tokens=1100)
        )
        agent = create_agent(model(server), shop.tools(), middleware=[scaling])
        with pytest.raises(BudgetExceeded, match=r"^the call of a tool was cut off"):
            await agent.ainvoke(ASKED) if asynchronous else agent.invoke(ASKED)
        ledger = server.ledger(settle=2)
    assert shop.done == []
    assert ledger.requests[0].written_tokens < 1_100


@pytest.mark.parametrize("seam", ["own", "scaled", "deliberate"])
async def test_cancelling_closes_every_connection_within_100_ms(seam):
    slow = Behaviour(latency=30)
    with FakeServer(Behaviour(tool_calls=[HARD])) as quick, FakeServer(slow) as server:
        asked = quick if seam == "deliberate" else server
        scaling = ScalingMiddleware(
            technique(model(server)),
            when=None if seam == "scaled" else never,
            budget=Budget(seconds=60),
            deliberate=technique(model(server)),
        )
        agent = create_agent(model(asked), Shop().tools(), middleware=[scaling])
        running = asyncio.create_task(agent.ainvoke(ASKED))
        while not server.ledger().requests:
            await asyncio.sleep(0.02)
        cancelled = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - cancelled < 0.1
        ledger = server.ledger(settle=1)
    assert {request.fate for request in ledger.requests} == {"client_disconnected"}
    assert max(request.ended for request in ledger.requests) - cancelled < 0.1
