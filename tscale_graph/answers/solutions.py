"""Answers that solve for unknowns: "x = 5", "x = 1 and y = 2", or a number alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tscale_graph.answers.marked import marked_answers, this_answer_only, unwrapped
from tscale_graph.answers.numbers import Number, parse_number

_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,6}|\d{1,20})(?:\.\d{1,20})?"
_NUMERAL = rf"[-+−]?\s?{_DIGITS}(?:\s?/\s?\d{{1,20}}|\s\d{{1,9}}\s?/\s?\d{{1,9}})?"
_WORKED_OUT = rf"(?:{_NUMERAL}(?:\s?[-+*/×÷]\s?{_NUMERAL}){{0,8}}\s?=\s?){{0,4}}"
_NO_MORE = r"(?!\s?[-+*/×÷=^]\s?[\w(]|[\w(])"
_ASSIGNED = re.compile(
    rf"(?<![\w^*/+-])(?P<name>[A-Za-z])[*_`$ ]{{0,3}}(?:=|\bis\b|\bequals\b)[*_`$ ]{{0,3}}"
    rf"{_WORKED_OUT}(?P<value>{_NUMERAL}){_NO_MORE}"
    rf"(?:\s(?:or|and)\s(?:(?P=name)\s?=\s?)?(?P<other>{_NUMERAL}){_NO_MORE})?"
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
    return {
        m["name"]: [" ".join(v.split()) for v in (m["value"], m["other"]) if v]
        for m in _ASSIGNED.finditer(text)
    }


def _stated(text: str) -> str | None:
    last = stated_values(text)
    return ", ".join(f"{name} = {' or '.join(last[name])}" for name in sorted(last)) or None
