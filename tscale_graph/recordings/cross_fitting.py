"""Choosing a ratio on some questions and measuring it on others, so that luck is not counted.

The best of many noisy figures is better than it will ever be again. So each question is judged by
what the questions of the other folds chose.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from tscale_graph.recordings.revising import Expected, Ratio

Table = Mapping[Ratio, Expected]
"""Of one question, what each ratio comes to."""

_DRAWS = 2000
_MIDDLE = 0.95


class RatioEstimate(BaseModel):
    """What a ratio came to on some questions, that may have been those it was chosen on.

    Attributes:
        ratio: chains and revisions.
        accuracy: share of the questions that it answers right, in [0, 1].
        standard_error: of the accuracy, over questions; 0 for a single one.
        tokens: of a question, in the mean.
        calls: of a question, in the mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratio: Ratio
    accuracy: float
    standard_error: float
    tokens: float
    calls: float


class HeldOut(BaseModel):
    """What a way of choosing came to on questions that it had not seen.

    Attributes:
        accuracy: share of the questions that were answered right, in [0, 1].
        standard_error: of the accuracy, over questions; 0 for a single one.
        low: of the 95 % interval of the accuracy, a bootstrap over questions.
        high: of the same.
        tokens: of a question, in the mean.
        calls: of a question, in the mean.
        each: the expected accuracy on each question, in the order of the questions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float
    standard_error: float
    low: float
    high: float
    tokens: float
    calls: float
    each: tuple[float, ...]


def estimate(tables: Sequence[Table], ratio: Ratio) -> RatioEstimate:
    """A ratio on some questions, at least one."""
    at = [table[ratio] for table in tables]
    rights = [one.accuracy for one in at]
    return RatioEstimate(
        ratio=ratio,
        accuracy=fmean(rights),
        standard_error=standard_error(rights),
        tokens=fmean(one.tokens for one in at),
        calls=fmean(one.calls for one in at),
    )


def cross_fitted(
    tables: Sequence[Table],
    folds: Sequence[int],
    pick: Callable[[Sequence[Table]], Ratio],
) -> list[Expected]:
    """What each question comes to with the ratio that the questions of the other folds chose.

    Args:
        tables: of the questions.
        folds: of each question its fold; at least two different ones.
        pick: chooses a ratio by some tables, at least one.
    """
    chosen = {
        fold: pick([table for table, other in zip(tables, folds, strict=True) if other != fold])
        for fold in set(folds)
    }
    return [table[chosen[fold]] for table, fold in zip(tables, folds, strict=True)]


def held_out(outcomes: Sequence[Expected], *, seed: int) -> HeldOut:
    """The outcomes of at least one question put together; the seed is of the bootstrap."""
    rights = [one.accuracy for one in outcomes]
    rng = random.Random(f"interval/{seed}")
    drawn = sorted(fmean(rng.choices(rights, k=len(rights))) for _ in range(_DRAWS))
    tail = round((1 - _MIDDLE) / 2 * _DRAWS)
    return HeldOut(
        accuracy=fmean(rights),
        standard_error=standard_error(rights),
        low=drawn[tail],
        high=drawn[-1 - tail],
        tokens=fmean(one.tokens for one in outcomes),
        calls=fmean(one.calls for one in outcomes),
        each=tuple(rights),
    )


def in_folds(count: int, *, folds: int, rng: random.Random) -> list[int]:
    """The fold of each of so many questions, as even as can be, in a drawn order."""
    drawn = [place % folds for place in range(count)]
    rng.shuffle(drawn)
    return drawn


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of some values; 0 for a single one."""
    count, mean = len(values), fmean(values)
    if count < 2:
        return 0.0
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (count - 1) / count)
