"""What a model is told while nobody is asking, and afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

_READ = "You answer questions about this:\n\n{text}"
NOT_THERE = "not in the text"
"""What a model writes that is shown less than all and does not find it."""
_LESS = (
    "You answer questions about a text that was shortened to this:\n\n{text}\n\n"
    f'If that does not say what is asked, write nothing but "{NOT_THERE}".'
)
_REWRITE = (
    "Rewrite that so that questions about it can be answered from your text alone, without "
    "thinking much. Keep every fact, name and number that a question may be about. Add what "
    "follows from them: totals, differences, comparisons, consequences. Write one fact a line, as "
    "short as you can. Write each calculation out, as in 2 * 3 + 1 = 7. Write nothing else."
)
_IMPROVE = (
    "This is a rewriting of it that you made before:\n\n{before}\n\nMake it better: add facts that "
    "are missing and what else follows from them, put right what is wrong, and shorten what is "
    "long. Write one fact a line, each calculation written out, and nothing else."
)
_THINK_OF = (
    "Which questions will people ask about that? Write the {count} most likely, one a line. Each "
    "must have one right answer that follows from the text alone, and must be understood by itself."
)
_BEFORE = "\n\nThese were asked before; write others that the same people may ask:\n{questions}"


def reading(
    text: str, messages: Sequence[BaseMessage], *, shortened: bool = False
) -> list[BaseMessage]:
    """A conversation about a context, or about what stands in for one."""
    told = _LESS if shortened else _READ
    return [SystemMessage(told.format(text=text)), *messages]


def rewriting(text: str, before: str | None) -> list[BaseMessage]:
    """The request for a dense version of a document, or for a better one.

    Args:
        text: the document.
        before: its dense version so far, or None.
    """
    told = _REWRITE if before is None else _IMPROVE.format(before=before)
    return reading(text, [HumanMessage(told)])


def thinking_of(text: str, *, count: int, known: Sequence[str]) -> list[BaseMessage]:
    """The request for questions that will be asked.

    Args:
        text: the context.
        count: how many.
        known: those that were asked, or are anticipated already.
    """
    told = _THINK_OF.format(count=count)
    if known:
        told += _BEFORE.format(questions="\n".join(f"- {question}" for question in known))
    return reading(text, [HumanMessage(told)])
