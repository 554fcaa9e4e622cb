"""How much the library adds: ratios beside bare asyncio on the same model, all in one run.

    python -m tests.benchmarks.speed

A local server in a process of its own answers after 50 ms. The ways are taken in turn; printed is
the median of 9 of each pair's ratio. A ratio above its target is measured once more, for machines
are noisy, and the better one counts. Exits with 1 when a target is missed.
"""

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tscale_graph import Budget, self_consistency

LATENCY = 0.05
TIMES = 9
QUESTION = "How many r's are in strawberry?"

Way = Callable[[], Awaitable[object]]


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request."""


def technique(model, samples: int, **limits) -> Way:
    graph = self_consistency(model, max_samples=samples, stop="fixed", temperature=None).compile()
    budget = Budget(calls=1_000, **limits)

    async def run():
        return await graph.ainvoke({"messages": [("user", QUESTION)], "budget": budget})

    return run


def gathered(way: Way, count: int) -> Way:
    async def run():
        return await asyncio.gather(*(way() for _ in range(count)))

    return run


def bare(model) -> Way:
    async def run():
        return await model.ainvoke([HumanMessage(QUESTION)])

    return run


def bare_stream(model) -> Way:
    async def run():
        return [chunk async for chunk in model.astream([HumanMessage(QUESTION)])]

    return run


@asynccontextmanager
async def its_hub(url: str) -> AsyncIterator[Way | None]:
    """64 samples of its-hub, a peer, with no limit on concurrency; None where it is missing."""
    if find_spec("its_hub") is None or find_spec("backoff") is None:
        yield None
        return
    from its_hub.api.types import ChatMessage
    from its_hub.core.lms.openai_lm import OpenAICompatibleLanguageModel
    from its_hub.core.orchestrator import LMOrchestrator

    orchestrator = LMOrchestrator(max_concurrency=-1)
    messages = [ChatMessage(role="user", content=QUESTION)]
    async with OpenAICompatibleLanguageModel(url, "none", "fake") as model:

        async def run():
            return await orchestrator.agenerate(model, [messages] * 64)

        yield run


async def timed(way: Way) -> float:
    gc.collect()  # or whoever comes later pays for what an earlier one left
    started = time.perf_counter()
    await way()
    return time.perf_counter() - started


async def ratio(ours: Way, theirs: Way | None) -> float:
    """The median over pairs of our time to theirs; to one latency where there is no peer."""
    await ours()
    if theirs is not None:
        await theirs()
    ratios = []
    for _ in range(TIMES):
        mine = await timed(ours)
        ratios.append(mine / (LATENCY if theirs is None else await timed(theirs)))
    return statistics.median(ratios)


@dataclass(frozen=True)
class Measured:
    """A ratio, and the most that it should be; None where it is only shown."""

    name: str
    ratio: float
    target: float | None

    def __str__(self) -> str:
        return f"{self.name}: {self.ratio:.2f}" + (
            f" (target {self.target})" if self.target else ""
        )

    @property
    def missed(self) -> bool:
        """Whether it is above its target."""
        return self.target is not None and self.ratio > self.target


async def measured(name: str, ours: Way, theirs: Way | None, target: float | None) -> Measured:
    """The ratio of two ways; the better of two where the first misses its target."""
    first = Measured(name, await ratio(ours, theirs), target)
    if not first.missed:
        return first
    return Measured(name, min(first.ratio, await ratio(ours, theirs)), target)


async def measure() -> AsyncIterator[Measured]:
    """Every way in turn."""
    with FakeServer(Behaviour(latency=LATENCY)) as server:
        settings = {"model": "fake", "base_url": server.url, "api_key": "none"}
        together, alone = ChatOpenAI(**settings), OneByOne(**settings)
        ways: list[tuple[str, Way, Way | None, float | None]] = [
            ("64 samples, one request, beside one latency", technique(together, 64), None, 1.3),
            ("64 samples, 64 calls, beside bare ainvoke", technique(alone, 64),
             gathered(bare(alone), 64), 1.25),
            ("64 samples, 64 streams, beside bare astream", technique(alone, 64, seconds=60),
             gathered(bare_stream(alone), 64), 1.25),
            ("32 requests of 8 samples, beside bare ainvoke", gathered(technique(alone, 8), 32),
             gathered(bare(alone), 256), 1.5),
            ("32 requests of 8 samples, one call each, beside bare ainvoke",
             gathered(technique(together, 8), 32), gathered(bare(alone), 256), None),
        ]  # fmt: skip
        async with its_hub(server.url) as peer:
            if peer is not None:
                ours = technique(together, 64)
                ways.append(("64 samples, one request, beside its-hub", ours, peer, None))
            for way in ways:
                yield await measured(*way)


async def main() -> int:
    """Print each ratio with its target; the exit status."""
    missed = 0
    async for each in measure():
        print(f"{each}{' MISSED' if each.missed else ''}", flush=True)
        missed += each.missed
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
