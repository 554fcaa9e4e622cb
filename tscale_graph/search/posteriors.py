"""What the mean score of an arm may be after what was seen of it: posteriors to draw from.

Each draws for one arm, or for many at once, from sufficient statistics alone: the number of scores,
their sum and the sum of their squares. Scores in flight count as virtual ones at the arm's
posterior mean: an arm that is being tried already is drawn closer to what it is known for, so that
the tries of one batch spread over arms of which less is known.

Leaving them out, counting them as zeros or half as zeros, or counting them among children alone
finds no more by batches of 8 on the landscapes of tests/search, and zeros find less where refining
helps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np

from tscale_graph.search.tree import Floats

Amounts = TypeVar("Amounts", float, Floats)
"""Of one arm, or [arms]."""
_FEW = 12
"""Up to this many arms it is faster to draw from beta distributions one by one."""


class Posterior(Protocol):
    """Draws mean scores."""

    def draw(
        self,
        counts: Amounts,
        sums: Amounts,
        squares: Amounts,
        pending: Amounts,
        rng: np.random.Generator,
    ) -> Amounts:
        """One draw of the mean score of each arm.

        Args:
            counts: [arms] how many scores were seen, 0 or more.
            sums: [arms] their sums.
            squares: [arms] the sums of their squares.
            pending: [arms] how many more are in flight.
            rng: what to draw with.
        """
        ...


@dataclass(frozen=True, slots=True)
class BetaScores:
    """Scores in [0, 1] as fractional successes (Inoue et al. 2025, arXiv:2503.04412).

    A score r adds r to the first parameter and 1 - r to the second.

    Attributes:
        successes: the prior's first parameter, above 0.
        failures: its second, above 0.
    """

    successes: float = 0.5
    failures: float = 0.5

    def draw(
        self,
        counts: Amounts,
        sums: Amounts,
        squares: Amounts,
        pending: Amounts,
        rng: np.random.Generator,
    ) -> Amounts:
        """From Beta(a + S, b + n - S), the parameters scaled up for what is in flight."""
        known = counts + (self.successes + self.failures)
        surer = 1.0 + pending / known
        first = (sums + self.successes) * surer
        second = known * surer - first
        if isinstance(first, np.ndarray) and len(first) <= _FEW:
            parameters = cast("list[list[float]]", np.array((first, second)).tolist())
            return cast("Amounts", np.array(list(map(rng.beta, *parameters))))
        return cast("Amounts", rng.beta(first, second))


@dataclass(frozen=True, slots=True)
class GaussianScores:
    """Scores with unknown mean and variance: normal-inverse-gamma.

    As in AB-MCTS-A (Inoue et al. 2025, arXiv:2503.04412), with its defaults: the draw is of
    the mean, not of a score.

    Attributes:
        mean: the prior's mean.
        mean_weight: how many scores that counts as, above 0.
        variance: the prior's variance, above 0.
        variance_weight: how many scores that counts as, above 0.
    """

    mean: float = 0.0
    mean_weight: float = 1.0
    variance: float = 0.1
    variance_weight: float = 1.0

    def draw(
        self,
        counts: Amounts,
        sums: Amounts,
        squares: Amounts,
        pending: Amounts,
        rng: np.random.Generator,
    ) -> Amounts:
        """From Student's t: what the normal is with its variance from the inverse gamma.

        For many arms by t² = n (u^(-2/n) - 1) cos²(2πv), u and v uniform (Bailey 1994), which is
        several times as fast as a gamma draw for each.
        """
        seen = counts + self.mean_weight
        centre = (sums + self.mean_weight * self.mean) / seen
        # The squares around the posterior mean and the prior's pull come to this in one step;
        # where there is nothing but rounding, it may be below 0.
        spread = squares + self.mean_weight * self.mean**2 - seen * centre * centre
        scale = self.variance_weight * self.variance + abs(spread)
        weight = self.variance_weight + counts + pending
        seen = seen + pending
        if isinstance(centre, np.ndarray):
            tail = np.expm1(rng.standard_exponential(centre.shape) * (2.0 / weight))
            angle = rng.random(centre.shape) * (2.0 * math.pi)
            drawn = np.sqrt(scale / seen * tail) * np.cos(angle)
        else:
            drawn = math.sqrt(scale / (weight * seen)) * rng.standard_t(weight)
        return cast("Amounts", centre + drawn)
