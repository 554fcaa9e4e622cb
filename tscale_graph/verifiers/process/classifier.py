"""A classifier of steps as plain arrays: what scikit-learn fitted, without scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Linear:
    """A logistic regression's decision function.

    Attributes:
        weights: [columns].
        bias: of a row of zeros.
    """

    weights: Floats
    bias: float

    def log_odds(self, rows: Floats) -> Floats:
        """Of each row, shape [rows]."""
        return rows @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of regression trees (gradient boosting), all nodes of all trees in one table.

    Attributes:
        roots: [trees] the row of each tree's root.
        column: [nodes] which feature a node looks at; -1 for a leaf.
        threshold: [nodes] rows at or below it go left.
        left, right: [nodes] the rows of the children.
        value: [nodes] what a leaf adds.
        bias: of no tree at all.
    """

    roots: Ints
    column: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    bias: float

    def log_odds(self, rows: Floats) -> Floats:
        """Of each row, shape [rows]."""
        at = np.tile(self.roots, (len(rows), 1))
        places = np.arange(len(rows))[:, None]
        while True:
            column = self.column[at]
            inner = column >= 0
            if not inner.any():
                return self.bias + self.value[at].sum(axis=1)
            goes_left = rows[places, np.maximum(column, 0)] <= self.threshold[at]
            further = np.where(goes_left, self.left[at], self.right[at])
            at = np.where(inner, further, at)


@dataclass(frozen=True, slots=True)
class Calibration:
    """From log-odds to probabilities: straight lines between knots, level beyond them.

    Attributes:
        log_odds: [knots] ascending.
        probability: [knots] ascending, in [0, 1].
    """

    log_odds: Floats
    probability: Floats

    def __call__(self, log_odds: Floats) -> Floats:
        """The probability of each."""
        return np.interp(log_odds, self.log_odds, self.probability)


@dataclass(frozen=True, slots=True)
class Projection:
    """Many standardised features as a few: their principal components.

    Attributes:
        columns: [inputs] the places of the features that it takes, which nothing else sees.
        components: [outputs, inputs] what each output is made of; on the training rows an output
            has mean 0 and variance 1.
    """

    columns: Ints
    components: Floats


@dataclass(frozen=True, slots=True)
class StepClassifier:
    """The probability that a solution which has come so far succeeds.

    Attributes:
        columns: the names of the features, in their order.
        centre: [columns] of the training rows; a feature that is unknown counts as this.
        scale: [columns] what a feature is divided by, above 0.
        parts: whose log-odds are averaged.
        calibration: makes probabilities of them.
        projections: of wide groups of features. The parts see the features in none of them, then
            the outputs of each.
    """

    columns: tuple[str, ...]
    centre: Floats
    scale: Floats
    parts: tuple[Linear | Trees, ...]
    calibration: Calibration
    projections: tuple[Projection, ...] = ()

    def __call__(self, features: Floats) -> Floats:
        """One probability for each row, shape [rows], in [0, 1].

        Args:
            features: [rows, columns]; NaN where a feature is unknown.

        Raises:
            ValueError: when there are not as many columns as it was trained on.
        """
        return self.calibration(self.log_odds(features))

    def log_odds(self, features: Floats) -> Floats:
        """The same before calibration."""
        if features.ndim != 2 or features.shape[1] != len(self.columns):
            raise ValueError(
                f"features must have {len(self.columns)} columns, got shape {features.shape}"
            )
        if not len(features):
            return np.zeros(0)
        rows = projected(standardised(features, self.centre, self.scale), self.projections)
        return np.mean([part.log_odds(rows) for part in self.parts], axis=0)


def standardised(features: Floats, centre: Floats, scale: Floats) -> Floats:
    """Features around 0 in units of their scale; 0 where one is unknown."""
    rows = (features - centre) / scale
    return np.where(np.isfinite(rows), rows, 0.0)


def projected(rows: Floats, projections: Sequence[Projection]) -> Floats:
    """Standardised features as the parts of a classifier see them."""
    if not projections:
        return rows
    others = np.delete(rows, np.concatenate([one.columns for one in projections]), axis=1)
    return np.hstack([others, *(rows[:, one.columns] @ one.components.T for one in projections)])


def joined(trees: Sequence[Trees], *, bias: float) -> Trees:
    """Several tables of trees as one."""
    starts = np.cumsum([0, *(len(tree.column) for tree in trees[:-1])])

    def moved(rows: Ints, start: int) -> Ints:
        return np.where(rows >= 0, rows + start, rows)

    return Trees(
        roots=np.concatenate([t.roots + s for t, s in zip(trees, starts, strict=True)]),
        column=np.concatenate([t.column for t in trees]),
        threshold=np.concatenate([t.threshold for t in trees]),
        left=np.concatenate([moved(t.left, s) for t, s in zip(trees, starts, strict=True)]),
        right=np.concatenate([moved(t.right, s) for t, s in zip(trees, starts, strict=True)]),
        value=np.concatenate([t.value for t in trees]),
        bias=bias,
    )
