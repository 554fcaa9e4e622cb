"""Which lines of a rewritten document may be trusted: those whose numbers come from somewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from tscale_graph.verifiers.arithmetic import ArithmeticProblem, evaluate

_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)](?=\s))\s*")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+")
_ARITHMETIC = frozenset("0123456789+-*/×÷·−–()., £$€%")
_OPERATOR = re.compile(r"[\d)]\s*[-+*/×÷·−–]")
_UNITS = str.maketrans("", "", "£$€%,")
_LONGEST = 400
"""Digits of a number that is reckoned with."""
_Value = Fraction | str
_ALWAYS = frozenset({Fraction(0), Fraction(1)})
"""Known without a source, so that things can be counted: 1 + 1 + 1 = 3."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A text without the lines that could not be traced.

    Attributes:
        text: the lines that could.
        dropped: the others.
    """

    text: str
    dropped: tuple[str, ...]


def traced(text: str, source: str) -> Traced:
    r"""The lines of a text whose numbers are in the source, or follow from it by right arithmetic.

    A line is left out where one of its equations is wrong, or where one of its numbers is neither
    in the source nor the value of an equation, there or on an earlier line, of numbers that are.

    >>> traced("Tea and cake: 2 + 3 = 5.\nFour teas cost 9.", "Tea is £2, cake £3.").text
    'Tea and cake: 2 + 3 = 5.'
    """
    known: set[_Value] = {*_ALWAYS, *_numbers(source)}
    kept: list[str] = []
    dropped: list[str] = []
    for line in text.splitlines():
        bare = _MARK.sub("", line)
        follows, right = _equations(bare, known)
        if right and set(_numbers(bare)) <= known | follows:
            known |= follows
            kept.append(line)
        else:
            dropped.append(line)
    return Traced("\n".join(kept).strip(), tuple(dropped))


def _equations(line: str, known: Collection[_Value]) -> tuple[set[_Value], bool]:
    """The values that follow by a line's equations, and whether all of those are right."""
    follows = set[_Value]()
    for before, after in pairwise(line.split("=")):
        left, first = _last_arithmetic(before), _NUMBER.search(after)
        known_all = all(one in known or one in follows for one in _numbers(left))
        if first is None or not _OPERATOR.search(left) or not known_all:
            continue
        try:
            value = evaluate(left)
        except ArithmeticProblem:
            continue
        if value != _value(first.group()):
            return follows, False
        follows.add(value)
    return follows, True


def _last_arithmetic(text: str) -> str:
    """What follows the last word of a text."""
    words = [place for place, letter in enumerate(text) if letter not in _ARITHMETIC]
    return text[words[-1] + 1 if words else 0 :].translate(_UNITS).strip(" .")


def _numbers(text: str) -> Iterable[_Value]:
    return map(_value, _NUMBER.findall(text))


def _value(number: str) -> _Value:
    """What a number stands for; one too long to be reckoned with is its own digits."""
    digits = number.replace(",", "")
    return Fraction(digits) if len(digits) <= _LONGEST else digits
