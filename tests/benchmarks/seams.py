"""What each seam adds to the graph of its technique: milliseconds, by pairs in one process.

    python -m tests.benchmarks.seams

A seam and what it stands in front of answer the same question in turns, from a scripted model that
takes no time. Printed is the median of the differences of 200 pairs. Exits with 1 above 5 ms.
"""

import asyncio
import gc
import itertools
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import (
    Budget,
    ScaledChatModel,
    ScalingMiddleware,
    human_review,
    mapped,
    self_consistency,
    studio,
)

MOST_MS = 5.0
PAIRS = 200
BUDGET = Budget(tokens=1_000_000)
ASKED = [HumanMessage("What is 2 + 3?")]

Way = Callable[[], Awaitable[object]]


class Ticket(TypedDict, total=False):
    text: str
    reply: str | None


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def technique(model):
    return self_consistency(model, max_samples=8, stop="fixed")


def graph(model) -> Way:
    compiled = technique(model).compile()
    return lambda: compiled.ainvoke({"messages": ASKED, "budget": BUDGET})


def chat_model(model) -> Way:
    scaled = ScaledChatModel(technique(model), budget=BUDGET)
    return lambda: scaled.ainvoke(ASKED)


def bound_each_time(model) -> Way:
    """As agents do it at each of their turns."""
    scaled = ScaledChatModel(technique(model), budget=BUDGET)
    return lambda: scaled.bind_tools([add]).ainvoke(ASKED)


def node_of_another(model) -> Way:
    """As a node of a graph whose state has names of its own."""
    builder = StateGraph(Ticket)
    builder.add_node("think", mapped(technique(model), question="text", answer="reply"))
    builder.add_edge(START, "think")
    compiled = builder.compile()
    config = {"configurable": {"budget": BUDGET}}
    return lambda: compiled.ainvoke({"text": "What is 2 + 3?"}, config)


def own_node(model) -> Way:
    """The same node, written by hand."""
    compiled = technique(model).compile()

    async def think(state: Ticket) -> Ticket:
        asked = [HumanMessage(state["text"])]
        out = await compiled.ainvoke({"messages": asked, "budget": BUDGET})
        return {"reply": out["result"].answer}

    builder = StateGraph(Ticket)
    builder.add_node("think", think)
    builder.add_edge(START, "think")
    whole = builder.compile()
    return lambda: whole.ainvoke({"text": "What is 2 + 3?"})


def reviewed(model) -> Way:
    """Sure enough, so that nobody is asked."""
    compiled = human_review(technique(model)).compile(checkpointer=InMemorySaver())
    return _on_threads(compiled)


def saved(model) -> Way:
    return _on_threads(technique(model).compile(checkpointer=InMemorySaver()))


def _on_threads(compiled) -> Way:
    threads = itertools.count()

    def ask():
        config = {"configurable": {"thread_id": str(next(threads))}}
        return compiled.ainvoke({"messages": ASKED, "budget": BUDGET}, config)

    return ask


def agent(model, *middleware) -> Way:
    made = create_agent(model, [], middleware=middleware)
    return lambda: made.ainvoke({"messages": ASKED})


def scaling(model, *, scaled) -> ScalingMiddleware:
    return ScalingMiddleware(technique(model), when=lambda request: scaled, budget=BUDGET)


async def timed(way: Way) -> float:
    started = time.perf_counter()
    await way()
    return 1_000 * (time.perf_counter() - started)


async def assistant() -> object:
    """The graph of a run on a LangGraph server, by its settings."""
    running = SimpleNamespace(context={"model": "openai:fake", "max_samples": 8})
    runtime = SimpleNamespace(execution_runtime=running)
    return await studio.self_consistency({"configurable": {}}, runtime)


async def nothing() -> None:
    """What an assistant stands in front of: a graph that is there."""


async def added(ours: Way, theirs: Way) -> tuple[float, float]:
    """The median of what ours takes more, in milliseconds, and of what theirs takes."""
    for way in (ours, theirs) * 5:
        await way()
    gc.collect()
    pairs = [(await timed(ours), await timed(theirs)) for _ in range(PAIRS)]
    return statistics.median(a - b for a, b in pairs), statistics.median(b for _, b in pairs)


async def measure() -> list[tuple[str, float, float]]:
    """Each seam beside what it stands in front of."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    says, calls = ScriptedCalls(), ScriptedCalls(answers=[calling(("add", {"a": 2, "b": 3}))])
    return [
        ("a chat model", *await added(chat_model(says), graph(says))),
        (
            "a chat model to which tools are bound at each call",
            *await added(bound_each_time(calls), graph(calls.bind_tools([add]))),
        ),
        ("a node through mapped", *await added(node_of_another(says), own_node(says))),
        ("a review where nobody is asked", *await added(reviewed(says), saved(says))),
        (
            "a scaled call of an agent, beside an agent with that chat model",
            *await added(
                agent(says, scaling(says, scaled=True)),
                agent(ScaledChatModel(technique(says), budget=BUDGET)),
            ),
        ),
        (
            "an agent's own call",
            *await added(agent(says, scaling(says, scaled=False)), agent(says)),
        ),
        ("an assistant's settings on a server", *await added(assistant, nothing)),
    ]


async def main() -> int:
    """Print what each adds; the exit status."""
    told = await measure()
    for name, more, whole in told:
        print(f"{name}: {more:+.2f} ms on {whole:.2f} ms of the graph (at most {MOST_MS:g})")
    return int(any(more > MOST_MS for _, more, _ in told))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
