"""Chat models that do as they are told: for tests of behaviour, never for a result.

Their tokenizer is one token for every four characters begun. They keep a ledger of what they did,
so that a test can hold a run's accounts against it.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

TEMPLATE_TOKENS = 4
REPLY_TOKENS = 3


def count(text: str) -> int:
    return -(-len(text) // 4)


class ScriptedFailure(RuntimeError):
    """A provider that refuses: nothing was done, and nothing is billed."""

    status_code = 403


class Call:
    """One call, as the model saw it."""

    def __init__(self, prompt_tokens: int, max_tokens: int | None) -> None:
        self.prompt_tokens = prompt_tokens
        self.max_tokens = max_tokens
        self.output_tokens = 0
        self.fate = "in_flight"

    @property
    def billed(self) -> int:
        return 0 if self.fate == "failed" else self.prompt_tokens + self.output_tokens


class Scripted(BaseChatModel):
    """Answers from a list, in order or drawn with a seed; async, in one piece."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: Sequence[str] = ("The answer is 3",)
    draws: random.Random | None = None
    delay: float = 0.0
    fail: float = 0.0
    hang: float = 0.0
    ignore_limit: bool = False
    usage: str = "right"
    calls: list[Any] = Field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    model_name: str = "scripted"
    temperature: float | None = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def get_num_tokens(self, text: str) -> int:
        return count(text)

    def prompt_tokens(self, messages: Sequence[BaseMessage]) -> int:
        return sum(count(str(m.text)) + TEMPLATE_TOKENS for m in messages) + REPLY_TOKENS

    def draw(self, low: float = 0.0, high: float = 1.0) -> float:
        return (self.draws or random).uniform(low, high)

    def begin(self, messages: Sequence[BaseMessage], options: dict[str, Any]) -> tuple[Call, str]:
        call = Call(self.prompt_tokens(messages), options.get("max_tokens"))
        text = (
            self.draws.choice(list(self.answers))
            if self.draws
            else self.answers[len(self.calls) % len(self.answers)]
        )
        self.calls.append(call)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if self.draw() < self.fail:
            call.fate = "failed"
            self.in_flight -= 1
            raise ScriptedFailure("the scripted failure")
        if not self.ignore_limit and call.max_tokens is not None:
            text = text[: 4 * call.max_tokens]
        return call, text

    def end(self, call: Call, fate: str) -> None:
        call.fate = fate
        self.in_flight -= 1

    def report(self, call: Call) -> dict[str, int] | None:
        if self.usage == "none":
            return None
        reported = {"right": call.output_tokens, "zero": 0, "under": call.output_tokens // 2}
        output = reported.get(self.usage, 2 * call.output_tokens)
        if self.usage == "over":
            call.output_tokens = output  # what it bills is what it says
        prompt = 0 if self.usage == "zero" else call.prompt_tokens
        return {
            "input_tokens": prompt,
            "output_tokens": output,
            "total_tokens": prompt + output,
        }

    async def wait(self) -> None:
        if self.draw() < self.hang:
            await asyncio.sleep(60)
        await asyncio.sleep(self.delay)

    def _generate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        call, text = self.begin(messages, options)
        time.sleep(60 if self.draw() < self.hang else self.delay)
        return self.finish(call, text)

    async def _agenerate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        call, text = self.begin(messages, options)
        try:
            await self.wait()
        except asyncio.CancelledError:
            self.end(call, "cancelled")
            raise
        return self.finish(call, text)

    def finish(self, call: Call, text: str) -> ChatResult:
        call.output_tokens = count(text)
        message = AIMessage(text, usage_metadata=self.report(call))
        self.end(call, "completed")
        return ChatResult(generations=[ChatGeneration(message=message)])


class Streaming(Scripted):
    """The same, in chunks of a given number of characters."""

    chunk: int = 4
    pause: float = 0.0

    async def _astream(
        self, messages, stop=None, run_manager=None, **options
    ) -> AsyncIterator[ChatGenerationChunk]:
        call, text = self.begin(messages, options)
        try:
            await self.wait()
            for start in range(0, len(text), self.chunk):
                call.output_tokens = count(text[: start + self.chunk])
                yield chunk(text[start : start + self.chunk])
                await asyncio.sleep(self.pause)
        except (asyncio.CancelledError, GeneratorExit):
            self.end(call, "cancelled")
            raise
        usage = self.report(call)
        self.end(call, "completed")
        yield chunk("", usage)


class Synchronous(Scripted):
    """The same, without any asynchronous side."""

    _agenerate = BaseChatModel._agenerate


class SynchronousStreaming(Synchronous):
    """Synchronous only, in chunks."""

    chunk: int = 4

    def _stream(
        self, messages, stop=None, run_manager=None, **options
    ) -> Iterator[ChatGenerationChunk]:
        call, text = self.begin(messages, options)
        time.sleep(60 if self.draw() < self.hang else self.delay)
        try:
            for start in range(0, len(text), self.chunk):
                call.output_tokens = count(text[: start + self.chunk])
                yield chunk(text[start : start + self.chunk])
        except GeneratorExit:
            self.end(call, "cancelled")
            raise
        usage = self.report(call)
        self.end(call, "completed")
        yield chunk("", usage)


def chunk(text: str, usage: dict[str, int] | None = None) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text, usage_metadata=usage))
