"""How to spend a mean cost over classes: up the concave hulls, the steepest step first.

Of each class the settings are points (cost, gain). Without rounding to whole classes the best is a
linear program, and to climb the classes' upper concave hulls in the order of their slopes
solves it exactly; at most one class stands between two settings. The slope of the last step is the
price of cost in gain (Everett 1963, Operations Research 11(3); the price of Damani et al. 2024,
arXiv:2410.04707).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Options:
    """What may be done with one class.

    Attributes:
        share: of the traffic, positive.
        costs: of each option, at least one.
        gains: of each option, beside its cost.
    """

    share: float
    costs: tuple[float, ...]
    gains: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise ValueError(f"share must be positive, got {self.share}")
        if not self.costs or len(self.costs) != len(self.gains):
            raise ValueError(
                f"costs and gains must be as many, at least one, got {len(self.costs)} "
                f"and {len(self.gains)}"
            )


@dataclass(frozen=True, slots=True)
class Mixture:
    """One class between two options.

    Attributes:
        place: of the class.
        other: the option that it takes now and then instead of its own.
        chance: how often, in (0, 1).
    """

    place: int
    other: int
    chance: float


@dataclass(frozen=True, slots=True)
class Spending:
    """Which option each class takes.

    Attributes:
        chosen: of each class, the place of its option.
        mixed: the class that stands between two options, or None.
        price: gain per cost of the step at which the limit stands; 0 when nothing is left to buy.
        cost: in the mean over the traffic.
        gain: likewise.
    """

    chosen: tuple[int, ...]
    mixed: Mixture | None
    price: float
    cost: float
    gain: float


@dataclass(frozen=True, slots=True)
class _Step:
    slope: float
    place: int
    option: int
    cost: float
    gain: float


def concave_hull(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """The places of the options on the upper concave hull, cheapest first, gains rising.

    Of options that are the same the first counts.

    >>> concave_hull([1, 2, 3, 4], [0.0, 0.1, 0.4, 0.3])
    [0, 2]
    """
    hull: list[int] = []
    for place in sorted(range(len(costs)), key=lambda k: (costs[k], -gains[k], k)):
        if hull and gains[place] <= gains[hull[-1]]:
            continue
        while len(hull) > 1 and not _turns_down(costs, gains, hull[-2], hull[-1], place):
            hull.pop()
        hull.append(place)
    return hull


def spend(classes: Sequence[Options], *, limit: float, mixed: bool = False) -> Spending:
    """The most gain for a mean cost over the traffic of at most `limit`.

    Shares are taken relative to their sum. With `mixed` this is the optimum of the linear
    program. Without, no class is mixed: what is left at the first step that does not fit goes to
    any later option that does, the steepest first.

    Raises:
        ValueError: when the cheapest options cost more than the limit, or there are no classes.
    """
    start, steps, weights = _climb(classes)
    cost = sum(w * one.costs[k] for w, one, k in zip(weights, classes, start, strict=True))
    if cost > limit + _ROUNDING * max(1.0, abs(limit)):
        raise ValueError(f"the limit must be at least {cost:.6g}, the cheapest, got {limit:g}")
    chosen = list(start)
    price, mixture = 0.0, None
    for step in steps:
        if cost + step.cost <= limit + _ROUNDING * max(1.0, abs(limit)):
            chosen[step.place] = step.option
            cost += step.cost
            continue
        price = step.slope
        if mixed and limit > cost:
            mixture = Mixture(step.place, step.option, (limit - cost) / step.cost)
        break
    if not mixed:
        _fill(classes, weights, chosen, limit - cost)
    return _spending(classes, weights, chosen, mixture, price)


def reach(classes: Sequence[Options], *, gain: float, mixed: bool = False) -> Spending:
    """The least cost for a mean gain of at least `gain`; the most gain there is where that is less.

    Without `mixed` no class is mixed, and the last step that is taken may reach beyond.
    """
    start, steps, weights = _climb(classes)
    chosen = list(start)
    have = sum(w * one.gains[k] for w, one, k in zip(weights, classes, start, strict=True))
    price, mixture = 0.0, None
    for step in steps:
        missing = gain - have
        if missing <= _ROUNDING:
            break
        price = step.slope
        if mixed and step.gain > missing:
            mixture = Mixture(step.place, step.option, missing / step.gain)
            break
        chosen[step.place] = step.option
        have += step.gain
    return _spending(classes, weights, chosen, mixture, price)


def _climb(classes: Sequence[Options]) -> tuple[list[int], list[_Step], list[float]]:
    """The cheapest options, the steps up from them, steepest first, and shares that sum to 1."""
    if not classes:
        raise ValueError("there must be at least one class, got none")
    total = sum(one.share for one in classes)
    weights = [one.share / total for one in classes]
    start: list[int] = []
    steps: list[_Step] = []
    for place, (one, weight) in enumerate(zip(classes, weights, strict=True)):
        hull = concave_hull(one.costs, one.gains)
        start.append(hull[0])
        for low, high in itertools.pairwise(hull):
            cost, gain = one.costs[high] - one.costs[low], one.gains[high] - one.gains[low]
            steps.append(_Step(gain / cost, place, high, weight * cost, weight * gain))
    return start, sorted(steps, key=lambda step: (-step.slope, step.cost)), weights


def _fill(
    classes: Sequence[Options], weights: Sequence[float], chosen: list[int], left: float
) -> None:
    """Take what still fits, the steepest first, until nothing does."""
    while True:
        best: tuple[float, int, int, float] | None = None
        for place, (one, weight) in enumerate(zip(classes, weights, strict=True)):
            now = chosen[place]
            for option in range(len(one.costs)):
                cost = weight * (one.costs[option] - one.costs[now])
                gain = weight * (one.gains[option] - one.gains[now])
                if gain <= 0 or cost > left + _ROUNDING:
                    continue
                slope = gain / cost if cost > 0 else float("inf")
                if best is None or slope > best[0]:
                    best = slope, place, option, cost
        if best is None:
            return
        chosen[best[1]] = best[2]
        left -= best[3]


def _spending(
    classes: Sequence[Options],
    weights: Sequence[float],
    chosen: Sequence[int],
    mixed: Mixture | None,
    price: float,
) -> Spending:
    cost = sum(w * one.costs[k] for w, one, k in zip(weights, classes, chosen, strict=True))
    gain = sum(w * one.gains[k] for w, one, k in zip(weights, classes, chosen, strict=True))
    if mixed:
        one, now = classes[mixed.place], chosen[mixed.place]
        weight = weights[mixed.place] * mixed.chance
        cost += weight * (one.costs[mixed.other] - one.costs[now])
        gain += weight * (one.gains[mixed.other] - one.gains[now])
    return Spending(tuple(chosen), mixed, price, cost, gain)


def _turns_down(costs: Sequence[float], gains: Sequence[float], a: int, b: int, c: int) -> bool:
    """Whether the way from b to c is less steep than from a to b."""
    first = (gains[b] - gains[a]) * (costs[c] - costs[b])
    return first > (gains[c] - gains[b]) * (costs[b] - costs[a])
