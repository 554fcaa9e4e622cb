"""Countdown and the game of 24: reach a target with some numbers, each used once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from tscale_graph.candidates import Verdict
from tscale_graph.verifiers.arithmetic import (
    ArithmeticProblem,
    evaluate_with_numbers,
    normalise,
)
from tscale_graph.verifiers.countdown_steps import Derivation, derivation

StepScores = Literal["reachable", "sound"]

_TARGET = re.compile(
    r"\b(?:make|makes|equals?|equal to|reach(?:es)?|get|gets|target(?: of| is)?|total(?:s|ling)?|"
    r"results? in|gives?|evaluates? to)\b\s*(?:exactly|the number|the target|:)?\s*(-?\d+)",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"[-+*/^().\d\s]{3,300}")
_MATHS = re.compile(r"[\d)]\s*[-+*/]")
_ANSWER = re.compile(r"\b(?:answer|solution|result)\b.{0,200}", re.IGNORECASE)
_STATED = re.compile(
    r"\b(?:answer|solution|result)\b(?:\s+is|\s*[:=])[\s*]*(-?[0-9]{1,40})[\s*.!]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CLAIM = re.compile(r"\s*(-?[0-9(][-+*/().\d\s]{0,200})")
_MARKUP = (
    (re.compile(r"\\(?:times|cdot|ast)\b"), " * "),
    (re.compile(r"\\div\b"), " / "),
    (re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:left|right|quad|text|boxed|[()\[\],;! ])"), " "),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<=[\d)])\s*[xX]\s*(?=[\d(])"), " * "),
    (re.compile(r"[${}`]"), " "),
)
"""What models write around and inside an expression: LaTeX, bold, "x" for times."""
_LAST_NUMBER = re.compile(r"(?<![0-9.,/])-?[0-9]{1,40}(?=[\s.)!*]*$)")


@dataclass(frozen=True, slots=True)
class Countdown:
    r"""Checks an expression, or a solution in steps, that uses each number once for the target.

    A solution in steps has one equation a line. Each combines two of the numbers that are left,
    and its result takes their place:

    >>> Countdown((2, 3, 4), 10)("", "2 * 3 = 6\n6 + 4 = 10").step_scores
    (1.0, 1.0)
    >>> Countdown((2, 3, 4), 10)("", "2 * 3 = 6").feedback
    '6, 4 are left, the target is 10'

    It passes when every step is sound and the target alone is left (without `all_numbers`: is
    among what is left). A line after it that gives an expression or a number as the answer must
    not contradict it; an expression there that is right by itself passes whatever the steps are.

    Verdicts on steps, of whole solutions and of the beginnings of one, have `step_scores`. With
    "reachable", a sound step has 1.0 only when the target can still be made. That is found by
    solving the rest of the puzzle by brute force: it is an ideal process reward model, which no
    model is, and what a search gains from it is an upper bound. With "sound", any sound step
    has 1.0. An unsound step and all after it have 0.0 either way.

    Attributes:
        numbers: the numbers; None reads them from the question.
        target: what to make; None reads it from the question.
        all_numbers: every number has to be used; otherwise each at most once.
        step_scores: "reachable" looks ahead, while at most six numbers are left; "sound" does
            not.

    Raises:
        ValueError: for other step scores.
    """

    numbers: tuple[int, ...] | None = None
    target: int | None = None
    all_numbers: bool = True
    answer_kind: str = "text"
    step_scores: StepScores = "reachable"

    def __post_init__(self) -> None:
        if self.step_scores not in get_args(StepScores):
            known = " or ".join(get_args(StepScores))
            raise ValueError(f"step_scores must be {known}, got {self.step_scores!r}")

    def __call__(self, question: str, answer: str) -> Verdict:
        """Whether the answer's expression, or its steps, keep to the rules.

        Raises:
            ValueError: when the question does not say which numbers or which target.
        """
        numbers, target = self._task(question)
        answer = _plain(answer)
        steps = derivation(
            answer,
            numbers,
            target,
            all_numbers=self.all_numbers,
            look_ahead=self.step_scores == "reachable",
        )
        if steps is None:
            problem = self._problem_of_expressions(_expressions(answer), numbers, target)
            problem = problem or _other_claim(answer, target)
        else:
            problem = self._problem_of_steps(steps, numbers, target)
        return Verdict(
            score=0 if problem else 1,
            passed=not problem,
            feedback=problem,
            step_scores=None if steps is None else steps.scores,
        )

    def _problem_of_expressions(self, found: list[str], numbers: list[int], target: int) -> str:
        """What is wrong with the last of the expressions, where none is right."""
        problem = "no expression in the answer"
        for expression in found:
            problem = self._problem(expression, numbers, target)
            if not problem:
                return ""
        return problem

    def _problem_of_steps(self, steps: Derivation, numbers: list[int], target: int) -> str:
        """What is wrong with steps and what is said after them; "" when nothing is."""
        closing = _expressions(steps.closing)
        if closing and not self._problem_of_expressions(closing, numbers, target):
            return ""
        if steps.problem:
            return steps.problem
        if target not in steps.left or (self.all_numbers and len(steps.left) > 1):
            be = "is" if len(steps.left) == 1 else "are"
            left = ", ".join(map(str, steps.left))
            return f"{left} {be} left, the target is {target}"
        return self._contradiction(steps, numbers, target)

    def _contradiction(self, steps: Derivation, numbers: list[int], target: int) -> str:
        """What another answer than the target is given as, after steps that make it."""
        given = [match.group() for match in _ANSWER.finditer(steps.closing)]
        if not given:
            return ""
        problem = ""
        for expression in _expressions(given[-1]):
            problem = self._problem(expression, numbers, target)
            if not problem or _restates(expression, {*numbers, *steps.results}, target):
                return ""
        stated = _LAST_NUMBER.search(given[-1])
        if not problem and stated and int(stated.group()) != target:
            problem = f"the answer is given as {stated.group()}, not {target}"
        return problem

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


def _restates(expression: str, known: set[Fraction | int], target: int) -> bool:
    """Whether an expression makes the target of numbers that are given or were made."""
    try:
        value, used = evaluate_with_numbers(expression)
    except ArithmeticProblem:
        return False
    return value == target and known.issuperset(used)


def _plain(answer: str) -> str:
    """The answer without markup."""
    for pattern, plain in _MARKUP:
        answer = pattern.sub(plain, answer)
    return normalise(answer)


def _other_claim(answer: str, target: int) -> str:
    """What the answer says that its expression comes to, or is, where that is not the target."""
    for line in reversed(answer.splitlines()[-40:]):
        first, *claims = line.split("=")
        if not any(_MATHS.search(part) for part in (first, *claims)):
            continue
        for claim in claims:
            said = _CLAIM.match(claim)
            value = _value(said.group(1).strip(" .\t")) if said else None
            if value is not None and value != target:
                return f"the answer says that it is {value}, not {target}"
        break
    stated = _STATED.findall(answer)
    if stated and int(stated[-1]) != target:
        return f"the answer is given as {stated[-1]}, not {target}"
    return ""


def _value(expression: str) -> Fraction | None:
    try:
        return evaluate_with_numbers(expression)[0]
    except ArithmeticProblem:
        return None


def _expressions(answer: str) -> list[str]:
    """The expressions in an answer, last first; of an equation, the side that computes."""
    found: list[str] = []
    for line in reversed(answer.splitlines()[-40:]):
        for part in reversed(line.split("=")):
            for match in reversed(list(_EXPRESSION.finditer(part))):
                expression = match.group().strip(" .\t")
                if _MATHS.search(expression):
                    found.append(expression)
        if found:
            return found
    return found
