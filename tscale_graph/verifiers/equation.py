"""Substitute the answer back into the equations of the question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.answers.numbers import Number, parse_number
from tscale_graph.candidates import Verdict
from tscale_graph.verifiers.arithmetic import ArithmeticProblem, evaluate, normalise

_SIDE = r"[-+*/^().\d\sA-Za-z]*?"
_TERM = r"(?:[-+(]\s*)*(?:\d[\d.]*\s*[a-z]?|[a-z])\b|(?:[-+(]\s*)*\d[\d.]*\s*\("
_WORDY = re.compile(r"[A-Za-z]{2,}")
_ASSIGNED = re.compile(r"\b([a-z])\s*(?:=|is|equals)\s*([-+]?\s*[\d.,/]+(?:\s*/\s*\d+)?)", re.I)
_EQUATIONS_AT_MOST = 4
_VALUES_AT_MOST = 6


@dataclass(frozen=True, slots=True)
class Equation:
    """Checks solutions of the equations that a question asks to solve."""

    answer_kind: str = "solution"

    def __call__(self, question: str, answer: str) -> Verdict:
        """Whether the answer solves the question's equations.

        Raises:
            ValueError: when the question has no equation.
        """
        equations = find_equations(question)
        if not equations:
            raise ValueError("the question has no equation to substitute the answer into")
        unknowns = sorted({name for sides in equations for side in sides for name in _names(side)})
        tried = _assignments(answer, unknowns)
        if not tried:
            wanted = " and ".join(unknowns) or "the unknown"
            return Verdict(score=0, passed=False, feedback=f"no value for {wanted} in the answer")
        for values in tried:
            problem = _problem(equations, values)
            if problem:
                return Verdict(score=0, passed=False, feedback=problem)
        return Verdict(score=1, passed=True)


equation = Equation()
"""Verifies answers such as "x = 5" to questions such as "Solve 3x + 4 = 19 for x."."""


def find_equations(question: str) -> list[tuple[str, str]]:
    """The equations in a text, as pairs of their sides.

    >>> find_equations("Solve 3x + 4 = 19 for x.")
    [('3x + 4', '19')]
    """
    found: list[tuple[str, str]] = []
    for part in re.split(
        r"[,;:?\n]|\.(?!\d)|\band\b|\bif\b|\bgiven\b|\bthat\b", normalise(question)
    ):
        if part.count("=") != 1:
            continue
        left, right = part.split("=")
        sides = _last_maths(left), _first_maths(right)
        if all(sides) and any(_names(side) for side in sides):
            found.append(sides)
    return found[:_EQUATIONS_AT_MOST]


def _last_maths(text: str) -> str:
    """What follows the last word."""
    words = list(_WORDY.finditer(text))
    return text[words[-1].end() :].strip(" `$*_\"'") if words else text.strip(" `$*_\"'")


def _first_maths(text: str) -> str:
    """What comes before the first word."""
    word = _WORDY.search(text)
    return (text[: word.start()] if word else text).strip(" `$_\"'!")


def _names(side: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]", side))


def _assignments(answer: str, unknowns: list[str]) -> list[dict[str, Fraction]]:
    """The solutions that an answer states, each a value for every unknown."""
    told: dict[str, list[Fraction]] = {}
    for name, number in _ASSIGNED.findall(normalise(answer)):
        value = parse_number(number.strip(" .,"))
        if value is not None and name in unknowns:
            told.setdefault(name, []).append(value)
    if len(unknowns) == 1:
        return [{unknowns[0]: value} for value in _values(answer, told.get(unknowns[0], []))]
    if set(told) == set(unknowns):
        return [{name: told[name][-1] for name in unknowns}]
    return []


def _values(answer: str, told: list[Fraction]) -> list[Fraction]:
    """The values of the only unknown: as assigned, else "3 or -3", else the final number."""
    stated = told[-1:]
    alternatives = re.split(r"\bor\b|\band\b|,|;", normalise(answer))
    if 1 < len(alternatives) <= _VALUES_AT_MOST:
        parsed = [parse_number(part) for part in alternatives]
        values = [value for value in parsed if value is not None]
        if len(values) == len(parsed):
            return values
    if stated:
        return stated
    final = Number().extract(answer)
    value = parse_number(final) if final else None
    return [] if value is None else [value]


def _problem(equations: list[tuple[str, str]], values: dict[str, Fraction]) -> str:
    """Why the values do not solve the equations; "" when they do."""
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    for left, right in equations:
        try:
            sides = evaluate(left, values), evaluate(right, values)
        except ArithmeticProblem as problem:
            return f"with {given}, {left} = {right} cannot be evaluated: {problem}"
        if sides[0] != sides[1]:
            return (
                f"with {given} the left side of {left} = {right} is {sides[0]}, "
                f"the right side {sides[1]}"
            )
    return ""
