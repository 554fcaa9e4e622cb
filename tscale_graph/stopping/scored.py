"""A stopping rule for scored samples: is a better one still worth looking for?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tscale_graph.stopping.distributions import student_t_cdf, student_t_pdf
from tscale_graph.stopping.standing import Standing

SAMPLE_PRICE = 0.002
"""What a sample costs where no price is given, in the unit of the answer's value."""


@dataclass(frozen=True, slots=True)
class ScorePrior:
    """What is believed of the scores of a question before any is seen.

    A normal distribution with unknown mean and variance, normal-inverse-gamma (Murphy 2007,
    "Conjugate Bayesian analysis of the Gaussian distribution"). The default expects
    the mean and the variance of a uniform score in [0, 1], weighing one sample.

    Attributes:
        mean: expected mean of the scores.
        weight: how many samples the expected mean is worth, positive.
        shape: of the inverse gamma distribution of the variance, above 0.5.
        rate: of the same, positive; the expected variance is rate / (shape - 1).
    """

    mean: float = 0.5
    weight: float = 1.0
    shape: float = 2.0
    rate: float = 1 / 12

    def __post_init__(self) -> None:
        if not (self.weight > 0 and self.rate > 0):
            raise ValueError(f"weight and rate must be positive, got {self.weight} and {self.rate}")
        if self.shape <= 0.5:
            raise ValueError(f"shape must be above 0.5, got {self.shape}")

    def after(self, scores: Sequence[float]) -> ScorePrior:
        """What is believed once these scores are seen."""
        count = len(scores)
        if not count:
            return self
        mean = sum(scores) / count
        weight = self.weight + count
        spread = max(0.0, math.hypot(*scores) ** 2 - count * mean * mean)
        shift = self.weight * count * (mean - self.mean) ** 2 / weight
        return ScorePrior(
            mean=(self.weight * self.mean + count * mean) / weight,
            weight=weight,
            shape=self.shape + count / 2,
            rate=self.rate + (spread + shift) / 2,
        )

    def expected_improvement(self, best: float) -> float:
        """E[max(next score - best, 0)]: the next score is Student-t distributed.

        With z = (best - mean) / s: s [(v + z²) / (v - 1) · t_v(z) - z (1 - T_v(z))].
        """
        degrees = 2 * self.shape
        scale = math.sqrt(self.rate * (self.weight + 1) / (self.shape * self.weight))
        z = (best - self.mean) / scale
        near = (degrees + z * z) / (degrees - 1) * student_t_pdf(z, degrees)
        return max(0.0, scale * (near - z * student_t_cdf(-z, degrees)))


@dataclass(frozen=True, slots=True)
class ExpectedImprovement:
    """Stops when a higher score than the best so far is not worth looking for.

    Optimal stopping as in Pandora's box (Weitzman 1979, Econometrica 47(3)), with the scores'
    distribution learnt while sampling, as BEACON does (arXiv:2510.15945): stop when the
    expected improvement of one more sample, times `value`, is below its price.

    Attributes:
        price: what a token costs, in the unit of `value`; per sample where the standing knows
            no tokens. None prices every sample at 0.002, however long.
        value: what one unit of score is worth, positive.
        prior: what is believed of the scores beforehand.
    """

    price: float | None = None
    value: float = 1.0
    prior: ScorePrior = field(default_factory=ScorePrior)
    name: str = "expected_improvement"

    def __post_init__(self) -> None:
        check_price(self.price)
        if self.value <= 0:
            raise ValueError(f"value must be positive, got {self.value}")

    def settled(self, standing: Standing) -> bool:
        """Whether the expected improvement is not worth a sample. No scores: False."""
        if not standing.scores:
            return False
        believed = self.prior.after(standing.scores)
        gain = believed.expected_improvement(max(standing.scores)) * self.value
        return gain < price_of_sample(self.price, standing)

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """The very next score may be good enough."""
        return 1


def price_of_sample(price: float | None, standing: Standing) -> float:
    """What one more sample costs at that price a token."""
    return SAMPLE_PRICE if price is None else price * (standing.tokens or 1.0)


def check_price(price: float | None) -> None:
    """Raise ValueError unless the price is None or positive."""
    if price is not None and price <= 0:
        raise ValueError(f"price must be positive, got {price}")
