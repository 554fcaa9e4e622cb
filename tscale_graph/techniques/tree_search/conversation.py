"""What nodes and words add to a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from tscale_graph.models.endpoint import Endpoint

if TYPE_CHECKING:  # a tree needs numpy, and words do not
    from tscale_graph.techniques.tree_search.state import Node

Continuation = Literal["auto", "prefill", "prompt"]
"""How a model is asked to go on: from an assistant message, in words, or as it is known for."""
CONTINUATIONS: tuple[Continuation, ...] = get_args(Continuation)

REST = (
    "This is the solution so far:\n\n{so_far}\n\n"
    "Write the rest of it, to the final answer. Do not repeat what is there."
)
"""What a model is told that does not go on from an assistant message, for all that is missing."""


def prefills(endpoint: Endpoint, continuation: Continuation) -> bool:
    """Whether the prompt ends with the solution so far, as an assistant message."""
    return endpoint.continues if continuation == "auto" else continuation == "prefill"


def with_words(messages: Sequence[BaseMessage], words: str) -> list[BaseMessage]:
    """The conversation with something more said by the user.

    In the same turn where it was the user's: some chat templates insist on turns that alternate.
    """
    last = messages[-1] if messages else None
    if isinstance(last, HumanMessage) and isinstance(last.content, str):
        further = f"{last.content}\n\n{words}"
        return [*messages[:-1], last.model_copy(update={"content": further})]
    return [*messages, HumanMessage(words)]


def going_on(
    messages: Sequence[BaseMessage], so_far: str, *, prefill: bool, words: str
) -> list[BaseMessage]:
    """The prompt for what comes after the beginning of a solution.

    Args:
        messages: the conversation, with the question.
        so_far: the beginning; "" for none.
        prefill: the prompt ends with it, as an assistant message.
        words: asks for it where the model does not go on from one; "{so_far}" stands for it.
    """
    if not so_far:
        return list(messages)
    if prefill:
        return [*messages, AIMessage(so_far)]
    return with_words(messages, words.format(so_far=so_far.strip()))


def what_came_new(text: str, so_far: str) -> str:
    """A completion without what it goes on from, which some servers repeat."""
    echoed = len(so_far) >= _ECHO and text.startswith(so_far)
    return text[len(so_far) :] if echoed else text


_ECHO = 8
"""A repetition of fewer characters may well be the model's own."""


def conversation(messages: Sequence[BaseMessage], trail: Sequence[Node]) -> list[BaseMessage]:
    """The conversation with everything that the nodes of a trail added to it."""
    return [*messages, *(message for node in trail for message in node.messages)]
