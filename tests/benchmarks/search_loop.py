"""What the loop of a tree search adds to the calls that it makes.

    python -m tests.benchmarks.search_loop

`ab_mcts` with eight expansions a round, an in-memory checkpointer, and a model and a verifier that
take no time. Printed is the processor time of a round at 100 and at 1,000 nodes, in milliseconds
(medians), beside that of the same eight calls alone: of the chat model itself, and under leases.
Exits with 1 when a round at 1,000 nodes adds more than 5 ms to the calls under leases.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.techniques.searching import Told
from tscale_graph import Budget, ab_mcts
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint

BATCH = 8
NODES = 1_200
TARGET = 5.0
"""Milliseconds that a round should add at most."""
ASKED = [HumanMessage("How many?")]


@dataclass(frozen=True)
class Rounds:
    """Milliseconds of processor time: of rounds, and of their calls alone."""

    early: float
    late: float
    calls: float
    leased: float

    @property
    def adds(self) -> float:
        """What a late round adds to its calls under leases."""
        return self.late - self.leased

    def __str__(self) -> str:
        missed = " MISSED" if self.adds > TARGET else ""
        return (
            f"a round of {BATCH}: {self.early:.1f} ms at 100 nodes, {self.late:.1f} ms at 1,000; "
            f"its calls alone {self.calls:.1f} ms, under leases {self.leased:.1f} ms; "
            f"the loop adds {self.adds:.1f} ms (target {TARGET:.0f}){missed}"
        )


async def score(question: str, answer: str) -> float:
    return int(answer) * 7919 % 997 / 1000


def model() -> Told:
    return Told(decide=lambda prompt, number: f"The answer is {number}")


async def rounds(nodes: int) -> list[tuple[int, float]]:
    """The number of nodes before each round, and the milliseconds that it took."""
    searching = ab_mcts(
        model(), score, max_nodes=nodes, batch=BATCH, answer="number", seed=1
    ).compile(checkpointer=InMemorySaver())
    request = {"messages": ASKED, "budget": Budget(calls=10 * nodes)}
    took: list[tuple[int, float]] = []
    known, before = 0, time.process_time()
    config = {"configurable": {"thread_id": "one"}}
    async for update in searching.astream(request, config, stream_mode="updates"):
        if "backup" in update:
            now = time.process_time()
            took.append((known, 1e3 * (now - before)))
            known, before = known + len(update["backup"]["nodes"]), now
    return took


async def alone(call: Callable[[], Awaitable[object]], *, times: int = 60) -> float:
    """The median milliseconds of a batch of calls, side by side."""
    took: list[float] = []
    for _ in range(times):
        before = time.process_time()
        await asyncio.gather(*(call() for _ in range(BATCH)))
        took.append(1e3 * (time.process_time() - before))
    return statistics.median(took)


async def measure(nodes: int = NODES) -> Rounds:
    took = await rounds(nodes)
    asked = model()
    metered = endpoint(asked)
    request = Request(messages=ASKED, max_output_tokens=1024, prompt_tokens=20)
    lease = Budget(calls=3, tokens=2_000)
    return Rounds(
        early=statistics.median(ms for known, ms in took if 50 <= known < 150),
        late=statistics.median(ms for known, ms in took if known >= nodes - 300),
        calls=await alone(lambda: asked.ainvoke(ASKED)),
        leased=await alone(lambda: complete(metered, request, lease)),
    )


def main() -> int:
    """Measure twice, for machines are noisy; the better one counts. The exit status."""
    both = [asyncio.run(measure()) for _ in range(2)]
    better = min(both, key=lambda one: one.adds)
    print(better)
    return 1 if better.adds > TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
