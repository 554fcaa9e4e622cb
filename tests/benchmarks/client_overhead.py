"""What a client adds to a model's latency: ways of drawing N samples of one prompt, side by side.

    python -m tests.benchmarks.client_overhead --samples 64 256

Ratios of medians measured in turns in one run, against a server of fixed latency in a process of
its own: to that latency, and to `asyncio.gather` over `ChatOpenAI.ainvoke`; and the CPU time of
this process as a ratio to that of the same gather.
"""

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
import openai
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from rich.console import Console
from rich.table import Table

from tests.fake_server import Behaviour, FakeServer
from tscale_graph.models.plain_replies import with_plain_replies

QUESTION = "How many r's are in strawberry?"
BASELINE = "gather(ainvoke)"

Draw = Callable[[int], Awaitable[list[object]]]
"""Draws so many samples of the question."""


@asynccontextmanager
async def chat_openai(url: str, **settings: object) -> AsyncIterator[ChatOpenAI]:
    yield ChatOpenAI(model="fake", base_url=url, api_key="none", max_retries=0, **settings)


@asynccontextmanager
async def invoked(url: str) -> AsyncIterator[Draw]:
    async with chat_openai(url) as model:
        yield lambda samples: asyncio.gather(*(model.ainvoke(QUESTION) for _ in range(samples)))


@asynccontextmanager
async def streamed(url: str) -> AsyncIterator[Draw]:
    async with chat_openai(url) as model:

        async def one() -> list[object]:
            return [chunk async for chunk in model.astream(QUESTION)]

        yield lambda samples: asyncio.gather(*(one() for _ in range(samples)))


@asynccontextmanager
async def at_once(url: str) -> AsyncIterator[Draw]:
    async with chat_openai(url) as model:

        async def draw(samples: int) -> list[object]:
            result = await model.agenerate([[HumanMessage(QUESTION)]], n=samples, stream=False)
            return result.generations[0]

        yield draw


@asynccontextmanager
async def at_once_plain(url: str) -> AsyncIterator[Draw]:
    """As this library asks: the reply is read as plain JSON."""
    async with chat_openai(url) as model:
        plain = with_plain_replies(model)

        async def draw(samples: int) -> list[object]:
            result = await plain.agenerate([[HumanMessage(QUESTION)]], n=samples, stream=False)
            return result.generations[0]

        yield draw


@asynccontextmanager
async def over_aiohttp(url: str) -> AsyncIterator[Draw]:
    async with (
        openai.DefaultAioHttpClient() as client,
        chat_openai(url, http_async_client=client) as model,
    ):
        yield lambda samples: asyncio.gather(*(model.ainvoke(QUESTION) for _ in range(samples)))


@asynccontextmanager
async def its_hub(url: str, *, max_concurrency: int = 32) -> AsyncIterator[Draw]:
    from its_hub.api.types import ChatMessage
    from its_hub.core.lms.openai_lm import OpenAICompatibleLanguageModel
    from its_hub.core.orchestrator import LMOrchestrator

    orchestrator = LMOrchestrator(max_concurrency=max_concurrency)
    messages = [ChatMessage(role="user", content=QUESTION)]
    async with OpenAICompatibleLanguageModel(url, "none", "fake") as model:
        yield lambda samples: orchestrator.agenerate(model, [messages] * samples)


@asynccontextmanager
async def raw_aiohttp(url: str) -> AsyncIterator[Draw]:
    body = {"model": "fake", "messages": [{"role": "user", "content": QUESTION}]}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one() -> object:
            async with session.post(f"{url}/chat/completions", json=body) as response:
                return await response.json()

        yield lambda samples: asyncio.gather(*(one() for _ in range(samples)))


WAYS = {
    BASELINE: invoked,
    "gather(astream)": streamed,
    "agenerate(n=N)": at_once,
    "agenerate(n=N), plain JSON": at_once_plain,
    "gather(ainvoke), aiohttp transport": over_aiohttp,
    "its-hub, unlimited": partial(its_hub, max_concurrency=-1),
    "its-hub, its default of 32": its_hub,
    "raw aiohttp": raw_aiohttp,
}


@dataclass(frozen=True)
class Measured:
    """Medians of the rounds."""

    seconds: float
    cpu_seconds: float


async def measure(url: str, *, samples: int, groups: int, rounds: int) -> dict[str, Measured | str]:
    """Every way in turn, round after round; one that is not installed gives the reason instead."""
    found: dict[str, Measured | str] = {}
    async with AsyncExitStack() as stack:
        draws: dict[str, Draw] = {}
        for name, way in WAYS.items():
            try:
                draws[name] = await stack.enter_async_context(way(url))
            except ImportError as error:
                found[name] = f"skipped: {error}"
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in draws}
        for turn in range(rounds + 1):
            for name, draw in draws.items():
                spent = await _timed(draw, samples=samples, groups=groups)
                if turn > 0:
                    times[name].append(spent)
    for name, spent in times.items():
        seconds, cpu = (statistics.median(column) for column in zip(*spent, strict=True))
        found[name] = Measured(seconds, cpu)
    return {name: found[name] for name in WAYS}


async def _timed(draw: Draw, *, samples: int, groups: int) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    drawn = await asyncio.gather(*(draw(samples) for _ in range(groups)))
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if [len(group) for group in drawn] != [samples] * groups:
        raise RuntimeError(f"wanted {groups} groups of {samples} samples, got {drawn}")
    return spent


def table(measured: dict[str, Measured | str], *, title: str, latency: float) -> Table:
    """The ratios to one latency and to the baseline."""
    result = Table("way", "× latency", "× gather", "CPU × gather", title=title)
    baseline = measured[BASELINE]
    for name, row in measured.items():
        if isinstance(row, str):
            result.add_row(name, row, "", "")
            continue
        ratios = (
            row.seconds / latency,
            row.seconds / baseline.seconds,
            row.cpu_seconds / baseline.cpu_seconds,
        )
        result.add_row(name, *(f"{ratio:.2f}" for ratio in ratios))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--groups", type=int, default=32, help="concurrent groups of 8 samples")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    asyncio.run(compare(options))


async def compare(options: argparse.Namespace) -> None:
    """Measures and prints, in one event loop: ChatOpenAI's connections outlive no other."""
    sizes = [(samples, 1) for samples in options.samples] + [(8, options.groups)]
    with FakeServer(Behaviour(latency=options.latency)) as server:
        for samples, groups in sizes:
            measured = await measure(
                server.url, samples=samples, groups=groups, rounds=options.rounds
            )
            many = f"{groups} groups of " if groups > 1 else ""
            title = f"{many}{samples} samples, {options.latency * 1000:g} ms latency"
            Console(width=100).print(table(measured, title=title, latency=options.latency))


if __name__ == "__main__":
    main()
