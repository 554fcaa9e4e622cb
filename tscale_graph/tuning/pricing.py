"""What each class should take at a price of cost in accuracy.

At a price of cost in accuracy every class takes the setting with the most accuracy less price times
cost (the Lagrangian of the limit). Taken class by class, that would mostly follow luck. So classes
of one kind, those that were measured with the same settings, take what is best for them together,
the cheapest of what is not shown to be worse; and a class takes a setting of its own only where
its questions show that it is better, by twice as much as otherwise, because it is the best of many.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from tscale_graph.tuning.evidence import Evidence
from tscale_graph.tuning.hulls import concave_hull
from tscale_graph.tuning.measured import Floats

_PRICES = 64
_EXACT = 1e-12
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """Groups that were measured with the same settings, by their places."""

    groups: tuple[int, ...]
    columns: tuple[int, ...]


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
        self._kinds = _kinds(costs)
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
        chosen_by: dict[int, int] = {}
        for kind in self._kinds:
            together = self._together(kind, price)
            for group in kind.groups:
                chosen_by[group] = self._of_group(group, kind, price, together)
        chosen = tuple(chosen_by[group] for group in range(len(self._costs)))
        return Priced(
            price=price,
            chosen=chosen,
            cost=float(sum(self._weights[g] * self._costs[g, k] for g, k in enumerate(chosen))),
            accuracy=float(
                sum(self._weights[g] * self.believed[g, k] for g, k in enumerate(chosen))
            ),
        )

    def _together(self, kind: _Kind, price: float) -> int:
        """The setting that is best for all groups of a kind together."""
        groups = list(kind.groups)
        weights = self._weights[groups]
        costs = {k: float(weights @ self._costs[groups, k]) for k in kind.columns}
        worth = {k: float(weights @ self._raw[groups, k]) - price * costs[k] for k in kind.columns}
        best = max(worth, key=lambda k: (worth[k], -costs[k]))
        errors = self._evidence.overall_error(than=best, groups=groups)
        # The cheapest that falls short of the best by no more than caution allows.
        short = {k: worth[best] - worth[k] for k in worth}
        as_good = [k for k in worth if short[k] <= self._caution * float(errors[k]) + _EXACT]
        return min(as_good, key=lambda k: (costs[k], k))

    def _of_group(self, group: int, kind: _Kind, price: float, together: int) -> int:
        """The group's own best where it shows, otherwise what is best together."""
        costs = self._costs[group]
        than = self._evidence.differences(than=together)
        worth = {
            k: float(than.mean[group, k]) - price * float(costs[k] - costs[together])
            for k in kind.columns
        }
        best = max(worth, key=lambda k: (worth[k], -costs[k], -k))
        error = float(than.error[group, best])
        return best if worth[best] > _OF_MANY * self._caution * error else together

    def _believed(self) -> Floats:
        """(g, m), accuracies drawn together, beside the setting that is most accurate for all."""
        found = self._raw.copy()
        for kind in self._kinds:
            groups = list(kind.groups)
            overall = self._weights[groups] @ self._raw[groups]
            best = max(kind.columns, key=lambda k: float(overall[k]))
            than = self._evidence.differences(than=best).mean[groups]
            drawn = self._raw[groups][:, [best]] + than
            found[groups] = np.where(np.isnan(self._raw[groups]), np.nan, drawn)
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


def _kinds(costs: Floats) -> list[_Kind]:
    alike: dict[tuple[int, ...], list[int]] = {}
    for group, row in enumerate(costs):
        columns = tuple(int(k) for k in np.flatnonzero(~np.isnan(row)))
        alike.setdefault(columns, []).append(group)
    return [_Kind(tuple(groups), columns) for columns, groups in alike.items()]
