"""How good scores of steps are: what they tell apart, and whether they mean what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tscale_graph.verifiers.process.classifier import Floats, Ints

BINS = 15


class Measured(NamedTuple):
    """A figure with its 95 % interval.

    Attributes:
        value: what was measured.
        low, high: the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores that are next to each other.

    Attributes:
        score: their mean.
        right: the share of them that was right.
        count: how many.
    """

    score: float
    right: float
    count: int


def auc(scores: Floats, outcomes: Floats) -> float:
    """The probability that a right one scores above a wrong one, ties counted half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0]))
    0.75

    Args:
        scores: [steps].
        outcomes: [steps] 1 for right and 0 for wrong.

    Raises:
        ValueError: when all are right or all are wrong.
    """
    right = outcomes > 0.5
    positives, negatives = int(right.sum()), int((~right).sum())
    if not positives or not negatives:
        raise ValueError("outcomes must have right and wrong ones, got one kind")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[right].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(scores: Floats, outcomes: Floats) -> float:
    """The mean, over the right ones, of the share of right ones among all that score as high.

    Equal scores are one threshold.

    >>> average_precision(np.array([0.9, 0.6, 0.3]), np.array([1.0, 0.0, 1.0])) == (1 + 2 / 3) / 2
    True

    Args:
        scores: [steps].
        outcomes: [steps] 1 for right and 0 for wrong.

    Raises:
        ValueError: when none is right.
    """
    right = outcomes > 0.5
    if not right.any():
        raise ValueError("outcomes must have a right one, got none")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    gained = np.diff(hits[ends], prepend=0)
    return float((gained * hits[ends] / (ends + 1)).sum() / hits[-1])


def log_losses(scores: Floats, values: Floats) -> Floats:
    """How surprised a score is by each value, in nats; scores are kept a billionth off 0 and 1."""
    sure = np.clip(scores, 1e-9, 1 - 1e-9)
    return -(values * np.log(sure) + (1 - values) * np.log(1 - sure))


def brier(scores: Floats, outcomes: Floats) -> float:
    """The mean squared difference."""
    return float(np.mean((scores - outcomes) ** 2))


def reliability(scores: Floats, outcomes: Floats, *, bins: int = BINS) -> list[Bin]:
    """Scores in bins of about equal numbers, ascending; empty ones are left out."""
    order = np.argsort(scores, kind="stable")
    return [
        Bin(float(scores[part].mean()), float(outcomes[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def reliability_intervals(
    scores: Floats,
    outcomes: Floats,
    questions: Sequence[str],
    *,
    rng: np.random.Generator,
    bins: int = BINS,
    draws: int = 1_000,
) -> list[Measured]:
    """The share of right ones in each bin of `reliability`, by the bootstrap over questions."""
    _, places = np.unique(np.asarray(questions), return_inverse=True)
    count = int(places.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)
    found: list[Measured] = []
    for part in np.array_split(np.argsort(scores, kind="stable"), bins):
        if not len(part):
            continue
        right = drawn @ np.bincount(places[part], outcomes[part], minlength=count)
        sizes = drawn @ np.bincount(places[part], minlength=count)
        told = sizes > 0
        low, high = np.quantile(right[told] / sizes[told], (0.025, 0.975)) if told.any() else (0, 1)
        found.append(Measured(float(outcomes[part].mean()), float(low), float(high)))
    return found


def expected_calibration_error(scores: Floats, outcomes: Floats, *, bins: int = BINS) -> float:
    """The mean distance of score and share in bins of equal numbers (Naeini et al. 2015)."""
    found = reliability(scores, outcomes, bins=bins)
    return sum(one.count * abs(one.score - one.right) for one in found) / max(1, len(scores))


def by_questions(
    measure: Callable[[Floats, Floats], float],
    scores: Floats,
    outcomes: Floats,
    questions: Sequence[str],
    *,
    rng: np.random.Generator,
    draws: int = 1_000,
) -> tuple[float, float]:
    """A 95 % interval of a measure: the bootstrap over questions, whose steps hang together.

    Args:
        measure: of scores and outcomes; draws of which it has none are left out.
        scores: [steps].
        outcomes: [steps].
        questions: [steps] the id of the question of each.
        rng: what to draw with.
        draws: of the bootstrap.

    Raises:
        ValueError: when no draw had the measure.
    """
    groups: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        groups.setdefault(question, []).append(place)
    rows: list[Ints] = [np.array(places, dtype=np.int64) for places in groups.values()]
    found: list[float] = []
    for _ in range(draws):
        again: list[int] = rng.integers(len(rows), size=len(rows)).tolist()
        drawn: Ints = np.concatenate([rows[k] for k in again])
        try:
            found.append(measure(scores[drawn], outcomes[drawn]))
        except ValueError:
            continue
    if not found:
        raise ValueError("no draw of questions had right and wrong steps")
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def difference_by_questions(
    first: Floats,
    second: Floats,
    weights: Floats,
    questions: Sequence[str],
    *,
    rng: np.random.Generator,
    draws: int = 1_000,
) -> Measured:
    """The weighted mean of `first` less that of `second`, by the paired bootstrap over questions.

    Args:
        first: [steps] what was measured of each.
        second: [steps] the same of what it is compared with.
        weights: [steps] from 0.
        questions: [steps] the id of the question of each.
        rng: what to draw with.
        draws: of the bootstrap.
    """
    _, places = np.unique(np.asarray(questions), return_inverse=True)
    count = int(places.max()) + 1
    sums = np.bincount(places, weights * (first - second), minlength=count)
    sizes = np.bincount(places, weights, minlength=count)
    drawn = rng.integers(count, size=(draws, count))
    found = sums[drawn].sum(axis=1) / np.maximum(sizes[drawn].sum(axis=1), 1e-12)
    low, high = np.quantile(found, (0.025, 0.975))
    return Measured(float(sums.sum() / sizes.sum()), float(low), float(high))


def first_error_f1(
    scores: Sequence[Floats], first_wrong: Sequence[int | None], *, threshold: float
) -> float:
    """How well the first wrong step is found (ProcessBench; Zheng et al. 2024, arXiv:2412.06559).

    The harmonic mean of two shares: of the solutions with a wrong step, those where the first step
    below the threshold is the first wrong one; of those without, those where none is below it.

    Args:
        scores: of the steps of each solution.
        first_wrong: the place of the first wrong step of each, from 0, or None.
        threshold: a step that scores less is taken for wrong.
    """
    return harmonic_mean(*first_errors(scores, first_wrong, threshold=threshold))


def first_errors(
    scores: Sequence[Floats], first_wrong: Sequence[int | None], *, threshold: float
) -> tuple[Floats, Floats]:
    """Of each solution whether it was told where it goes wrong first, and whether it does.

    Args: as of `first_error_f1`.

    Returns:
        hits and erroneous, as `harmonic_mean` takes them.
    """
    found: list[float] = []
    for each, wrong in zip(scores, first_wrong, strict=True):
        below = np.flatnonzero(each < threshold)
        found.append(float((int(below[0]) if len(below) else None) == wrong))
    return np.array(found), np.array([float(place is not None) for place in first_wrong])


def harmonic_mean(hits: Floats, erroneous: Floats) -> float:
    """Of the share of hits among those that are erroneous and among those that are not.

    0 where either kind is missing or never hit.

    >>> harmonic_mean(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0])) == 2 / 3
    True

    Args:
        hits: [solutions] 1 where it was right about one, else 0.
        erroneous: [solutions] 1 for those of the first kind, else 0.
    """
    kinds = (hits[erroneous > 0.5], hits[erroneous <= 0.5])
    first, second = (float(kind.mean()) if len(kind) else 0.0 for kind in kinds)
    return 2 * first * second / (first + second) if first + second else 0.0
