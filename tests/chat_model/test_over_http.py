"""Over a real connection, to a server that keeps its own ledger."""

import asyncio
import time

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tscale_graph import Budget, ScaledChatModel, self_consistency

QUESTION = "What is 2 + 3?"
CALLS = [{"name": "add", "arguments": {"a": 2, "b": 3}}]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request."""


def scaled(server: FakeServer, cls=ChatOpenAI, **limits) -> ScaledChatModel:
    model = cls(model="fake", base_url=server.url, api_key="none")
    graph = self_consistency(model, max_samples=8, stop="fixed")
    return ScaledChatModel(graph, budget=Budget(**limits or {"calls": 16}))


@pytest.mark.parametrize("limits", [{"calls": 16}, {"tokens": 100_000}, {"seconds": 30}])
@pytest.mark.parametrize("cls", [ChatOpenAI, OneByOne])
async def test_tool_calls_come_through_streams_and_shared_requests(cls, limits):
    with FakeServer(Behaviour(tool_calls=CALLS), in_process=True) as server:
        model = scaled(server, cls, **limits).bind_tools([add], tool_choice="any")
        message = await model.ainvoke(QUESTION)
        ledger = server.ledger()
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [
        ("add", {"a": 2, "b": 3})
    ]
    assert message.response_metadata["agreement"] == 1
    assert message.response_metadata["calls"] == 8
    assert message.usage_metadata["total_tokens"] == ledger.billed_tokens


async def test_usage_is_what_the_server_bills_and_is_counted_once():
    with FakeServer(in_process=True) as server, get_usage_metadata_callback() as counted:
        message = await scaled(server, OneByOne).ainvoke(QUESTION)
        billed = server.ledger().billed_tokens
    assert message.text == "The answer is 3"
    [usage] = counted.usage_metadata.values()
    assert usage["total_tokens"] == message.usage_metadata["total_tokens"] == billed


async def test_an_agents_turn_is_voted_on_and_its_history_is_taken_back():
    with FakeServer(Behaviour(tool_calls=CALLS), in_process=True) as server:
        agent = create_agent(scaled(server), [add])
        streaming = agent.astream({"messages": QUESTION}, stream_mode="updates")
        async for update in streaming:
            if server.ledger().requests[1:]:
                break
            last = update
        await streaming.aclose()
    assert last["tools"]["messages"][0].content == "5"


async def test_cancelling_closes_every_connection_within_100_ms():
    with FakeServer(Behaviour(latency=30), in_process=True) as server:
        asking = asyncio.create_task(scaled(server, OneByOne).ainvoke(QUESTION))
        while len(server.ledger().requests) < 8:
            await asyncio.sleep(0.02)
        cancelled = time.monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        ledger = server.ledger(settle=1)
    assert {request.fate for request in ledger.requests} == {"client_disconnected"}
    assert max(request.ended for request in ledger.requests) - cancelled < 0.1
