"""A scripted model that calls tools: it fills their arguments from the words of the question."""

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.scripted import Call, Streaming, count


class ToolCaller(Streaming):
    """Calls a tool where it is told to or its name is in the question, once; else it speaks."""

    thinks_of: str = "Because it was there."

    def bind_tools(self, tools, *, tool_choice=None, **options):
        shown = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=shown, tool_choice=tool_choice)

    def calls_for(self, messages: Sequence[BaseMessage], options: dict[str, Any]):
        tools, choice = options.get("tools") or [], options.get("tool_choice")
        asked = " ".join(str(m.text) for m in messages if m.type == "human")
        if not tools or isinstance(messages[-1], ToolMessage):
            return []
        forced = choice in ("any", "required", True) or isinstance(choice, dict)
        names = [tool["function"]["name"] for tool in tools]
        named = [one for one in names if choice == one or one.replace("_", " ") in asked.lower()]
        named += [one for one in names if one in asked and one not in named]
        if not named and not forced and choice not in names:
            named = [one for one in names if set(one.split("_")) & set(asked.lower().split())]
        if not named and not forced:
            return []
        name = named[0] if named else names[0]
        tool = next(tool["function"] for tool in tools if tool["function"]["name"] == name)
        fields = tool.get("parameters", {}).get("properties", {})
        given = {field: self.fill(told, asked) for field, told in fields.items()}
        return [{"name": name, "args": given, "id": f"call_{len(self.calls)}", "type": "tool_call"}]

    def fill(self, told: dict[str, Any], asked: str) -> Any:
        """A value for an argument, from the question."""
        kind = told.get("type", "string")
        if "enum" in told:
            return told["enum"][0]
        numbers = re.findall(r"\d+", asked)
        if kind in ("integer", "number"):
            return int(numbers[0]) if numbers else 1
        if kind == "array":
            return []
        if kind == "object":
            return {}
        quoted = re.search(r"[\"'“‘]([^\"'”’]+)[\"'”’]|name:? (\S+)", asked)
        found = [part for part in (quoted.groups() if quoted else ()) if part]
        return found[0].rstrip(".") if found else self.thinks_of

    def _generate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        call, text = self.begin(messages, options)
        return self.said(call, messages, text, options)

    async def _agenerate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        call, text = self.begin(messages, options)
        try:
            await self.wait()
        except BaseException:
            self.end(call, "cancelled")
            raise
        return self.said(call, messages, text, options)

    def said(self, call: Call, messages, text: str, options: dict[str, Any]) -> ChatResult:
        calls = self.calls_for(messages, options)
        if isinstance(messages[-1], ToolMessage):
            text = f"The answer is {messages[-1].text}"
        text = "" if calls else text
        call.output_tokens = count(text + json.dumps([one["args"] for one in calls]))
        message = AIMessage(text, tool_calls=calls, usage_metadata=self.report(call))
        self.end(call, "completed")
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(self, messages, stop=None, run_manager=None, **options):
        result = await self._agenerate(messages, stop, **options)
        yield self.whole(result.generations[0].message)

    def _stream(self, messages, stop=None, run_manager=None, **options):
        yield self.whole(self._generate(messages, stop, **options).generations[0].message)

    def whole(self, message: AIMessage) -> ChatGenerationChunk:
        chunks = [
            {"name": c["name"], "args": json.dumps(c["args"]), "id": c["id"], "index": place}
            for place, c in zip(itertools.count(), message.tool_calls, strict=False)
        ]
        chunk = AIMessageChunk(
            message.content, tool_call_chunks=chunks, usage_metadata=message.usage_metadata
        )
        return ChatGenerationChunk(message=chunk)
