"""Choosing a setting for each class by some questions, so that others can judge the choice.

What is best at a price is found in `pricing`; here a price is found for the aim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tscale_graph.tuning.evidence import Evidence
from tscale_graph.tuning.hulls import Options, reach, spend
from tscale_graph.tuning.measured import Cost, Floats, Measured
from tscale_graph.tuning.pricing import Priced, Pricing


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
    chooser = Pricing(evidence, raw, costs, weights, aim.caution)
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
