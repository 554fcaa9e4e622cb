"""What is known of each step of a solution, as numbers for a classifier.

Every feature of a step is of the question and of the steps up to it, never of what comes after, so
that a solution may be scored as it grows. A featurizer is anything that turns a question and its
steps into a matrix with a row for each step; one that does better on many solutions at once also
has a method `several` (`BatchFeaturizer`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Solution = tuple[str, Sequence[str]]
"""A question, and the steps of a solution of it."""


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
        return matrix(
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


def matrix(rows: Sequence[Sequence[float]], columns: Sequence[str]) -> Matrix:
    """Rows of features, [rows, columns], also where there are none."""
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
