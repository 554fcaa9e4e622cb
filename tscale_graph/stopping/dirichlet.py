"""Adaptive consistency over more than two answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from tscale_graph.stopping.distributions import gamma_cdf, probability_of_lead
from tscale_graph.stopping.standing import Standing
from tscale_graph.stopping.voting import Beta, check_confidence

_ANSWERS = 5
"""The leading answers that are looked at, as in the authors' code."""
_TAIL = 1e-8
_STEPS_PER_DEVIATION = 3


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """Stops when the leading answer is likely to be the most probable of all that were seen.

    Adaptive consistency (Aggarwal et al. 2023, arXiv:2305.11860), Dirichlet variant: stop when
    the leader has the largest probability under Dirichlet(counts + 1) with at least this
    confidence. Over the five leading answers; with fewer than three it is the Beta rule.

    Attributes:
        confidence: in (0.5, 1).
    """

    confidence: float = 0.95
    name: str = "dirichlet"

    def __post_init__(self) -> None:
        check_confidence(self.confidence)

    def settled(self, standing: Standing) -> bool:
        """Whether the leader is the mode with the wanted confidence. No votes: False."""
        return self._leads(standing.counts[:_ANSWERS])

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples needed if every one of them voted for the leader.

        No fewer than the Beta rule needs, since beating all others includes beating the
        runner-up.
        """
        low = high = Beta(self.confidence).soonest(standing, limit=limit)
        first, *others = standing.counts[:_ANSWERS] or (0,)
        while high < limit and not self._leads((first + high, *others)):
            low, high = high + 1, min(2 * high - low + 1, limit)
        while low < high:
            middle = (low + high) // 2
            if self._leads((first + middle, *others)):
                high = middle
            else:
                low = middle + 1
        return high

    def _leads(self, counts: tuple[int, ...]) -> bool:
        if not counts:
            return False
        first, *others = counts
        against = [1 - probability_of_lead(first, other) for other in others or (0,)]
        if 1 - against[0] < self.confidence:
            return False  # beating all is no likelier than beating the runner-up
        if 1 - sum(against) >= self.confidence:
            return True  # losing to any is no likelier than the sum of losing to each
        return probability_of_mode(counts) >= self.confidence


@lru_cache(maxsize=4096)
def probability_of_mode(counts: tuple[int, ...]) -> float:
    """P(the first answer has the largest probability) under Dirichlet(counts + 1).

    Dirichlet variables are independent gamma variables over their sum, so this is the integral
    of the first one's density times the others' distribution functions. Over log x the
    integrand is smooth and falls off on both sides, where the trapezoidal rule converges
    exponentially. Accurate to 1e-6.

    >>> round(probability_of_mode((3, 3, 3)), 6)
    0.333333
    """
    first, *others = counts
    shape = first + 1
    deviation = 1 / math.sqrt(shape)
    step = deviation / _STEPS_PER_DEVIATION
    log_scale = math.log(step) - math.lgamma(shape)
    centre = math.log(shape)
    total = 0.0
    for direction in (1, -1):
        place = 0 if direction == 1 else 1
        while True:
            log_x = centre + direction * place * step
            x = math.exp(log_x)
            density = math.exp(shape * log_x - x + log_scale)
            if density < _TAIL:
                break
            total += density * _product_of_cdfs(others, x)
            place += 1
    return total


def _product_of_cdfs(counts: list[int], x: float) -> float:
    product, of_last, last = 1.0, 1.0, -1
    for count in counts:
        if count != last:
            of_last, last = gamma_cdf(count + 1, x), count
        product *= of_last
    return product
