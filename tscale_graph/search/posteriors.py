"""What the mean score of an arm may be, after what was seen of it: conjugate posteriors, drawn from.

Each draws for many arms at once, from sufficient statistics alone: the number of scores, their sum
and the sum of their squares. Scores in flight count as virtual ones at the arm's posterior mean: an
arm that is being tried already is drawn closer to what it is known for, so that the tries of one
batch spread over arms of which less is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tscale_graph.search.tree import Floats


class Posterior(Protocol):
    """Draws mean scores."""

    def draw(
        self,
        counts: Floats,
        sums: Floats,
        squares: Floats,
        pending: Floats,
        rng: np.random.Generator,
    ) -> Floats:
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
        counts: Floats,
        sums: Floats,
        squares: Floats,
        pending: Floats,
        rng: np.random.Generator,
    ) -> Floats:
        """From Beta(a + S, b + n - S), the parameters scaled up for what is in flight."""
        known = counts + (self.successes + self.failures)
        surer = 1.0 + pending / known
        first = (sums + self.successes) * surer
        drawn = rng.standard_gamma(np.concatenate((first, known * surer - first)))
        won, lost = drawn[: len(first)], drawn[len(first) :]
        return won / (won + lost)


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
        counts: Floats,
        sums: Floats,
        squares: Floats,
        pending: Floats,
        rng: np.random.Generator,
    ) -> Floats:
        """The variance from its inverse gamma, then the mean from its normal distribution."""
        seen = counts + self.mean_weight
        centre = (sums + self.mean_weight * self.mean) / seen
        # The squares around the posterior mean and the prior's pull come to this in one step.
        spread = squares + self.mean_weight * self.mean**2 - seen * centre * centre
        scale = self.variance_weight * self.variance + np.maximum(spread, 0.0)
        half_weight = 0.5 * (self.variance_weight + counts + pending)
        variance = 0.5 * scale / rng.standard_gamma(half_weight)
        noise = rng.standard_normal(len(centre))
        return centre + noise * np.sqrt(variance / (seen + pending))
