"""What is known of each step of a solution, as numbers for a classifier.

Every feature of a step is of the question and of the steps up to it, never of what comes after, so
that a solution may be scored as it grows. A featurizer is anything that turns a question and its
steps into a matrix with a row for each step; one that does better on many solutions at once also
has a method `several` (`BatchFeaturizer`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tscale_graph.verifiers.arithmetic import ArithmeticProblem, evaluate_with_numbers, normalise

Matrix = NDArray[np.float64]
Solution = tuple[str, Sequence[str]]
"""A question, and the steps of a solution of it."""

LONGEST_STEP = 2_000
"""Characters of a step that are read."""

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?")
_EQUATION = re.compile(
    r"(?=[-(]*\d)([-+*/().\d\s]{3,200})=\s*(-?\d{1,15}(?:\.\d{1,10})?)(?![\d/*]|\.\d)"
)
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?!,?\d)")
_FINAL = re.compile(r"\b(?:answer|result|solution)\b|\\boxed", re.IGNORECASE)
_WORD = re.compile(r"\w+")


class Featurizer(Protocol):
    """Turns the steps of a solution into numbers."""

    @property
    def name(self) -> str:
        """What a saved model calls it by."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its features."""
        ...

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """One row for each step, of the features in the order of `columns`; NaN for unknown."""
        ...


@runtime_checkable
class BatchFeaturizer(Featurizer, Protocol):
    """One that takes many solutions at once, for which it may need a single request."""

    def several(self, solutions: Sequence[Solution]) -> Sequence[Matrix]:
        """The same as calling it on each: one matrix for each solution."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where a step stands."""

    name: str = "position"
    columns: tuple[str, ...] = ("index", "first", "final")

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """The logarithm of the place, whether it is the first, and whether it gives an answer."""
        return _matrix(
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
        return _matrix(rows, self.columns)


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
        return _matrix(rows, self.columns)


@dataclass(frozen=True, slots=True)
class Own:
    """A feature of the user's: a function of the question and the steps up to the one it is of.

    Attributes:
        name: what a saved model calls it by; it has to be given again when that is loaded.
        function: called as `function(question, steps_so_far)`, returns a number.
    """

    name: str
    function: Callable[[str, Sequence[str]], float]

    @property
    def columns(self) -> tuple[str, ...]:
        """One, of that name."""
        return (self.name,)

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """The function of each step; NaN where it fails or gives no finite number."""
        return _matrix(
            [(self._of(question, steps[: k + 1]),) for k in range(len(steps))], (self.name,)
        )

    def _of(self, question: str, steps: Sequence[str]) -> float:
        value = float(self.function(question, steps))
        return value if math.isfinite(value) else math.nan


def features(
    featurizers: Sequence[Featurizer], question: str, steps: Sequence[str]
) -> tuple[Matrix, list[str]]:
    """The features of all featurizers side by side, and a note on each that failed.

    Those of one that failed are NaN, which a model takes for its training mean.

    Args:
        featurizers: at least one.
        question: what was asked.
        steps: of a solution, or of the beginning of one.

    Returns:
        [steps, columns], and the notes.
    """
    return features_of_many(featurizers, [(question, steps)])[0]


def features_of_many(
    featurizers: Sequence[Featurizer], solutions: Sequence[Solution]
) -> list[tuple[Matrix, list[str]]]:
    """The same of each of many solutions; a batch that failed has failed for all of them."""
    if not solutions:
        return []
    blocks = [_blocks(featurizer, solutions) for featurizer in featurizers]
    return [
        (np.hstack([block for block, _ in of_one]), [note for _, note in of_one if note])
        for of_one in zip(*blocks, strict=True)
    ]


def _blocks(featurizer: Featurizer, solutions: Sequence[Solution]) -> list[tuple[Matrix, str]]:
    """What one featurizer makes of each solution, and what went wrong, or ""."""
    width = len(featurizer.columns)

    def failed(steps: Sequence[str], error: Exception) -> tuple[Matrix, str]:
        note = f"the featurizer {featurizer.name} failed: {error}"
        return np.full((len(steps), width), np.nan), note

    def checked(given: Matrix, steps: Sequence[str]) -> tuple[Matrix, str]:
        block = np.asarray(given, dtype=np.float64)
        if block.shape != (len(steps), width):
            raise ValueError(f"it gave {block.shape} for {(len(steps), width)}")
        return block, ""

    if isinstance(featurizer, BatchFeaturizer):
        try:
            given = featurizer.several(solutions)
            return [checked(one, steps) for one, (_, steps) in zip(given, solutions, strict=True)]
        except Exception as error:  # noqa: BLE001 - anybody's featurizer
            return [failed(steps, error) for _, steps in solutions]
    found: list[tuple[Matrix, str]] = []
    for question, steps in solutions:
        try:
            found.append(checked(featurizer(question, steps), steps))
        except Exception as error:  # noqa: BLE001 - anybody's featurizer
            found.append(failed(steps, error))
    return found


def column_names(featurizers: Sequence[Featurizer]) -> tuple[str, ...]:
    """The names of all features, as "featurizer.column"."""
    return tuple(f"{one.name}.{column}" for one in featurizers for column in one.columns)


def written(steps: Sequence[str]) -> tuple[str, list[int]]:
    r"""Steps as a model writes them, one a line, and how long the text is after each.

    The same whether a step came with the whitespace around it or without; a blank one adds
    nothing. What is written of a beginning is the beginning of what is written of all.

    >>> written([" 3 + 4 = 7\n", "7 - 2 = 5"])
    ('3 + 4 = 7\n7 - 2 = 5\n', [10, 20])
    """
    lines = [f"{bare}\n" if (bare := step.strip()) else "" for step in steps]
    return "".join(lines), list(accumulate(map(len, lines)))


def _matrix(rows: Sequence[Sequence[float]], columns: Sequence[str]) -> Matrix:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))


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
