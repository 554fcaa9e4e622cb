"""Substitute the answer back into the equations of the question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.answers.solutions import either_sign, stated_value, stated_values
from tscale_graph.candidates import Verdict
from tscale_graph.verifiers.arithmetic import ArithmeticProblem, evaluate
from tscale_graph.verifiers.stated_equations import find_equations, names

_OTHER = re.compile(r"\bor\b|\band\b|,(?!\d{3}(?!\d))|;")
_VALUES_AT_MOST = 6
_LEADS_IN = re.compile(
    r"(?:[\s*_`:]|\b(?:so|thus|hence|therefore|then|we|i|get|have|find|the|final|correct|both|either"
    r"|answers?|solutions?|results?|values?|roots?|unknown|of|for|is|are|be|[A-Za-z](?=\s+is))\b)*+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Equation:
    """Checks solutions of the equations that a question asks to solve.

    Every value that the answer states has to solve all of them. That it states all solutions, or
    the positive one where the question wants that, is not checked.
    """

    answer_kind: str = "solution"

    def __call__(self, question: str, answer: str) -> Verdict:
        """Whether the answer solves the question's equations.

        Raises:
            ValueError: when the question has no equation in plain arithmetic, or words beside
                one that may change what it means: "half of x = 3".
        """
        equations = find_equations(question)
        given = _given(equations)
        unknowns = sorted({name for sides in equations for side in sides for name in names(side)})
        wanted = [name for name in unknowns if name not in given] or unknowns
        tried = [given | values for values in _assignments(answer, wanted)]
        if not tried:
            told = f"no value for {' and '.join(wanted)} in the answer"
            return Verdict(score=0, passed=False, feedback=told)
        for values in tried:
            problem = _problem(equations, values)
            if problem:
                return Verdict(score=0, passed=False, feedback=problem)
        return Verdict(score=1, passed=True)


equation = Equation()
"""Verifies answers such as "x = 5" to questions such as "Solve 3x + 4 = 19 for x."."""


def _given(equations: list[tuple[str, str]]) -> dict[str, Fraction]:
    """The values that a question itself gives, such as that of x in "y = 2x and x = 3"."""
    given: dict[str, Fraction] = {}
    for left, right in equations:
        if len(left) == 1 and left.isalpha() and not names(right):
            with suppress(ArithmeticProblem):  # 1/0: which the equation itself will tell
                given[left] = evaluate(right)
    return given


def _assignments(answer: str, wanted: list[str]) -> list[dict[str, Fraction]]:
    """The solutions that an answer states, each a value for everything wanted."""
    told: dict[str, list[Fraction]] = {}
    for name, written in stated_values(answer).items():
        values = [stated_value(number) for number in written]
        told[name] = [value for value in values if value is not None]
    if len(wanted) == 1 and set(told) <= set(wanted):
        return [{wanted[0]: value} for value in _values(answer, told.get(wanted[0], []))]
    if all(told.get(name) for name in wanted):
        return [{name: told[name][-1] for name in wanted}]
    return []


def _values(answer: str, told: list[Fraction]) -> list[Fraction]:
    """The values of the only unknown: "3 or -3" where that is all, else as assigned."""
    alternatives = _OTHER.split(either_sign(answer))
    if len(alternatives) <= _VALUES_AT_MOST:
        read = [stated_value(_LEADS_IN.sub("", part, count=1)) for part in alternatives]
        values = [value for value in read if value is not None]
        if len(values) == len(read):
            return values
    return told


def _problem(equations: list[tuple[str, str]], values: Mapping[str, Fraction]) -> str:
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
