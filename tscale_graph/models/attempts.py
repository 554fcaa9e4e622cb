"""One request to a model: sent, awaited or streamed, and given up on at the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import ensure_config

from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import Failure, failure
from tscale_graph.models.replies import read_message
from tscale_graph.models.threads import in_thread, stream_in_thread

OnText = Callable[[str], None]

_CANCEL_GRACE_SECONDS = 0.1
"""How long a cancelled call may take to let go before it is left behind."""


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
        on_text: called with each piece of text as it arrives.
    """

    messages: Sequence[BaseMessage]
    n: int = 1
    max_output_tokens: int = 1024
    temperature: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    logprobs: int | None = None
    stream: bool = False
    on_text: OnText | None = None


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
        cut: we ended it because it went over its limit.
        failure: what went wrong, or None.
    """

    endpoint: Endpoint
    request: Request
    limit: int
    prompt_bound: int
    messages: list[BaseMessage] = field(default_factory=list[BaseMessage])
    chunks: list[AIMessageChunk] = field(default_factory=list[AIMessageChunk])
    cut: bool = False
    failure: Failure | None = None


async def run(attempt: Attempt, seconds: float | None) -> bool:
    """Run one attempt; whether the deadline ended it. Failures are kept in the attempt."""
    if seconds is not None and seconds <= 0:
        attempt.failure = Failure(
            "the deadline had passed", transient=False, fate_known=True, sent=False
        )
        return True
    work = asyncio.ensure_future(_stream(attempt) if _streams(attempt) else _generate(attempt))
    try:
        done, _ = await asyncio.wait({work}, timeout=seconds)
    except asyncio.CancelledError:
        await _abandon(work)
        raise
    if not done:
        await _abandon(work)
        attempt.failure = Failure("cut off at the deadline", transient=False, fate_known=False)
        return True
    error = None if work.cancelled() else work.exception()
    if work.cancelled():
        attempt.failure = Failure("the call was cancelled", transient=False, fate_known=False)
    elif error is not None:
        if not isinstance(error, Exception):
            raise error
        attempt.failure = failure(error)
    return False


async def _abandon(work: asyncio.Future[None]) -> None:
    """Cancel, and wait only briefly for a call that does not let go."""
    work.cancel()
    await asyncio.wait({work}, timeout=_CANCEL_GRACE_SECONDS)
    if not work.done():
        work.add_done_callback(_forget)
    else:
        _forget(work)


def _forget(work: asyncio.Future[None]) -> None:
    """Take the outcome of an abandoned call, so that asyncio does not warn of it."""
    if not work.cancelled():
        work.exception()


def _streams(attempt: Attempt) -> bool:
    endpoint, request = attempt.endpoint, attempt.request
    if request.n > 1 or not endpoint.streams:
        return False
    return request.stream or request.on_text is not None or not endpoint.honours_limit


async def _generate(attempt: Attempt) -> None:
    """One request, answered in one piece."""
    model, options = _call(attempt)
    prompt = [list(attempt.request.messages)]
    config = ensure_config()
    tracing: dict[str, Any] = {
        "callbacks": config.get("callbacks"),
        "tags": config.get("tags"),
        "metadata": config.get("metadata"),
    }
    if attempt.endpoint.synchronous_only:
        result = await in_thread(lambda: model.generate(prompt, **tracing, **options))
    else:
        result = await cast(Awaitable[LLMResult], model.agenerate(prompt, **tracing, **options))
    attempt.messages = [cast(Any, generation).message for generation in result.generations[0]]
    if attempt.request.on_text is not None:
        attempt.request.on_text(str(attempt.messages[0].text))


async def _stream(attempt: Attempt) -> None:
    """One request, taken in chunks and cut off where it goes over its limit."""
    model, options = _call(attempt)
    prompt = list(attempt.request.messages)
    if attempt.endpoint.synchronous_only:
        stream = stream_in_thread(lambda: model.stream(prompt, **options))
    else:
        stream = model.astream(prompt, **options)
    gauge = None if attempt.endpoint.honours_limit else _Gauge(attempt)
    try:
        async with aclosing(cast(Any, stream)) as chunks:
            async for chunk in cast(AsyncIterator[AIMessageChunk], chunks):
                attempt.chunks.append(chunk)
                if attempt.request.on_text is not None:
                    attempt.request.on_text(str(chunk.text))
                if gauge is not None and gauge.full(chunk):
                    attempt.cut = True
                    return
    except ValueError as error:
        # LangChain's way of saying that the model answered with nothing at all.
        if attempt.chunks or "No generation chunks" not in str(error):
            raise
        attempt.messages = [AIMessage("")]


def _call(attempt: Attempt) -> tuple[Any, dict[str, Any]]:
    request = attempt.request
    return attempt.endpoint.request(
        max_output_tokens=attempt.limit,
        n=request.n,
        temperature=request.temperature,
        seed=request.seed,
        stop=request.stop,
        logprobs=request.logprobs,
    )


class _Gauge:
    """Counts a stream as it comes, without counting all of it again for each chunk.

    The tokens of the pieces bound those of the whole from above, so the whole is counted only
    when that bound reaches the limit.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._count = attempt.endpoint.counter.text
        self._limit = attempt.limit
        self._text = ""
        self._bound = 0

    def full(self, chunk: AIMessageChunk) -> bool:
        """Whether the limit has been reached and more would go over it."""
        completion = read_message(chunk)
        piece = completion.reasoning + completion.text
        self._text += piece
        self._bound += self._count(piece)
        if self._bound < self._limit:
            return False
        self._bound = self._count(self._text)
        return self._bound >= self._limit
