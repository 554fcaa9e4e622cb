"""What each class should take at a price of cost in accuracy.

At a price of cost in accuracy every class takes the setting with the most accuracy less price times
cost (the Lagrangian of the limit). Taken class by class, that would mostly follow luck. So all
classes take what is best for them together, the cheapest of what is not shown to be worse; and a
class takes a setting of its own only where its questions show that it is better, by twice as much
as otherwise, because it is the best of many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tscale_graph.tuning.evidence import Evidence
from tscale_graph.tuning.hulls import concave_hull
from tscale_graph.tuning.measured import Floats

_PRICES = 64
_OF_MANY = 2
"""The best-looking of some thirty settings looks better than it is."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What is best at a price.

    Attributes:
        price: accuracy per cost.
        chosen: of each group, the place of its setting.
        cost: in the mean over the traffic.
        accuracy: as believed, in the mean over the traffic.
    """

    price: float
    chosen: tuple[int, ...]
    cost: float
    accuracy: float


class Pricing:
    """Chooses at any price.

    Args:
        evidence: for differences between settings.
        raw: (g, m), accuracy as measured.
        costs: (g, m), nan where not measured.
        weights: of the groups in the traffic.
        caution: standard errors by which a difference must show.
    """

    def __init__(
        self, evidence: Evidence, raw: Floats, costs: Floats, weights: Floats, caution: float
    ) -> None:
        self._evidence = evidence
        self._raw = raw
        self._costs = costs
        self._weights = weights
        self._caution = caution
        everywhere = ~np.isnan(costs).any(axis=0)
        self._common = [int(k) for k in np.flatnonzero(everywhere)]
        self._common_cost = {k: float(weights @ costs[:, k]) for k in self._common}
        self.believed = self._believed()

    def path(self) -> tuple[Priced, ...]:
        """From the highest price to 0, without what costs more for no more accuracy."""
        found: list[Priced] = []
        for price in self._prices():
            one = self._at(price)
            if not found or (one.cost > found[-1].cost and one.accuracy > found[-1].accuracy):
                found.append(one)
        return tuple(found)

    def _at(self, price: float) -> Priced:
        together = self._together(price)
        groups = range(len(self._costs))
        chosen = tuple(self._of_group(group, price, together) for group in groups)
        return Priced(
            price=price,
            chosen=chosen,
            cost=float(sum(self._weights[g] * self._costs[g, k] for g, k in enumerate(chosen))),
            accuracy=float(
                sum(self._weights[g] * self.believed[g, k] for g, k in enumerate(chosen))
            ),
        )

    def _together(self, price: float) -> int | None:
        """The setting that is best for all groups together; None where they have none in common."""
        if not self._common:
            return None
        worth = {
            k: float(self._weights @ self._raw[:, k]) - price * self._common_cost[k]
            for k in self._common
        }
        best = max(worth, key=lambda k: (worth[k], -self._common_cost[k]))
        errors = self._evidence.overall_error(than=best)
        return self._cheapest(
            self._common,
            costs=self._common_cost,
            short={k: worth[best] - worth[k] for k in worth},
            errors={k: float(errors[k]) for k in worth},
        )

    def _of_group(self, group: int, price: float, together: int | None) -> int:
        """The group's own best where it shows, otherwise what is best together."""
        columns = [int(k) for k in np.flatnonzero(~np.isnan(self._costs[group]))]
        costs = {k: float(self._costs[group, k]) for k in columns}
        if together is None:
            worth = {k: float(self._raw[group, k]) - price * costs[k] for k in columns}
        else:
            than = self._evidence.differences(than=together)
            worth = {
                k: float(than.mean[group, k]) - price * (costs[k] - costs[together])
                for k in columns
            }
        best = max(worth, key=lambda k: (worth[k], -costs[k], -k))
        if together is not None:
            error = float(self._evidence.differences(than=together).error[group, best])
            return best if worth[best] > _OF_MANY * self._caution * error else together
        beside = self._evidence.differences(than=best)
        return self._cheapest(
            columns,
            costs=costs,
            short={k: worth[best] - worth[k] for k in columns},
            errors={k: float(beside.error[group, k]) for k in columns},
        )

    def _cheapest(
        self,
        places: Iterable[int],
        *,
        costs: Mapping[int, float],
        short: Mapping[int, float],
        errors: Mapping[int, float],
    ) -> int:
        """The cheapest that falls short of the best by no more than caution allows."""
        as_good = [k for k in places if short[k] <= self._caution * errors[k] + 1e-12]
        return min(as_good, key=lambda k: (costs[k], k))

    def _believed(self) -> Floats:
        """(g, m), accuracies drawn together, beside the setting that is most accurate for all."""
        found = self._raw.copy()
        if self._common:
            best = max(self._common, key=lambda k: float(self._weights @ self._raw[:, k]))
            than = self._evidence.differences(than=best).mean
            found = np.where(np.isnan(self._raw), np.nan, self._raw[:, [best]] + than)
        return np.clip(found, 0, 1)

    def _prices(self) -> list[float]:
        """Prices at which choices change, roughly: between the extreme slopes of the hulls."""
        slopes: list[float] = []
        for costs, gains in zip(self._costs, self._raw, strict=True):
            known = [int(k) for k in np.flatnonzero(~np.isnan(costs))]
            hull = [known[k] for k in concave_hull(costs[known].tolist(), gains[known].tolist())]
            slopes += [
                float((gains[high] - gains[low]) / (costs[high] - costs[low]))
                for low, high in itertools.pairwise(hull)
            ]
        if not slopes:
            return [0.0]
        low, high = min(slopes) / 4, max(slopes) * 4
        return [*(float(price) for price in np.geomspace(high, low, _PRICES)), 0.0]
