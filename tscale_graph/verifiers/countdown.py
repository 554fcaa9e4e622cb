"""Countdown and the game of 24: reach a target with some numbers, each used once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.candidates import Verdict
from tscale_graph.verifiers.arithmetic import (
    ArithmeticProblem,
    evaluate_with_numbers,
    normalise,
)

_TARGET = re.compile(
    r"\b(?:make|makes|equals?|equal to|reach(?:es)?|get|gets|target(?: of| is)?|total(?:s|ling)?|"
    r"results? in|gives?|evaluates? to)\b\s*(?:exactly|the number|the target|:)?\s*(-?\d+)",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"[-+*/^().\d\s]{3,300}")
_MATHS = re.compile(r"\d\s*[-+*/]")


@dataclass(frozen=True, slots=True)
class Countdown:
    """Checks an expression that uses each number once and makes the target.

    Attributes:
        numbers: the numbers; None reads them from the question.
        target: what to make; None reads it from the question.
        all_numbers: every number has to be used; otherwise each at most once.
    """

    numbers: tuple[int, ...] | None = None
    target: int | None = None
    all_numbers: bool = True
    answer_kind: str = "text"

    def __call__(self, question: str, answer: str) -> Verdict:
        """Whether the answer's expression keeps to the rules.

        Raises:
            ValueError: when the question does not say which numbers or which target.
        """
        numbers, target = self._task(question)
        expressions = _expressions(answer)
        if not expressions:
            return Verdict(score=0, passed=False, feedback="no expression in the answer")
        problem = ""
        for expression in expressions:
            problem = self._problem(expression, numbers, target)
            if not problem:
                return Verdict(score=1, passed=True)
        return Verdict(score=0, passed=False, feedback=problem)

    def _task(self, question: str) -> tuple[list[int], int]:
        if self.numbers is not None and self.target is not None:
            return list(self.numbers), self.target
        question = normalise(question)
        targets = list(_TARGET.finditer(question))
        target = self.target if self.target is not None else None
        rest = question
        if target is None:
            if not targets:
                raise ValueError("the question does not say which target to make")
            last = targets[-1]
            target = int(last.group(1))
            rest = question[: last.start()] + question[last.end() :]
        numbers = self.numbers or tuple(int(found) for found in re.findall(r"\d+", rest))
        if not numbers:
            raise ValueError("the question does not say which numbers to use")
        return list(numbers), target

    def _problem(self, expression: str, numbers: list[int], target: int) -> str:
        """What is wrong with an expression; "" when nothing is."""
        try:
            value, used = evaluate_with_numbers(expression)
        except ArithmeticProblem as problem:
            return f"{expression} cannot be evaluated: {problem}"
        allowed = Counter(Fraction(number) for number in numbers)
        spare = Counter(used) - allowed
        if spare:
            number = next(iter(spare))
            why = "more often than it is given" if number in allowed else "which is not given"
            return f"{expression} uses {number}, {why}"
        missing = allowed - Counter(used)
        if self.all_numbers and missing:
            return f"{expression} does not use {next(iter(missing))}"
        return "" if value == target else f"{expression} is {value}, not {target}"


countdown = Countdown()
"""Verifies answers such as "(8 - 4) * (7 - 1)" to "Use the numbers 8, 4, 7, 1 to make 24."."""


def _expressions(answer: str) -> list[str]:
    """The expressions in an answer, last first; of an equation, the side that computes."""
    found: list[str] = []
    for line in reversed(normalise(answer).replace("$", " ").splitlines()[-40:]):
        for part in reversed(line.split("=")):
            for match in reversed(list(_EXPRESSION.finditer(part))):
                expression = match.group().strip(" .\t")
                if _MATHS.search(expression):
                    found.append(expression)
        if found:
            return found
    return found
