"""Thresholds of a cascade, learnt from what each of its rungs made of the same questions.

learnt = learn_thresholds(climbs)
graph = cascade([small, large], accept=learnt.accept)
learnt.accuracy, learnt.cost, learnt.frontier
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from tscale_graph.recordings.climbs import Array, Climb, EveryWay, Point, in_order


class Estimate(BaseModel):
    """A mean over questions, with the middle 95 % of its bootstrap draws.

    Attributes:
        mean: what to expect on new questions.
        low: of the interval.
        high: of the interval.
    """

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float


class LearntThresholds(BaseModel):
    """Thresholds, and what to expect of them.

    Attributes:
        accept: one threshold for each rung but the last, as `cascade` takes them.
        accuracy: to expect on new questions.
        cost: likewise, of a question.
        gain: accuracy less that of the last rung alone, likewise.
        cost_ratio: cost over that of the last rung alone, likewise.
        last: what the last rung alone comes to here.
        answered: the share of the questions that each rung answers here.
        frontier: the thresholds that no others beat in both accuracy and cost, cheap first.
        questions: how many they were learnt from.
        notes: what should be known before they are used.
    """

    model_config = ConfigDict(frozen=True)

    accept: tuple[float, ...]
    accuracy: Estimate
    cost: Estimate
    gain: Estimate
    cost_ratio: Estimate
    last: Point
    answered: tuple[float, ...]
    frontier: tuple[Point, ...]
    questions: int
    notes: tuple[str, ...] = ()


def learn_thresholds(
    climbs: Sequence[Climb],
    *,
    tolerance: float = 0.01,
    max_cost: float | None = None,
    guard: float = 0.5,
    at_least: int = 50,
    draws: int = 500,
    seed: int = 0,
) -> LearntThresholds:
    """The thresholds that reach the last rung's accuracy at least cost, or the best for a cost.

    Every combination of thresholds between ratings that occur is tried, on all questions: exactly
    where there are at most 4096 of them, which 2 rungs with less than 4096 different ratings
    have, else between as many quantiles of the ratings of each rung.

    The best of many noisy estimates is better than it is (the winner's curse). So thresholds must
    keep to their constraint by `guard` standard errors over questions, paired with the last rung;
    and what to expect of them is less by what the whole choice, made again on each of `draws`
    bootstrap samples, promises there beyond what it keeps (Efron's bootstrap of optimism, 1983).

    Args:
        climbs: what every rung made of each question; all have the same rungs.
        tolerance: how much less accurate than the last rung the cascade may be, from 0 to 1.
        max_cost: the most that a question may cost on average; then accuracy is what counts.
        guard: standard errors by which a constraint is kept, from 0.
        at_least: the fewest different questions to learn from.
        draws: bootstrap samples of the questions, at least 20.
        seed: of the draws.

    Raises:
        ValueError: in one line, for too few questions, climbs that differ in their rungs, or a
            cost that does not pay for the first rung.
    """
    _check("tolerance", tolerance, at_least=0, at_most=1)
    _check("guard", guard, at_least=0)
    _check("at_least", at_least, at_least=1, whole=True)
    _check("draws", draws, at_least=20, whole=True)
    if max_cost is not None:
        _check("max_cost", max_cost, at_least=0)
    played = EveryWay.of(climbs, at_least=at_least)
    rule = _Rule(tolerance, max_cost, guard)
    everything = np.ones(played.right.shape[1])
    chosen = rule.choice(played, everything)
    if chosen is None:
        cheapest = float(played.cost[0].mean())
        raise ValueError(
            f"max_cost={max_cost:g} does not pay for the first rung, which costs {cheapest:.4g}"
        )
    answered = played.answered[chosen]
    return LearntThresholds(
        accept=played.thresholds[chosen],
        last=played.point(len(played.thresholds) - 1),
        answered=answered,
        notes=(_ALWAYS_CLIMBED,) if answered[-1] > 1 - 1e-9 else (),
        frontier=tuple(map(played.point, played.frontier())),
        questions=len(everything),
        **_expected(played, rule, chosen, draws=draws, rng=np.random.default_rng(seed)),
    )


_ALWAYS_CLIMBED = "every question is climbed to the last rung: use that alone"


def _check(
    name: str, value: object, *, at_least: int, at_most: float = math.inf, whole: bool = False
) -> None:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        kind = "a whole number" if whole else "a finite number"
        raise ValueError(f"{name} must be {kind}, got {value!r}")
    if not at_least <= value <= at_most:
        told = f"at least {at_least}" if at_most == math.inf else f"from {at_least} to {at_most}"
        raise ValueError(f"{name} must be {told}, got {value!r}")


@dataclass(frozen=True)
class _Rule:
    """Which combination is chosen."""

    tolerance: float
    max_cost: float | None
    guard: float

    def choice(self, played: EveryWay, weights: Array) -> int | None:
        """The place of the best combination on weighted questions; None when none is allowed."""
        count = weights.sum()
        accuracy, cost = played.right[:-1] @ weights / count, played.cost[:-1] @ weights / count
        if self.max_cost is None:
            differences = played.right[:-1] - played.right[-1]
            gain = accuracy - played.right[-1] @ weights / count
            allowed = gain - self._margin(differences, gain, weights) >= -self.tolerance - 1e-12
            order = in_order(cost, -accuracy)
        else:
            margin = self._margin(played.cost[:-1], cost, weights)
            allowed = cost + margin <= self.max_cost * (1 + 1e-12)
            order = in_order(-accuracy, cost)
        return next((place for place in order if allowed[place]), None)

    def _margin(self, values: Array, means: Array, weights: Array) -> Array:
        """So many standard errors of weighted means, over questions."""
        count = weights.sum()
        variance = np.maximum(0.0, values**2 @ weights / count - means**2)
        return self.guard * np.sqrt(variance / count)


def _expected(
    played: EveryWay, rule: _Rule, chosen: int, *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """What the chosen thresholds come to on new questions."""
    count = played.right.shape[1]
    same = np.full(count, 1 / count)
    seen = played.figures(chosen, same)
    optimism, spread = list[Array](), list[Array]()
    for _ in range(draws):
        drawn: Array = rng.multinomial(count, same).astype(np.float64)
        spread.append(played.figures(chosen, drawn / count))
        best = rule.choice(played, drawn)
        if best is not None:
            optimism.append(played.figures(best, drawn / count) - played.figures(best, same))
    excess = np.mean(optimism, axis=0) if optimism else np.zeros_like(seen)
    # What is the same whichever questions are drawn promises nothing beyond what it keeps.
    excess = np.where(np.ptp(np.array(spread), axis=0) < 1e-12, 0.0, excess)
    low, high = np.quantile(np.array(spread), (0.025, 0.975), axis=0)
    bounds = np.array([np.minimum(low, seen), seen, np.maximum(high, seen)]) - excess
    bounds = np.clip(bounds, *np.array(list(_FIGURES.values())).T)
    return {
        name: Estimate(low=float(least), mean=float(mean), high=float(most))
        for name, (least, mean, most) in zip(_FIGURES, bounds.T, strict=True)
    }


_FIGURES = {
    "accuracy": (0.0, 1.0),
    "cost": (0.0, math.inf),
    "gain": (-1.0, 1.0),
    "cost_ratio": (0.0, math.inf),
}
"""What is told of thresholds, and the range of each."""
