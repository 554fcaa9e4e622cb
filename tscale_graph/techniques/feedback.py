"""What a model is told of an answer that it should better: the answer, and what was said of it."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

CHECKED = "That answer is not good enough yet. A checker gave it {score:.2f} of 1.00{feedback}"
"""What a model is told of an answer that a verifier scored."""
CRITICISED = "That answer is not good enough yet{feedback}"
"""What it is told of one without a score."""
BETTER = "Give a better answer, complete and in the same form."
"""What it is asked for then."""
UNREADABLE = (
    "There is no final answer in that which could be read{cut}. "
    "Answer again, completely, and end with the final answer."
)
"""What it is told of a text without an answer."""
_CHECKER_CHARACTERS = 600
"""The most of a verifier's feedback that a model is told."""


def to_better(
    text: str, *, score: float | None, feedback: str, tried: Sequence[str] = ()
) -> list[BaseMessage]:
    """An answer as the model's own turn, and the words that ask for a better one.

    Args:
        text: all of the answer.
        score: what a verifier gave it, in [0, 1]; None where the feedback is the model's own.
        feedback: what was said of it; "" for nothing. Of a verifier's, the first 600 characters.
        tried: other answers that are known to be no better, as they are to be told.
    """
    if score is None:
        said = f": {_sentence(feedback)}" if feedback else "."
        told = CRITICISED.format(feedback=said)
    else:
        note = feedback[:_CHECKER_CHARACTERS]
        said = f" and said: {_sentence(note)}" if note else "."
        told = CHECKED.format(score=score, feedback=said)
    others = f" These were tried and are no better: {', '.join(tried)}." if tried else ""
    return [AIMessage(text), HumanMessage(f"{told}{others} {BETTER}")]


def to_answer_at_last(text: str, *, truncated: bool) -> list[BaseMessage]:
    """A text without an answer as the model's own turn, and the words that ask for one."""
    cut = ", and it was cut short" if truncated else ""
    return [AIMessage(text), HumanMessage(UNREADABLE.format(cut=cut))]


def _sentence(words: str) -> str:
    return words if words[-1] in ".!?" else f"{words}."
