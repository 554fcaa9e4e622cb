"""What lies between a conversation with a chat model and one with a graph: ids, and chunks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk


def told_apart(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Copies, since a graph gives messages ids and takes those of one id for one message."""
    seen: set[str] = set()
    copies: list[BaseMessage] = []
    for message in messages:
        own = message.id if message.id and message.id not in seen else None
        seen.update([own] if own else [])
        copies.append(message.model_copy(update={"id": own}))
    return copies


def with_call_ids(calls: Sequence[ToolCall], taken: set[str | None]) -> list[ToolCall]:
    """The calls, each with an id that no other call of the conversation has."""
    made: list[ToolCall] = []
    for call in calls:
        known = call["id"] and call["id"] not in taken
        own = call["id"] if known else f"call_{uuid.uuid4().hex}"
        taken.add(own)
        made.append(ToolCall({**call, "id": own, "type": "tool_call"}))
    return made


def as_chunk(message: AIMessage) -> ChatGenerationChunk:
    """The whole message as the one chunk of a stream."""
    calls = [
        tool_call_chunk(
            name=call["name"],
            args=json.dumps(call["args"]),
            id=call["id"],
            index=place,
        )
        for place, call in enumerate(message.tool_calls)
    ]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=message.content,
            additional_kwargs=message.additional_kwargs,
            response_metadata=message.response_metadata,
            usage_metadata=message.usage_metadata,
            tool_call_chunks=calls,
            chunk_position="last",
        )
    )
