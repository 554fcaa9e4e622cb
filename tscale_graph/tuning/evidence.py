"""How much better one setting is than another in a class, when other classes say something too.

The best of many noisy means is better than it will ever be again. So a class's difference is
drawn towards that of all classes, the more the less its own questions can tell: random effects
(DerSimonian and Laird 1986, Controlled Clinical Trials 7(3)), which is James and Stein's
estimator for means of unequal precision. Differences are taken question by question, so what
makes a question easy or hard cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tscale_graph.tuning.measured import Floats

_UNSEEN = 0.5
"""A class of n questions that all agree is believed to at most this over n."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Each setting less one other, in each of g groups of questions.

    Attributes:
        mean: (g, m), drawn together; nan where a group does not have both settings.
        error: (g, m), the standard error of that.
    """

    mean: Floats
    error: Floats


class Evidence:
    """Differences between settings, worked out once for each that others are compared with.

    Args:
        accuracy: (n, m), of each question with each setting; nan where not measured.
        groups: the questions of each group, each at least one.
        weights: of the groups in the traffic, summing to 1.
    """

    def __init__(
        self, accuracy: Floats, groups: Sequence[NDArray[np.intp]], weights: Floats
    ) -> None:
        self._accuracy = accuracy
        self._groups = groups
        self._weights = weights
        self._known: dict[int, tuple[Differences, Floats]] = {}

    def differences(self, *, than: int) -> Differences:
        """How much more accurate each setting is than the one at that place, in each group."""
        return self._than(than)[0]

    def overall_error(self, *, than: int, groups: Sequence[int]) -> Floats:
        """(m,), the standard error of the difference over some groups, by their weights."""
        variances = self._than(than)[1][groups]
        found: Floats = np.sqrt((self._weights[groups, None] ** 2 * variances).sum(axis=0))
        return found

    def _than(self, place: int) -> tuple[Differences, Floats]:
        if place not in self._known:
            values = self._accuracy - self._accuracy[:, [place]]
            means = np.array([values[group].mean(axis=0) for group in self._groups])
            variances = np.array([_variance_of_mean(values[group]) for group in self._groups])
            variances[:, place] = 0
            self._known[place] = _drawn_together(means, variances), variances
        return self._known[place]


def _variance_of_mean(values: Floats) -> Floats:
    count = len(values)
    floor = (_UNSEEN / count) ** 2
    if count < 2:
        return np.full_like(values[0], np.inf)
    spread: Floats = values.var(axis=0, ddof=1)
    found: Floats = np.maximum(spread / count, floor)
    return found


def _drawn_together(means: Floats, variances: Floats) -> Differences:
    """Random effects, a column at a time."""
    known = ~np.isnan(means) & np.isfinite(variances) & (variances > 0)
    weights = np.where(known, 1 / np.where(known, variances, 1), 0)
    between = _between(np.where(known, means, 0), weights)
    spread = np.where(known, 1 / (np.where(known, variances, 1) + between), 0)
    total = spread.sum(axis=0)
    safe = np.where(total > 0, total, 1)
    common = (spread * np.where(known, means, 0)).sum(axis=0) / safe
    own = between / (between + np.where(known, variances, 1))
    own = np.where(known, own, 0)
    alone = (known.sum(axis=0) < 2) & known
    own = np.where(alone, 1, own)
    mean = own * np.where(known, means, 0) + (1 - own) * common
    error = np.sqrt(own * np.where(known, variances, 0) + (1 - own) ** 2 / safe)
    itself = (variances == 0).all(axis=0)
    mean, error = np.where(itself, 0, mean), np.where(itself, 0, error)
    measured = ~np.isnan(means) & ((total > 0) | itself)
    return Differences(np.where(measured, mean, np.nan), np.where(measured, error, np.nan))


def _between(means: Floats, weights: Floats) -> Floats:
    """The variance between groups, by the method of moments; 0 where it does not show."""
    total = weights.sum(axis=0)
    safe = np.where(total > 0, total, 1)
    common = (weights * means).sum(axis=0) / safe
    scatter = (weights * (means - common) ** 2).sum(axis=0)
    degrees = (weights > 0).sum(axis=0) - 1
    scale = total - (weights**2).sum(axis=0) / safe
    return np.maximum(0, (scatter - degrees) / np.where(scale > 0, scale, 1)) * (scale > 0)
