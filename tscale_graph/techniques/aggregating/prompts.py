"""What a model is asked for a better answer than those that it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

SHOWN = "{named} to the request above, from earlier attempts. {may_be} wrong or incomplete."
"""How candidates are introduced."""
BETTER_THAN_ALL = (
    "Now write one better solution yourself. Check their reasoning, keep and combine what is "
    "right, and where they disagree, find out which is right; if all are wrong, solve it in "
    "another way. Do not mention them. Answer completely, in the form that was asked for."
)
"""What is asked for after several."""
BETTER_THAN_ONE = (
    "Now write a better solution yourself. Check its reasoning, keep what is right and correct "
    "what is not; if it is altogether wrong, solve it in another way. Do not mention it. "
    "Answer completely, in the form that was asked for."
)
"""What is asked for after one."""


def to_aggregate(messages: Sequence[BaseMessage], texts: Sequence[str]) -> list[BaseMessage]:
    """The conversation, its last question followed by candidate solutions and what to make of them.

    Within the last message where that is the user's, because some chat templates refuse two of
    the user's turns in a row.

    Args:
        messages: the conversation as the model gets it, at least one message.
        texts: the solutions, at least one.
    """
    asked = "\n\n".join(
        [
            SHOWN.format(named="These are candidate solutions", may_be="Any of them may be")
            if len(texts) > 1
            else SHOWN.format(named="This is a candidate solution", may_be="It may be"),
            *(f"Candidate {n}:\n{text.strip()}" for n, text in enumerate(texts, start=1)),
            BETTER_THAN_ALL if len(texts) > 1 else BETTER_THAN_ONE,
        ]
    )
    *before, last = messages
    if not isinstance(last, HumanMessage):
        return [*messages, HumanMessage(asked)]
    content: str | list[str | dict[Any, Any]] = (
        f"{last.content}\n\n{asked}"
        if isinstance(last.content, str)
        else [*last.content, {"type": "text", "text": asked}]
    )
    return [*before, last.model_copy(update={"content": content})]
