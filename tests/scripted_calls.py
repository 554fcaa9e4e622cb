"""Scripted chat models that call tools, from a list."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from tests.scripted import Call, Scripted, count

_CALLS = "CALLS "


def calling(*calls: tuple[str, dict[str, Any]]) -> str:
    """An answer for the list of `ScriptedCalls`: calls of tools by name, with their arguments."""
    return _CALLS + json.dumps([{"name": name, "args": args} for name, args in calls])


class ScriptedCalls(Scripted):
    """Answers from a list of texts and calls. All of its calls have the same few ids."""

    seen: list[Any] = Field(default_factory=list)
    ids: bool = True

    def bind_tools(self, tools, *, tool_choice=None, **options):
        told = [convert_to_openai_tool(one) for one in tools]
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=told, **choice, **options)

    def begin(self, messages: Sequence[BaseMessage], options: dict[str, Any]) -> tuple[Call, str]:
        call, text = super().begin(messages, options)
        self.seen.append((list(messages), dict(options)))
        for stop in options.get("stop") or ():
            text = text.partition(stop)[0]
        return call, text

    def calls_in(self, text: str) -> list[dict[str, Any]]:
        stated = json.loads(text.removeprefix(_CALLS)) if text.startswith(_CALLS) else []
        return [
            {**one, "id": f"call_{place}" if self.ids else None, "type": "tool_call"}
            for place, one in enumerate(stated)
        ]

    def _generate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        return super()._generate(messages, **options, stop=stop)

    async def _agenerate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        call, text = self.begin(messages, {**options, "stop": stop})
        try:
            await self.wait()
        except asyncio.CancelledError:
            self.end(call, "cancelled")
            raise
        return self.finish(call, text)

    def finish(self, call: Call, text: str) -> ChatResult:
        calls = self.calls_in(text)
        call.output_tokens = count(text)
        message = AIMessage(
            "" if calls else text, tool_calls=calls, usage_metadata=self.report(call)
        )
        self.end(call, "completed")
        return ChatResult(generations=[ChatGeneration(message=message)])


class Deciding(ScriptedCalls):
    """Says what `says` makes of what its prompt's tools have answered; None where it has none."""

    says: Any

    def begin(self, messages: Sequence[BaseMessage], options: dict[str, Any]) -> tuple[Call, str]:
        told = [str(each.text) for each in messages if each.type == "tool"]
        self.answers = [self.says(told if options.get("tools") else None, len(self.calls))]
        return super().begin(messages, options)


class StreamingCalls(ScriptedCalls):
    """The same, in chunks: arguments come in pieces."""

    chunk: int = 4
    pause: float = 0.0

    async def _astream(
        self, messages, stop=None, run_manager=None, **options
    ) -> AsyncIterator[ChatGenerationChunk]:
        call, text = self.begin(messages, {**options, "stop": stop})
        calls = self.calls_in(text)
        try:
            await self.wait()
            for piece in self.pieces("" if calls else text, calls):
                call.output_tokens = min(count(text), call.output_tokens + 1)
                yield ChatGenerationChunk(message=piece)
                await asyncio.sleep(self.pause)
        except (asyncio.CancelledError, GeneratorExit):
            self.end(call, "cancelled")
            raise
        call.output_tokens = count(text)
        usage = self.report(call)
        self.end(call, "completed")
        yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=usage))

    def pieces(self, text: str, calls: Sequence[dict[str, Any]]) -> list[AIMessageChunk]:
        pieces = [AIMessageChunk(part) for part in self.cut(text)]
        for place, one in enumerate(calls):
            parts = self.cut(json.dumps(one["args"]))
            for first, part in enumerate(parts):
                name, known = (one["name"], one["id"]) if first == 0 else (None, None)
                piece = tool_call_chunk(name=name, args=part, id=known, index=place)
                pieces.append(AIMessageChunk("", tool_call_chunks=[piece]))
        return pieces

    def cut(self, text: str) -> list[str]:
        return [text[start : start + self.chunk] for start in range(0, len(text), self.chunk)]
