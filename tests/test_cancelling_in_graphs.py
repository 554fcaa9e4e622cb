"""A technique as a node: when the caller of the graph is cancelled, so is every call in flight."""

import asyncio
import time

import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from tests.fake_server import Behaviour, FakeServer
from tscale_graph import Budget, human_review, mapped, self_consistency

QUESTION = "How many r's are in strawberry?"
ASKED = {"messages": [("user", QUESTION)]}


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request."""


class Ticket(TypedDict, total=False):
    ticket: str
    reply: str | None


def with_node(state, node):
    builder = StateGraph(state)
    builder.add_node("think", node)
    builder.add_edge(START, "think")
    return builder.compile(checkpointer=InMemorySaver())


SEAMS = {
    "node": (lambda technique: with_node(MessagesState, technique.compile()), ASKED),
    "mapped": (
        lambda technique: with_node(Ticket, mapped(technique, question="ticket", answer="reply")),
        {"ticket": QUESTION},
    ),
    "review": (
        lambda technique: human_review(technique).compile(checkpointer=InMemorySaver()),
        ASKED,
    ),
}


@pytest.mark.parametrize("seam", SEAMS)
async def test_cancelling_closes_every_connection_within_100_ms(seam):
    made, asked = SEAMS[seam]
    with FakeServer(Behaviour(latency=30), in_process=True) as server:
        model = OneByOne(model="fake", base_url=server.url, api_key="none")
        technique = self_consistency(model, max_samples=6, stop="fixed", budget=Budget(calls=6))
        config = {"configurable": {"thread_id": "1"}}
        running = asyncio.create_task(made(technique).ainvoke(asked, config))
        while len(server.ledger().requests) < 6:
            await asyncio.sleep(0.02)
        cancelled = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ledger = server.ledger(settle=1)
    assert {request.fate for request in ledger.requests} == {"client_disconnected"}
    assert max(request.ended for request in ledger.requests) - cancelled < 0.1
