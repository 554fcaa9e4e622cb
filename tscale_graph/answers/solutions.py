"""Answers that solve for unknowns: "x = 5", "x = 1 and y = 2", or a number alone."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest

from tscale_graph.answers.marked import marked_answers, this_answer_only, unwrapped
from tscale_graph.answers.numbers import Number, parse_number, whole_number, without_unit

# Not the x of "2 + x = 6" or "2*x = 6", but that of "- x = 3" and "**x = 3**".
_NAMED = re.compile(
    r"(?<![\w^/+×÷·-])(?<![/+^×÷·]\s)(?<![\w)]\s[-*]\s)(?<![\w)][-*]\s)(?<![\w)]\*)(?<![\w)]\*\*)"
    r"(?<![\w)]\s\*)([A-Za-z])[*_`$ ]{0,3}(?:=|\bis\b|\bequals\b)"
)
_MOST_NAMED = 100
"""Assignments that are looked at, from the end of a text."""
_LONGEST = 200
_ENDS = re.compile(
    r"[;:\n]|[,.](?!\d)|(?<=\d),(?=\d{1,2}(?!\d))|\\[\])]|\s\((?!mod\b)(?=[A-Za-z])"
    r"|\b(?:because|since|so|which|then|when|if|as|from|is|works|solves)\b",
)
_OTHER = re.compile(r"\bor\b|\band\b")
_JOINS = re.compile(r"\b(?:or|and)\s*$")
_EITHER_SIGN = re.compile(r"(?<![\w)]\s)(?<![\w)])(?:±|\\pm\b|\+/-)\s?(\d[\d.,/ ]*)")
_MORE_THAN_A_VALUE = re.compile(
    r"\b(?:not|never|wrong|incorrect|pi|i|e|squared?|cubed?|factorial|roots?|power|times|plus|minus"
    r"|divided|multiplied|over|half|percent|degrees|mod|modulo|base|log|ln|sqrt|sin|cos|tan|exp)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"[√∛π^!]|\d[a-z](?![a-z])|\\?(?:sqrt|cbrt|log|ln|sin|cos|tan|exp|pi)(?![A-Za-z])"
)


@dataclass(frozen=True, slots=True)
class Solution:
    """The values of unknowns, as they are last stated."""

    name: str = "solution"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """Such as "x = 5" or "x = 1, y = 2"; else the final number; or None.

        What is marked as the answer comes before what is only said.
        """
        text, truncated = this_answer_only(text, truncated=truncated)
        for mark in marked_answers(text):
            found = _stated(mark.answer)
            if found is None and parse_number(unwrapped(mark.answer)) is not None:
                found = unwrapped(mark.answer)
            if found is not None:
                return found
        found = None if truncated else _stated(text)
        return found or Number().extract(text, truncated=truncated)

    def key(self, answer: str) -> str:
        """The values without the way they are written; of one unknown, without its name.

        >>> Solution().key("x = 0.5") == Solution().key("1/2")
        True
        """
        values = stated_values(answer)
        if not values:
            return Number().key(answer)
        if len(values) == 1:
            return " or ".join(sorted(map(Number().key, next(iter(values.values())))))
        return ", ".join(
            f"{name} = {' or '.join(sorted(map(Number().key, values[name])))}"
            for name in sorted(values)
        )


def stated_values(text: str) -> dict[str, list[str]]:
    """The values that a text last states for each unknown, as they are written.

    >>> stated_values("x = 2 1/2, and y is 3 or -3")
    {'x': ['2 1/2'], 'y': ['3', '-3']}
    """
    stated: dict[str, list[str]] = {}
    for name, clause in _clauses(text):
        said = [part.rpartition("=")[2].strip(" *_`$") for part in _OTHER.split(clause)]
        parts = [part for part in said if part]
        if parts and all(stated_value(part) is not None for part in parts):
            stated[name] = [" ".join(without_unit(part).split()) for part in parts]
    return stated


def stated_value(text: str) -> Fraction | None:
    """The number that a text is, when nothing in it makes that another: no function, no "not".

    >>> stated_value("x = 2 1/2"), stated_value("sqrt(3)"), stated_value("3 squared")
    (Fraction(5, 2), None, None)
    """
    text = " ".join(text.split())
    value = whole_number(text)
    if value is None:
        return None
    _, number, after = text.partition(without_unit(text))
    return value if number and not _MORE_THAN_A_VALUE.search(after) else None


def either_sign(text: str) -> str:
    """The text with both values of a "±3" written out.

    >>> either_sign("x = ±3"), either_sign("x = 1 ± 3")
    ('x = 3 or -3', 'x = 1 ± 3')
    """
    return _EITHER_SIGN.sub(lambda m: f"{m[1].rstrip()} or -{m[1]}", text)


def _clauses(text: str) -> list[tuple[str, str]]:
    """Each unknown that something is said of, and what is said of it."""
    clauses: list[tuple[str, str]] = []
    text = either_sign(text)
    named = list(deque(_NAMED.finditer(text), maxlen=_MOST_NAMED))
    goes_on = False
    for match, following in zip_longest(named, named[1:]):
        name = match[1]
        said = text[match.end() : following.start() if following else None][:_LONGEST]
        said = _ENDS.split(said, maxsplit=1)[0]
        joined = _JOINS.search(said)
        said = said[: joined.start()] if joined else said
        if goes_on and clauses[-1][0] == name:
            said = f"{clauses.pop()[1]} or {said}"
        clauses.append((name, said))
        goes_on = joined is not None
    return clauses


def _stated(text: str) -> str | None:
    last = stated_values(text)
    if not last:
        return _no_value(text)
    return ", ".join(f"{name} = {' or '.join(last[name])}" for name in sorted(last))


def _no_value(text: str) -> str | None:
    """What is said of an unknown with a function, which no number in it stands for."""
    clauses = _clauses(text)
    if clauses and _FUNCTION.search(clauses[-1][1]):
        name, said = clauses[-1]
        return f"{name} = {said.strip(' $*_`')}"
    return None
