"""Finding the final answer in a text, and deciding when two answers are the same.

A kind of answer extracts and makes canonical: two answers are the same when their keys are
equal, so sameness is an equivalence relation whatever the texts. Nothing here raises on what a
model wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from tscale_graph.answers.numbers import Number
from tscale_graph.answers.picking import asked_for, looked_like
from tscale_graph.answers.solutions import Solution
from tscale_graph.answers.structured import Code, Json
from tscale_graph.answers.symbolic import Math, require_math_verify
from tscale_graph.answers.words import Choice, Custom, Text

__all__ = ["ANSWER_KINDS", "AnswerKind", "answer_kind", "pick_answer_kind", "same_answer"]


@runtime_checkable
class AnswerKind(Protocol):
    """How the answers of one kind of question are read and compared."""

    @property
    def name(self) -> str:
        """The kind's name, as users write it."""
        ...

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The final answer as the model wrote it, or None.

        Args:
            text: what the model said.
            truncated: the text was cut short, so only an answer that is marked as final counts;
                of a short text, what there is of it.
        """
        ...

    def key(self, answer: str) -> str:
        """The canonical form: two answers are the same when their keys are equal."""
        ...


_KINDS: dict[str, AnswerKind] = {
    kind.name: kind for kind in (Number(), Math(), Choice(), Text(), Json(), Code(), Solution())
}

ANSWER_KINDS: tuple[str, ...] = ("auto", *_KINDS)
"""The names that `answer=` takes."""


def answer_kind(answer: str | AnswerKind | Callable[[str], str | None]) -> AnswerKind | None:
    """The kind that `answer=` means; None for "auto", which is decided from what is asked.

    Raises:
        ValueError: for an unknown name; the message lists the names.
        ImportError: for "math" where math-verify is not installed.
    """
    if isinstance(answer, str):
        if answer == "auto":
            return None
        if answer == "math":
            require_math_verify()
        if answer in _KINDS:
            return _KINDS[answer]
    elif isinstance(answer, AnswerKind):
        return answer
    elif callable(answer):
        return Custom(answer)
    names = ", ".join(ANSWER_KINDS)
    raise ValueError(f"answer must be one of {names} or a function, got {answer!r}")


def pick_answer_kind(question: str, texts: Sequence[str]) -> AnswerKind:
    """What "auto" means: decided from the question, else from what most samples look like.

    The order of the texts makes no difference.

    >>> pick_answer_kind("How many r's are in strawberry?", []).name
    'number'
    """
    return _KINDS[asked_for(question) or looked_like(texts)]


def same_answer(first: str, second: str, kind: AnswerKind) -> bool:
    """Whether two answers are the same.

    >>> same_answer("0.5", "1/2", Number())
    True
    """
    return kind.key(first) == kind.key(second)
