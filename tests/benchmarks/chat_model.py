"""What a chat model adds to the graph of its technique: milliseconds, by pairs in one process.

    python -m tests.benchmarks.chat_model

Graph and chat model answer the same question in turns, from a scripted model that takes no time.
Printed is the median of the differences of 200 pairs. Exits with 1 above 5 ms.
"""

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import Budget, ScaledChatModel, self_consistency

MOST_MS = 5.0
PAIRS = 200
BUDGET = Budget(tokens=1_000_000)
ASKED = [HumanMessage("What is 2 + 3?")]

Way = Callable[[], Awaitable[object]]


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


async def timed(way: Way) -> float:
    started = time.perf_counter()
    await way()
    return 1_000 * (time.perf_counter() - started)


async def added(ours: Way, theirs: Way) -> tuple[float, float]:
    """The median of what ours takes more, in milliseconds, and of what theirs takes."""
    for way in (ours, theirs) * 5:
        await way()
    gc.collect()
    pairs = [(await timed(ours), await timed(theirs)) for _ in range(PAIRS)]
    return statistics.median(a - b for a, b in pairs), statistics.median(b for _, b in pairs)


async def measure() -> list[tuple[str, float, float]]:
    """Each way beside the same graph."""
    says, calls = ScriptedCalls(), ScriptedCalls(answers=[calling(("add", {"a": 2, "b": 3}))])
    return [
        ("a chat model", *await added(chat_model(says), graph(says))),
        (
            "a chat model to which tools are bound at each call",
            *await added(bound_each_time(calls), graph(calls.bind_tools([add]))),
        ),
    ]


async def main() -> int:
    """Print what each adds; the exit status."""
    told = await measure()
    for name, more, whole in told:
        print(f"{name}: {more:+.2f} ms on {whole:.2f} ms of the graph (at most {MOST_MS:g})")
    return int(any(more > MOST_MS for _, more, _ in told))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
