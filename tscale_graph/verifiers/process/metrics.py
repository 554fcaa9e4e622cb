"""How good scores of steps are: what they tell apart, and whether they mean what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tscale_graph.verifiers.process.classifier import Floats, Ints

BINS = 15


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
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for each, wrong in zip(scores, first_wrong, strict=True):
        below = np.flatnonzero(each < threshold)
        found = int(below[0]) if len(below) else None
        hits[wrong is not None].append(found == wrong)
    erroneous, sound = (float(np.mean(hits[kind])) if hits[kind] else 0.0 for kind in (True, False))
    return 2 * erroneous * sound / (erroneous + sound) if erroneous + sound else 0.0
