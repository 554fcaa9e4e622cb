"""Finding the final answer in a text, and deciding when two answers are the same.

A kind of answer extracts and makes canonical: two answers are the same when their keys are
equal, so sameness is an equivalence relation whatever the texts. Nothing here raises on what a
model wrote.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from tscale_graph.answers.marked import looks_marked
from tscale_graph.answers.numbers import Number, parse_number
from tscale_graph.answers.structured import Code, Json
from tscale_graph.answers.symbolic import Math
from tscale_graph.answers.words import Choice, Custom, Text


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
            truncated: the text was cut short, so only an answer that is marked as final counts.
        """
        ...

    def key(self, answer: str) -> str:
        """The canonical form: two answers are the same when their keys are equal."""
        ...


_KINDS: dict[str, AnswerKind] = {
    kind.name: kind for kind in (Number(), Math(), Choice(), Text(), Json(), Code())
}

ANSWER_KINDS: tuple[str, ...] = ("auto", *_KINDS)
"""The names that `answer=` takes."""

_ASKS_FOR_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_ASKS_FOR_CODE = re.compile(
    r"\b(?:write|implement|complete|fix)\b[^.?!]{0,80}\b(?:function|program|code|class|script)\b",
    re.IGNORECASE,
)
_LISTS_CHOICES = re.compile(r"(?m)^\s*\(?A[).:]\s.*(?:\n.*){0,3}?\n\s*\(?B[).:]\s|\(A\).*\(B\)")
_ASKS_FOR_MATH = re.compile(
    r"\\(?:frac|sqrt|int|sum|pi|left|begin)\b|\b(?:simplify|factor(?:ise|ize)?|differentiate|"
    r"integrate|derivative|integral|expand|in terms of|closed form|as a function of)\b",
    re.IGNORECASE,
)
_ASKS_FOR_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|often)\b|\b(?:calculate|compute|count|evaluate)\b|"
    r"\bwhat is\b[^?\n]*\d\s*[-+*/×÷^%]|\bsolve\b[^.?!]*=|\b(?:sum|product|difference|average|"
    r"total|remainder|number) of\b|\bwhat number\b|\bvalue of\b",
    re.IGNORECASE,
)


def answer_kind(answer: str | AnswerKind | Callable[[str], str | None]) -> AnswerKind | None:
    """The kind that `answer=` means; None for "auto", which is decided from what is asked.

    Raises:
        ValueError: for an unknown name; the message lists the names.
        ImportError: for "math" where math-verify is not installed.
    """
    if isinstance(answer, str):
        if answer == "auto":
            return None
        if answer not in _KINDS:
            names = ", ".join(ANSWER_KINDS)
            raise ValueError(f"answer must be one of {names} or a function, got {answer!r}")
        if answer == "math" and not _can_do_math():
            raise ImportError(
                """answer="math" needs math-verify: pip install 'tscale-graph[math]'"""
            )
        return _KINDS[answer]
    if isinstance(answer, AnswerKind):
        return answer
    if callable(answer):
        return Custom(answer)
    names = ", ".join(ANSWER_KINDS)
    raise ValueError(f"answer must be one of {names} or a function, got {answer!r}")


def pick_answer_kind(question: str, texts: Sequence[str]) -> AnswerKind:
    """What "auto" means: decided from the question, else from what most samples look like.

    The order of the texts makes no difference.

    >>> pick_answer_kind("How many r's are in strawberry?", []).name
    'number'
    """
    asked = _asked_for(question)
    if asked is not None:
        return _KINDS[asked]
    looks = Counter(_looks_like(text) for text in texts if text.strip())
    if not looks:
        return _KINDS["text"]
    most = max(looks.values())
    return _KINDS[min(name for name, count in looks.items() if count == most)]


def same_answer(first: str, second: str, kind: AnswerKind) -> bool:
    """Whether two answers are the same.

    >>> same_answer("0.5", "1/2", Number())
    True
    """
    return kind.key(first) == kind.key(second)


def _asked_for(question: str) -> str | None:
    if _LISTS_CHOICES.search(question):
        return "choice"
    if _ASKS_FOR_JSON.search(question):
        return "json"
    if _ASKS_FOR_CODE.search(question):
        return "code"
    if _ASKS_FOR_MATH.search(question) and _can_do_math():
        return "math"
    if _ASKS_FOR_NUMBER.search(question):
        return "number"
    return None


def _looks_like(text: str) -> str:
    if Json().extract(text, truncated=True) is not None:
        return "json"
    if Code().extract(text, truncated=True) is not None:
        return "code"
    if looks_marked(text) or len(text) < 40:
        found = Text().extract(text)
        if found is not None and parse_number(found) is not None:
            return "number"
    return "text"


def _can_do_math() -> bool:
    return importlib.util.find_spec("math_verify") is not None
