"""What `answer="auto"` means: the kind of answer that a question asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tscale_graph.answers.marked import marked_answers, this_answer_only, unwrapped
from tscale_graph.answers.numbers import whole_number
from tscale_graph.answers.structured import Json, fenced
from tscale_graph.answers.symbolic import can_do_math
from tscale_graph.answers.words import Choice

_FIRST_CHOICE = re.compile(r"(?m)^[ \t*>-]{0,6}\(?[Aa][.):][*_]{0,2}[ \t]*\S|\(A\)|\bA\)[ ]\S")
_SECOND_CHOICE = re.compile(r"(?m)^[ \t*>-]{0,6}\(?[Bb][.):][*_]{0,2}[ \t]*\S|\(B\)|\bB\)[ ]\S")
_WANTS_JSON = re.compile(
    r"\b(?:in|as|into|return|returns|output|write|give|valid|with|produce|generate|using)\b"
    r"[^.?!\n]{0,40}\bjson\b|\bjson\s(?:object|array|list|format|schema|only|string)\b",
    re.IGNORECASE,
)
_WANTS_CODE = re.compile(
    r"\b(?:write|implement|complete|create|define|fix|refactor|code)\b[^.?!\n]{0,80}"
    r"\b(?:function|program|code|class|script|method|algorithm)\b|^\s*(?:def|class)\s\w+",
    re.IGNORECASE | re.MULTILINE,
)
_WANTS_MATH = re.compile(
    r"\\(?:frac|dfrac|sqrt|int|sum|pi|left|begin|cdot|sin|cos|log|ln|theta|infty)\b"
    r"|\$[^$\n]{0,200}[\\^=_][^$\n]{0,200}\$"
    r"|\b(?:simplify|express|factor(?:ise|ize)?|differentiate|integrate|derivative|integral|"
    r"antiderivative|expand|polynomial|in terms of|closed form|solve)\b"
    r"|\b[0-9]{0,6}[a-z](?:\^[0-9])?\s?[-+]\s?[0-9]{1,6}[a-z]?\s?=|\b[a-z]\^[0-9]",
    re.IGNORECASE,
)
_WANTS_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|often|fast|big|heavy)\b|\b(?:calculate|compute|count|"
    r"evaluate|solve)\b|\b(?:sum|product|difference|average|mean|median|total|remainder|number|"
    r"value|probability|percentage|cost|price|area|perimeter|volume) of\b|\bwhat number\b"
    r"|\bwhat percent|[0-9]\s?(?:[-+*/×÷^%]|plus|minus|times|divided by|x)\s?[0-9]|[0-9)]\s?=\s?\?",
    re.IGNORECASE,
)
_SHORT = 60


def asked_for(question: str) -> str | None:
    """The name of the kind that a question asks for, where it tells."""
    if _FIRST_CHOICE.search(question) and _SECOND_CHOICE.search(question):
        return "choice"
    if _WANTS_JSON.search(question):
        return "json"
    if _WANTS_CODE.search(question):
        return "code"
    if _WANTS_MATH.search(question) and can_do_math():
        return "math"
    return "number" if _WANTS_NUMBER.search(question) else None


def looked_like(texts: Sequence[str]) -> str:
    """The name of the kind that more than half of the answers look like; else "text"."""
    looks = Counter(_look(text) for text in texts if text.strip())
    half = sum(looks.values()) / 2
    for name in ("json", "code", "choice", "number"):
        if looks[name] > half:
            return name
    # Numbers are expressions too.
    return "math" if looks["math"] and looks["math"] + looks["number"] > half else "text"


def _look(text: str) -> str:
    text, _ = this_answer_only(text)
    if any(language != "json" for language, _ in fenced(text)):
        return "code"
    found = Json().extract(text, truncated=True)
    if found is not None and found[:1] in ("{", "["):
        return "json"
    marks = marked_answers(text)
    answer = marks[0].answer if marks else text
    if not marks and len(text) > _SHORT:
        return "text"
    if Choice().extract(text, truncated=bool(marks)) is not None:
        return "choice"
    if whole_number(answer) is not None:
        return "number"
    is_math = bool(marks) and marks[0].how == "boxed" and not answer.startswith(r"\text")
    if (is_math or re.search(r"\\[dt]?(?:frac|sqrt|pi)\b", answer)) and can_do_math():
        return "math"
    return "number" if re.fullmatch(r"\D{0,30}[0-9][0-9.,]*\D{0,30}", unwrapped(answer)) else "text"
