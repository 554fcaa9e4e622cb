"""Choosing a setting for each class by some questions, so that others can judge the choice.

At a price of cost in accuracy every class takes the setting with the most accuracy less price times
cost (the Lagrangian of the limit). Taken class by class, that would mostly follow luck. So all
classes take the setting that is best for them together, of settings
that are not shown to be worse the cheapest; and a class takes one of its own only where its questions
show that it is better, by twice as much, because it is the best of many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tscale_graph.tuning.evidence import Evidence
from tscale_graph.tuning.hulls import Options, concave_hull, reach, spend
from tscale_graph.tuning.measured import Cost, Floats, Measured

_PRICES = 64
_OF_MANY = 2
"""The best-looking of some thirty settings looks better than it is."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted: a limit on the mean cost, or an accuracy; one of the two.

    Attributes:
        cost: what costs are counted in.
        limit: the most that a request may cost in the mean.
        accuracy: the share of right answers wanted.
        mixed: one class may stand between two settings.
        caution: a dearer setting must be better by more than so many standard errors of the
            difference, one of a class's own by twice as many; 1 is the one-standard-error rule.
        min_questions: classes with fewer questions share one setting.
    """

    cost: Cost
    limit: float | None
    accuracy: float | None
    mixed: bool
    caution: float
    min_questions: int


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
class Fitted:
    """What some questions say of the settings.

    Attributes:
        groups: the classes of each group that shares a setting; most have one.
        shares: of the traffic, of each group, summing to 1.
        columns: of each group, the settings that it was measured with.
        accuracy: (g, m), as believed; nan where not measured.
        costs: (g, m), means.
        path: what is best at each price, from the cheapest to the dearest.
        evidence: for differences between settings.
    """

    groups: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    columns: tuple[tuple[int, ...], ...]
    accuracy: Floats
    costs: Floats
    path: tuple[Priced, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting of each class.

    Attributes:
        settings: of each class, its setting's place, and another with the chance of taking it.
        price: accuracy per cost at the limit.
    """

    settings: dict[str, tuple[int, int, float]]
    price: float


def fit(measured: Measured, aim: Aim, shares: Mapping[str, float]) -> Fitted:
    """What these questions say of the settings.

    Raises:
        ValueError: for a class without a setting that all its questions were measured with.
    """
    members = {name: _places(measured, name) for name in measured.class_names}
    groups = _groups(members, aim.min_questions)
    rows = [np.concatenate([members[name] for name in group]) for group in groups]
    cost = measured.cost(aim.cost)
    usable = ~np.isnan(measured.accuracy) & ~np.isnan(cost)
    columns = [tuple(int(k) for k in np.flatnonzero(usable[row].all(axis=0))) for row in rows]
    for group, found in zip(groups, columns, strict=True):
        if not found:
            raise ValueError(
                f"class {group[0]!r} must have a setting that all its questions were measured "
                f"with, in accuracy and {aim.cost}, got none"
            )
    total = sum(shares[name] for name in members)
    weights = np.array([sum(shares[name] for name in group) / total for group in groups])
    costs = np.full((len(groups), len(measured.settings)), np.nan)
    raw = np.full(costs.shape, np.nan)
    for place, (row, found) in enumerate(zip(rows, columns, strict=True)):
        at = np.array(found)
        costs[place, at] = cost[row][:, at].mean(axis=0)
        raw[place, at] = measured.accuracy[row][:, at].mean(axis=0)
    evidence = Evidence(np.where(usable, measured.accuracy, np.nan), rows, weights)
    chooser = _Chooser(evidence, raw, costs, weights, aim.caution)
    return Fitted(
        groups=groups,
        shares=tuple(float(weight) for weight in weights),
        columns=tuple(columns),
        accuracy=chooser.believed,
        costs=costs,
        path=chooser.path(),
        evidence=evidence,
    )


def choose(fitted: Fitted, aim: Aim) -> Choice:
    """The settings that reach the aim on the questions of the fit.

    The dearest of the path that is within the limit; what is left of it pays for steps to the next,
    class by class, the steepest first. An accuracy likewise.

    Raises:
        ValueError: when the limit does not pay for the cheapest settings.
    """
    below, above = _around(fitted.path, aim)
    options = [
        Options(
            share,
            tuple(float(fitted.costs[group, k]) for k in two),
            tuple(float(fitted.accuracy[group, k]) for k in two),
        )
        for group, (share, two) in enumerate(
            zip(fitted.shares, zip(below.chosen, above.chosen, strict=True), strict=True)
        )
    ]
    if aim.limit is not None:
        spent = spend(options, limit=max(aim.limit, below.cost), mixed=aim.mixed)
    else:
        spent = reach(options, gain=aim.accuracy or 0.0, mixed=aim.mixed)
    settings: dict[str, tuple[int, int, float]] = {}
    for place, (group, taken) in enumerate(zip(fitted.groups, spent.chosen, strict=True)):
        two = below.chosen[place], above.chosen[place]
        other, chance = two[taken], 0.0
        if spent.mixed is not None and spent.mixed.place == place:
            other, chance = two[spent.mixed.other], spent.mixed.chance
        settings.update(dict.fromkeys(group, (two[taken], other, chance)))
    return Choice(settings, below.price)


def outcome(choice: Choice, measured: Measured, values: Floats) -> Floats:
    """(n,), what each question comes to by a choice, in the expectation over a mixture."""
    rows = np.arange(len(measured.ids))
    own, other, chance = (
        np.array([choice.settings[name][part] for name in measured.classes]) for part in range(3)
    )
    own, other = own.astype(np.intp), other.astype(np.intp)
    mixed = np.where(chance > 0, values[rows, other], 0)
    return (1 - chance) * values[rows, own] + chance * mixed


class _Chooser:
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


def _around(path: Sequence[Priced], aim: Aim) -> tuple[Priced, Priced]:
    """The last of the path within the aim, and the first beyond it."""
    if aim.limit is None:
        enough = [k for k, one in enumerate(path) if one.accuracy >= (aim.accuracy or 0.0)]
        place = max(0, enough[0] - 1) if enough else len(path) - 1
    else:
        paid = [k for k, one in enumerate(path) if one.cost <= aim.limit * (1 + 1e-9)]
        if not paid:
            raise ValueError(
                f"mean_{aim.cost} must be at least {path[0].cost:.6g}, what the cheapest settings "
                f"cost in the mean, got {aim.limit:g}"
            )
        place = paid[-1]
    return path[place], path[min(place + 1, len(path) - 1)]


def _groups(
    members: Mapping[str, NDArray[np.intp]], min_questions: int
) -> tuple[tuple[str, ...], ...]:
    """Classes with enough questions by themselves, all others together."""
    large = [(name,) for name, places in members.items() if len(places) >= min_questions]
    small = tuple(name for name, places in members.items() if len(places) < min_questions)
    return (*large, small) if small else tuple(large)


def _places(measured: Measured, name: str) -> NDArray[np.intp]:
    return np.flatnonzero(np.array([one == name for one in measured.classes]))
