"""What to expect on new questions, with intervals, and which differences the data shows.

Questions are the units that are drawn: the replays of one question are not independent of each
other. Intervals are Bayesian bootstraps (Rubin 1981, Annals of Statistics 9(1)) within each class,
so the traffic's shares stay as they are; for accuracies each class has half a right and half a
wrong question added (Jeffreys), or a class that was always right would seem certain to stay so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from tscale_graph.tuning.measured import Floats

_DRAWS = 2000
_TAIL = 2.5


class Interval(BaseModel):
    """A mean with its 95 % intervals.

    Attributes:
        mean: over the questions, by the traffic's shares.
        low: of the interval of the mean in the long run.
        high: of the same.
        next_low: of the interval of the mean over as many new questions as these.
        next_high: of the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    low: float
    high: float
    next_low: float
    next_high: float

    def holds(self, mean: float) -> bool:
        """Whether a mean over as many new questions is as was to be expected."""
        return self.next_low <= mean <= self.next_high


class Expected(BaseModel):
    """What to expect of a request on new questions.

    Attributes:
        accuracy: share of right answers.
        cost: in the unit that was tuned for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: Interval
    cost: Interval


class Draws:
    """Weights of the questions in each of 2,000 draws.

    Args:
        classes: of each question, n.
        shares: of each class, summing to 1.
        rng: draws.
    """

    def __init__(
        self, classes: Sequence[str], shares: Mapping[str, float], rng: np.random.Generator
    ) -> None:
        names = np.array(classes)
        self.weights: Floats = np.zeros(len(classes))
        self._drawn: tuple[Floats, Floats] = (
            np.zeros((_DRAWS, len(classes))),
            np.zeros((_DRAWS, len(classes))),
        )
        self._right: tuple[Floats, Floats] = np.zeros(_DRAWS), np.zeros(_DRAWS)
        self._known: tuple[Floats, Floats] = (
            np.zeros((_DRAWS, len(classes))),
            np.zeros((_DRAWS, len(classes))),
        )
        for name, share in shares.items():
            places = np.flatnonzero(names == name)
            self.weights[places] = share / len(places)
            for k in range(2):
                drawn = rng.standard_gamma(1.0, (_DRAWS, len(places)))
                added = rng.standard_gamma(0.5, (_DRAWS, 2))
                total = drawn.sum(axis=1) + added.sum(axis=1)
                self._drawn[k][:, places] = share * drawn / total[:, None]
                self._right[k][:] += share * added[:, 0] / total
                self._known[k][:, places] = share * drawn / drawn.sum(axis=1)[:, None]

    def mean(self, values: Floats) -> float:
        """Of (n,) values, by the traffic's shares."""
        return float(self.weights @ values)

    def accuracy(self, values: Floats) -> Interval:
        """Of the chance of a right answer to each question."""
        here, next_ = (self._drawn[k] @ values + self._right[k] for k in range(2))
        found = _interval(self.mean(values), here, next_)
        return Interval(**{k: min(1.0, max(0.0, v)) for k, v in found.model_dump().items()})

    def cost(self, values: Floats) -> Interval:
        """Of what each question costs."""
        return _interval(self.mean(values), *(self._known[k] @ values for k in range(2)))

    def difference(self, values: Floats) -> tuple[float, float, float, float]:
        """The mean of differences, its interval, and the p-value of no difference (two-sided).

        By the standard error over questions within classes; a class of one question has none.
        """
        drawn = self._known[0] @ values
        mean = self.mean(values)
        low, high = (float(v) for v in np.percentile(drawn, [_TAIL, 100 - _TAIL]))
        error = float(drawn.std())
        if error == 0:
            return mean, low, high, float(mean == 0)
        return mean, low, high, math.erfc(abs(mean) / error / math.sqrt(2))


def expected(draws: Draws, accuracy: Floats, cost: Floats) -> Expected:
    """What to expect, from what each question comes to."""
    return Expected(accuracy=draws.accuracy(accuracy), cost=draws.cost(cost))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values such that with all of them below 0.05, one is wrong at most so often.

    Holm 1979, Scandinavian Journal of Statistics 6(2).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted = [0.0] * len(p_values)
    so_far = 0.0
    for rank, place in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = so_far
    return adjusted


def in_folds(classes: Sequence[str], *, folds: int, rng: np.random.Generator) -> list[int]:
    """The fold of each question, as even as can be within each class, in a drawn order."""
    names = np.array(classes)
    drawn = np.zeros(len(classes), dtype=np.intp)
    for name in dict.fromkeys(classes):
        places = rng.permutation(np.flatnonzero(names == name))
        first = int(rng.integers(folds))
        drawn[places] = (np.arange(len(places)) + first) % folds
    return [int(fold) for fold in drawn]


def _interval(mean: float, here: Floats, next_: Floats) -> Interval:
    low, high = np.percentile(here, [_TAIL, 100 - _TAIL])
    new = here + next_ - next_.mean()
    next_low, next_high = np.percentile(new, [_TAIL, 100 - _TAIL])
    return Interval(
        mean=mean,
        low=float(low),
        high=float(high),
        next_low=float(next_low),
        next_high=float(next_high),
    )
