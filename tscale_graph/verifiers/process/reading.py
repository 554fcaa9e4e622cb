"""Featurizers of the text alone: where a step stands, how it is written, what it works out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.verifiers.arithmetic import ArithmeticProblem, evaluate_with_numbers, normalise
from tscale_graph.verifiers.process.features import Matrix, matrix

LONGEST_STEP = 2_000
"""Characters of a step that are read."""

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?")
_EQUATION = re.compile(
    r"(?=[-(]*\d)([-+*/().\d\s]{3,200})=\s*(-?\d{1,15}(?:\.\d{1,10})?)(?![\d/*]|\.\d)"
)
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?!,?\d)")
_FINAL = re.compile(r"\b(?:answer|result|solution)\b|\\boxed", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a step stands."""

    name: str = "position"
    columns: tuple[str, ...] = ("index", "first", "final")

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """The logarithm of the place, whether it is the first, and whether it gives an answer."""
        return matrix(
            [
                (
                    math.log1p(place),
                    float(place == 0),
                    float(_FINAL.search(_read(step)) is not None),
                )
                for place, step in enumerate(steps)
            ],
            self.columns,
        )


@dataclass(frozen=True, slots=True)
class Wording:
    """How a step is written: its length, its numbers, and what it repeats."""

    name: str = "wording"
    columns: tuple[str, ...] = (
        "length", "numbers", "known_numbers", "new_numbers", "repeats", "shared_words",
    )  # fmt: skip

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """Lengths as logarithms; shares in [0, 1]."""
        rows: list[tuple[float, ...]] = []
        asked = _plain(question)
        known = set(_numbers(asked))
        words, earlier = set(_words(asked)), set[str]()
        for step in steps:
            read = _read(step)
            numbers, said = _numbers(read), _words(read)
            seen = sum(number in known for number in numbers)
            shared = sum(word in words for word in said)
            rows.append(
                (
                    math.log1p(len(step)),
                    math.log1p(len(numbers)),
                    seen / len(numbers) if numbers else 1.0,
                    math.log1p(len(numbers) - seen),
                    float(" ".join(said) in earlier),
                    shared / len(said) if said else 0.0,
                )
            )
            known.update(numbers)
            words.update(said)
            earlier.add(" ".join(said))
        return matrix(rows, self.columns)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Whether the equations of a step are true, and made of numbers that were there.

    What this tells is a calculator's knowledge, not a judge's: a table of results without it
    belongs beside any that has it.
    """

    name: str = "arithmetic"
    columns: tuple[str, ...] = (
        "equations", "wrong", "wrong_so_far", "unknown_terms", "unknown_so_far", "goes_on",
        "used_again", "used_again_so_far", "unused",
    )  # fmt: skip

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """Counts of equations; of terms that neither the question nor an earlier step has.

        And of terms that were used up, because each number of the question and each result is
        there once, as often as it comes; and of those that are not used yet.
        """
        rows: list[tuple[float, ...]] = []
        # Terms are numbers without their signs: the minus of "-3 + 5" is an operator.
        left = Counter(abs(Fraction(number)) for number in _numbers(_plain(question)))
        known = set(left)
        last: Fraction | None = None
        wrong_so_far = unknown_so_far = again_so_far = 0
        for step in steps:
            equations = _equations(_read(step))
            wrong = unknown = again = 0
            goes_on = 0.0
            for terms, value, stated in equations:
                wrong += value != stated
                unknown += sum(term not in known for term in terms)
                goes_on = max(goes_on, float(last is not None and last in terms))
                for term in terms:
                    again += term in known and not left[term]
                    left[term] = max(0, left[term] - 1)
                last = abs(stated)
                left[last] += 1
                known.add(last)
            wrong_so_far += wrong
            unknown_so_far += unknown
            again_so_far += again
            rows.append(
                (
                    float(len(equations)),
                    float(wrong),
                    math.log1p(wrong_so_far),
                    float(unknown),
                    math.log1p(unknown_so_far),
                    goes_on,
                    float(again),
                    math.log1p(again_so_far),
                    math.log1p(left.total()),
                )
            )
        return matrix(rows, self.columns)


def _read(step: str) -> str:
    return _plain(step[:LONGEST_STEP])


def _plain(text: str) -> str:
    """With ASCII operators, and numbers without thousands separators."""
    return _THOUSANDS.sub(lambda match: match[0].replace(",", ""), normalise(text))


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(text)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _equations(step: str) -> list[tuple[list[Fraction], Fraction, Fraction]]:
    """The numbers, the value and the stated value of each equation that can be evaluated."""
    found: list[tuple[list[Fraction], Fraction, Fraction]] = []
    for match in _EQUATION.finditer(step):
        try:
            value, terms = evaluate_with_numbers(match[1].strip())
        except ArithmeticProblem:
            continue
        if len(terms) > 1:
            found.append((terms, value, Fraction(match[2])))
    return found
