"""One request to a model: sent, awaited or streamed, and given up on at the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import RunnableConfig, ensure_config, merge_configs
from langgraph.constants import TAG_NOSTREAM

from tscale_graph.models.clients import on_running_loop
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import Failure, failure
from tscale_graph.models.plain_replies import with_plain_replies
from tscale_graph.models.replies import read_confidences, read_spoken
from tscale_graph.models.threads import in_thread, stream_in_thread
from tscale_graph.models.waiting import UNWANTED, abandon, until
from tscale_graph.votes import RunningConfidence

OnChunk = Callable[[AIMessageChunk], None]
STREAM_SAMPLES = "stream_samples"
"""In `config["configurable"]`: true streams the tokens of all calls, not just the final answer."""

Cut = Literal["limit", "confidence", "unwanted"]
"""Why we ended a call: over its limit, too unsure of itself, or not wanted any more."""


@dataclass(frozen=True, slots=True)
class ConfidenceFloor:
    """How sure a model must stay of itself for its reply to be worth waiting for.

    Attributes:
        lowest_group: the least confidence of any group of tokens.
        window: tokens in a group.
    """

    lowest_group: float
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask of a model.

    Attributes:
        messages: the prompt.
        n: completions wanted; more than one only where the provider shares the prompt.
        max_output_tokens: the most tokens of one completion, its reasoning included.
        temperature: sampling temperature, where the model has one.
        seed: for providers that take one.
        stop: sequences that end the text.
        logprobs: None does not ask for log-probabilities, 0 for those of the tokens that were
            chosen, k also for those of the k most likely at each place.
        stream: take the reply in chunks even where no limit needs it.
        stream_usage: ask for the usage at the end of a stream; None does not.
        on_chunk: called with each piece of the reply as it arrives, where it is streamed.
        floor: cut the stream off where the model becomes less sure than this.
        prompt_tokens: what the prompt counts, where the caller knows: what the provider counted
            for it before, or an upper bound.
        thinking: tokens of thought that the provider is asked for natively, 0 for none; None
            leaves it to the model.
        answer_tokens: of the output tokens, those that no thought may have.
        goes_on: after a stop, the node that asks this asks the same things in the same order, so
            that a technique in the model's place can go on where it was.
        begun: it was begun on it before.
    """

    messages: Sequence[BaseMessage]
    n: int = 1
    max_output_tokens: int = 1024
    temperature: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    logprobs: int | None = None
    stream: bool = False
    stream_usage: Literal[True] | None = True
    on_chunk: OnChunk | None = None
    floor: ConfidenceFloor | None = None
    prompt_tokens: int | None = None
    thinking: int | None = None
    answer_tokens: int = 0
    goes_on: bool = False
    begun: bool = False


@dataclass(slots=True)
class Attempt:
    """One request on the wire: what is known of it as it goes on.

    Attributes:
        endpoint: the model.
        request: what was asked.
        limit: the output limit that each completion was given.
        prompt_bound: the most that the prompt can count.
        messages: the reply, when it came in one piece.
        chunks: what has arrived of it, when it comes in chunks.
        cut: why we ended a stream ourselves, or None.
        failure: what went wrong, or None.
    """

    endpoint: Endpoint
    request: Request
    limit: int
    prompt_bound: int
    messages: list[BaseMessage] = field(default_factory=list[BaseMessage])
    chunks: list[AIMessageChunk] = field(default_factory=list[AIMessageChunk])
    cut: Cut | None = None
    failure: Failure | None = None


async def run(
    attempt: Attempt, seconds: float | None, *, halts: Sequence[asyncio.Event] = ()
) -> bool:
    """Run one attempt; whether the deadline ended it. Failures are kept in the attempt.

    Args:
        attempt: what to send.
        seconds: when to give up, from now, or None.
        halts: one of them is set when the reply is not wanted any more.
    """
    if seconds is not None and seconds <= 0:
        attempt.failure = Failure(
            "the deadline had passed", transient=False, fate_known=True, sent=False
        )
        return True
    work = asyncio.ensure_future(_stream(attempt) if _streams(attempt) else _generate(attempt))
    await until(work, seconds=seconds, halts=halts)
    if not work.done():
        await abandon(work)
        unwanted = any(halt.is_set() for halt in halts)
        attempt.cut = "unwanted" if unwanted else None
        reason = UNWANTED if unwanted else "cut off at the deadline"
        attempt.failure = Failure(reason, transient=False, fate_known=False)
        return not unwanted
    error = None if work.cancelled() else work.exception()
    if work.cancelled():
        attempt.failure = Failure("the call was cancelled", transient=False, fate_known=False)
    elif error is not None:
        if not isinstance(error, Exception):
            raise error
        attempt.failure = failure(error)
    return False


def _streams(attempt: Attempt) -> bool:
    endpoint, request = attempt.endpoint, attempt.request
    if request.n > 1 or not endpoint.streams:
        return False
    return request.stream or request.on_chunk is not None or request.floor is not None


async def _generate(attempt: Attempt) -> None:
    """One request, answered in one piece."""
    model, options = await _call(attempt)
    model = with_plain_replies(model)
    prompt = [list(attempt.request.messages)]
    config = _config(attempt)
    tracing: dict[str, Any] = {
        "callbacks": config.get("callbacks"),
        "tags": config.get("tags"),
        "metadata": config.get("metadata"),
        "run_name": config.get("run_name"),
    }
    if attempt.endpoint.generates_in_thread:
        result = await in_thread(lambda: model.generate(prompt, **tracing, **options))
    else:
        result = await cast(Awaitable[LLMResult], model.agenerate(prompt, **tracing, **options))
    attempt.messages = [cast(Any, generation).message for generation in result.generations[0]]


async def _stream(attempt: Attempt) -> None:
    """One request, taken in chunks and cut off where it goes over its limit."""
    model, options = await _call(attempt)
    prompt, config = list(attempt.request.messages), _config(attempt)
    if attempt.endpoint.streams_in_thread:
        stream = stream_in_thread(lambda: model.stream(prompt, config, **options))
    else:
        stream = model.astream(prompt, config, **options)
    gauges = _gauges(attempt)
    attempt.endpoint.counter.load_soon()
    try:
        async with aclosing(cast(Any, stream)) as chunks:
            async for chunk in cast(AsyncIterator[AIMessageChunk], chunks):
                attempt.chunks.append(chunk)
                if attempt.request.on_chunk is not None:
                    attempt.request.on_chunk(chunk)
                for reason, gauge in gauges.items():
                    if gauge.full(chunk):
                        attempt.cut = reason
                        return
    except ValueError as error:
        # LangChain's way of saying that the model answered with nothing at all.
        if attempt.chunks or "No generation chunks" not in str(error):
            raise
        attempt.messages = [AIMessage("")]


def _config(attempt: Attempt) -> RunnableConfig:
    """The run that this call is part of, and what the user configured the model with.

    Its tokens are not for those who stream the run's messages, unless they ask for all samples.
    """
    config = merge_configs(ensure_config(), attempt.endpoint.config)
    if (config.get("configurable") or {}).get(STREAM_SAMPLES):
        return config
    return merge_configs(config, {"tags": [TAG_NOSTREAM]})


async def _call(attempt: Attempt) -> tuple[Any, dict[str, Any]]:
    request, thinking = attempt.request, attempt.request.thinking
    if thinking is not None:
        thinking = max(0, min(thinking, attempt.limit - request.answer_tokens))
    model, options = attempt.endpoint.request(
        max_output_tokens=attempt.limit,
        n=request.n,
        temperature=request.temperature,
        seed=request.seed,
        stop=request.stop,
        logprobs=request.logprobs,
        stream_usage=request.stream_usage is True,
        thinking=thinking,
    )
    return await on_running_loop(model), options


class _Gauge(Protocol):
    """Watches a stream as it comes."""

    def full(self, chunk: AIMessageChunk) -> bool:
        """Whether the stream should end here."""
        ...


def _gauges(attempt: Attempt) -> dict[Cut, _Gauge]:
    gauges: dict[Cut, _Gauge] = {}
    if not attempt.endpoint.honours_limit:
        gauges["limit"] = _LengthGauge(attempt)
    if attempt.request.floor is not None:
        gauges["confidence"] = _ConfidenceGauge(attempt.request.floor)
    return gauges


class _ConfidenceGauge:
    """Tells when a model has become less sure of itself than the least sure that may vote."""

    def __init__(self, floor: ConfidenceFloor) -> None:
        self._running = RunningConfidence(threshold=floor.lowest_group, window=floor.window)

    def full(self, chunk: AIMessageChunk) -> bool:
        """Whether the confidence of the last group of tokens is below the floor."""
        return any(self._running.feed(token) for token in read_confidences(chunk))


class _LengthGauge:
    """Counts a stream as it comes, without counting all of it again for each chunk.

    The bounds of the pieces bound the whole, so that is counted only when they reach the limit. A
    stream that is just as long as its limit may be over: what ends it may have the usage.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._counter = attempt.endpoint.counter
        self._limit = attempt.limit
        self._text = ""
        self._bound = 0
        self._reached = False

    def full(self, chunk: AIMessageChunk) -> bool:
        """Whether the limit has been reached and more would go over it."""
        piece = read_spoken(chunk)
        more, self._text = self._reached and bool(piece), self._text + piece
        self._bound += self._counter.text_bound(piece)
        if self._bound < self._limit:
            return False
        self._bound = self._counter.text(self._text)
        self._reached = self._bound >= self._limit
        return more or self._bound > self._limit
