"""Stop when no number of further samples is worth its price."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from tscale_graph.stopping.answer_prior import AnswerPrior
from tscale_graph.stopping.foresight import best_gain_per_sample
from tscale_graph.stopping.scored import check_price, price_of_sample
from tscale_graph.stopping.standing import Standing

_ONE_BY_ONE = 8
_FARTHEST = 16
"""The farthest horizon: twice as far changed no decision on ten exams, at ten times the cost."""


@dataclass(frozen=True, slots=True)
class ValueOfInformation:
    """Stops when the best expected gain per token is worth less than the user's price.

    The gain of m further samples is the probability that the vote is right after them, less
    the probability that it is right now. One more vote rarely changes the winner, so the best
    rate over m = 1, 2, 4, 8, 16 counts (the knowledge gradient over horizons: "Paradoxes in
    learning and the marginal value of information", Frazier and Powell 2010). It gives up early
    on hopeless questions and takes longer on contested ones. Expectations are sums, not
    simulations: equal standings get equal decisions.

    A sample without a readable answer is paid for and casts no vote, so the gain is multiplied
    by the share of samples that do, (votes + 1) / (samples + 1).

    Attributes:
        price: what a token is worth in probability of a right answer; per sample where the
            standing knows no tokens. None prices every sample at 0.002, however long.
        prior: what is believed of such questions; `AnswerPrior.fit` learns it from recordings.
    """

    price: float | None = None
    prior: AnswerPrior = field(default_factory=AnswerPrior)
    name: str = "value_of_information"

    def __post_init__(self) -> None:
        check_price(self.price)

    def settled(self, standing: Standing) -> bool:
        """Whether no horizon is worth its price. No samples: False."""
        if not standing.samples or standing.left == 0:
            return standing.left == 0
        return self.gain(standing) < price_of_sample(self.price, standing)

    def gain(self, standing: Standing) -> float:
        """What a further sample is worth, in probability of a right answer; whatever its price."""
        return gain_per_sample(
            standing.counts,
            samples=standing.samples,
            horizon=_horizon(standing.left),
            prior=self.prior,
        )

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples after which it would stop if all agreed, all differed, or none were readable."""
        reached, step = 0, 1
        while reached < limit and not self._could_stop(standing, reached + step):
            reached += step
            step = 1 if reached < _ONE_BY_ONE else min(2 * step, limit - reached)
        first, last = reached + 1, min(reached + step, limit)
        while first < last:
            middle = (first + last) // 2
            first, last = (
                (first, middle) if self._could_stop(standing, middle) else (middle + 1, last)
            )
        return min(last, limit)

    def _could_stop(self, standing: Standing, more: int) -> bool:
        return any(self.settled(after) for after in _extremes(standing, more))


@lru_cache(maxsize=65536)
def gain_per_sample(
    counts: tuple[int, ...], *, samples: int, horizon: int, prior: AnswerPrior
) -> float:
    """The best gain in P(the vote is right) per further sample, over 1, 2, 4, … `horizon` of them.

    Args:
        counts: votes for each distinct answer, most first.
        samples: taken so far, unreadable ones included.
        horizon: a power of 2.
        prior: what is believed of such questions.
    """
    votes = sum(counts)
    readable = (votes + 1) / (max(samples, votes) + 1)
    groups = tuple(Counter(counts).items())
    return readable * best_gain_per_sample(groups, horizon=horizon, prior=prior)


def _horizon(left: int | None) -> int:
    """The farthest horizon to look at: a power of 2."""
    nearest = _FARTHEST if left is None else min(left, _FARTHEST)
    return 1 << (nearest.bit_length() - 1)


def _extremes(standing: Standing, more: int) -> list[Standing]:
    """Where so many further samples lead when they are all of one kind."""
    leader, *others = standing.counts or (0,)
    kinds = [(leader + more, *others), (*standing.counts, *(1,) * more), standing.counts]
    if others:
        kinds.append(tuple(sorted((leader, others[0] + more, *others[1:]), reverse=True)))
    return [
        Standing(
            counts=counts,
            samples=standing.samples + more,
            left=None if standing.left is None else max(0, standing.left - more),
            tokens=standing.tokens,
        )
        for counts in kinds
    ]
