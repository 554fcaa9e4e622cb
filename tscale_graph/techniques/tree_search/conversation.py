"""What nodes and words add to a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from tscale_graph.techniques.tree_search.state import Node


def with_words(messages: Sequence[BaseMessage], words: str) -> list[BaseMessage]:
    """The conversation with something more said by the user.

    In the same turn where it was the user's: some chat templates insist on turns that alternate.
    """
    last = messages[-1] if messages else None
    if isinstance(last, HumanMessage) and isinstance(last.content, str):
        further = f"{last.content}\n\n{words}"
        return [*messages[:-1], last.model_copy(update={"content": further})]
    return [*messages, HumanMessage(words)]


def conversation(messages: Sequence[BaseMessage], trail: Sequence[Node]) -> list[BaseMessage]:
    """The conversation with everything that the nodes of a trail added to it."""
    return [*messages, *(message for node in trail for message in node.messages)]
