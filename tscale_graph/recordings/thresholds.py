"""Thresholds of a cascade, learnt from what each of its rungs made of the same questions.

learnt = learn_thresholds(climbs)
graph = cascade([small, large], accept=learnt.accept)
learnt.accuracy, learnt.cost, learnt.frontier
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

if importlib.util.find_spec("numpy") is None:
    raise ImportError("learning needs another package: pip install 'tscale-graph[search]'")

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.candidates import Score
from tscale_graph.recordings.simulating import Played

Array = npt.NDArray[np.float64]

NEVER = 1.01
"""A threshold that no rating reaches."""
_MOST_COMBINATIONS = 4096


class RungOutcome(BaseModel):
    """What one rung made of a question.

    Attributes:
        rating: of its answer; None where nothing was known of it, so that it is climbed past.
        correct: the answer is right.
        cost: what asking it cost, in tokens or in dollars, the same for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rating: Score | None
    correct: bool
    cost: float = Field(ge=0, allow_inf_nan=False)


class Climb(BaseModel):
    """What every rung made of one question, asked or not.

    Attributes:
        question: its id; several climbs of one question are replays of it.
        rungs: cheap first, at least two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    rungs: tuple[RungOutcome, ...] = Field(min_length=2)


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


class Point(BaseModel):
    """What thresholds come to on the questions that they were learnt from.

    Attributes:
        accept: one threshold for each rung but the last.
        accuracy: share of the questions that are answered right.
        cost: mean of a question.
    """

    model_config = ConfigDict(frozen=True)

    accept: tuple[float, ...]
    accuracy: float
    cost: float


class LearntThresholds(BaseModel):
    """Thresholds, and what to expect of them.

    Attributes:
        accept: one threshold for each rung but the last, as `cascade` takes them.
        accuracy: on new questions: of the whole procedure, learning included.
        cost: likewise.
        gain: accuracy less that of the last rung alone, likewise.
        cost_ratio: cost over that of the last rung alone, likewise.
        last: what the last rung alone comes to here.
        answered: the share of the questions that each rung answers here.
        frontier: the thresholds that no others beat in both accuracy and cost, cheap first.
        questions: how many they were learnt from.
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


def climb_of(question: str, rungs: Sequence[Played]) -> Climb:
    """A climb from one replay of each rung on a question; its costs are tokens."""
    return Climb(
        question=question,
        rungs=tuple(
            RungOutcome(rating=one.rating, correct=one.right, cost=one.tokens) for one in rungs
        ),
    )


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
    and what to expect of them is measured on questions that each of `draws` bootstrap samples
    left out, with the whole choice made again in each.

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
    if not 0 <= tolerance <= 1:
        raise ValueError(f"tolerance must be from 0 to 1, got {tolerance}")
    if guard < 0:
        raise ValueError(f"guard must be at least 0, got {guard}")
    if draws < 20:
        raise ValueError(f"draws must be at least 20, got {draws}")
    played = _Played.of(climbs, at_least=at_least)
    rule = _Rule(tolerance, max_cost, guard)
    everything = np.ones(played.right.shape[1])
    chosen = rule.choice(played, everything)
    if chosen is None:
        cheapest = float(played.cost[0].mean())
        raise ValueError(
            f"max_cost={max_cost:g} does not pay for the first rung, which costs {cheapest:.4g}"
        )
    return LearntThresholds(
        accept=played.thresholds[chosen],
        last=played.point(len(played.thresholds) - 1),
        answered=played.answered[chosen],
        frontier=tuple(map(played.point, played.frontier())),
        questions=len(everything),
        **_expected(played, rule, draws=draws, rng=np.random.default_rng(seed)),
    )


@dataclass(frozen=True)
class _Played:
    """Every combination of thresholds, played on every question.

    The first accepts everything at once, the last nothing below the last rung.

    Attributes:
        thresholds: of each combination.
        right: share of the replays that were answered right, combinations × questions.
        cost: mean of the replays, likewise.
        answered: for each combination, the share of the questions that each rung answers.
    """

    thresholds: list[tuple[float, ...]]
    right: Array
    cost: Array
    answered: list[tuple[float, ...]]

    @classmethod
    def of(cls, climbs: Sequence[Climb], *, at_least: int) -> _Played:
        lengths = {len(climb.rungs) for climb in climbs}
        if len(lengths) > 1:
            raise ValueError(f"climbs must all have the same rungs, got {sorted(lengths)} of them")
        places = {name: k for k, name in enumerate(dict.fromkeys(c.question for c in climbs))}
        if len(places) < max(2, at_least):
            raise ValueError(f"climbs must be of at least {at_least} questions, got {len(places)}")
        of_question = np.array([places[climb.question] for climb in climbs])
        # What is not rated is climbed past, whatever the threshold.
        ratings = np.array(
            [[-1.0 if r.rating is None else r.rating for r in c.rungs] for c in climbs]
        )
        right = np.array([[float(r.correct) for r in c.rungs] for c in climbs])
        cost = np.array([[r.cost for r in c.rungs] for c in climbs]).cumsum(axis=1)
        [rungs] = lengths
        most = int(_MOST_COMBINATIONS ** (1 / (rungs - 1)) + 1e-9)
        grids = [_between(ratings[:, rung], most) for rung in range(rungs - 1)]
        thresholds = list(itertools.product(*grids))
        replays = np.bincount(of_question)
        weights = 1 / replays[of_question] / len(places)
        rights, costs, answered = list[Array](), list[Array](), list[tuple[float, ...]]()
        for combination in thresholds:
            accepted = ratings[:, :-1] >= np.array(combination)
            ends = np.where(accepted.any(axis=1), accepted.argmax(axis=1), rungs - 1)
            rows = np.arange(len(climbs)), ends
            rights.append(np.bincount(of_question, weights=right[rows]) / replays)
            costs.append(np.bincount(of_question, weights=cost[rows]) / replays)
            shares = np.bincount(ends, weights=weights, minlength=rungs)
            answered.append(tuple(float(share) for share in shares))
        # The last rung alone is not asked after all the others.
        alone = cost[:, -1] - cost[:, -2]
        rights.append(np.bincount(of_question, weights=right[:, -1]) / replays)
        costs.append(np.bincount(of_question, weights=alone) / replays)
        thresholds.append((NEVER,) * (rungs - 1))
        return cls(thresholds, np.array(rights), np.array(costs), answered)

    def point(self, place: int) -> Point:
        """What a combination comes to."""
        return Point(
            accept=self.thresholds[place],
            accuracy=float(self.right[place].mean()),
            cost=float(self.cost[place].mean()),
        )

    def frontier(self) -> list[int]:
        """The combinations that none beats in both accuracy and cost, cheap first."""
        accuracy, cost = self.right[:-1].mean(axis=1), self.cost[:-1].mean(axis=1)
        best, kept = -1.0, list[int]()
        for place in np.lexsort((-accuracy, cost)):
            if accuracy[place] > best + 1e-12:
                best = float(accuracy[place])
                kept.append(int(place))
        return kept


@dataclass(frozen=True)
class _Rule:
    """Which combination is chosen."""

    tolerance: float
    max_cost: float | None
    guard: float

    def choice(self, played: _Played, weights: Array) -> int | None:
        """The place of the best combination on weighted questions; None when none is allowed."""
        count = weights.sum()
        accuracy, cost = played.right[:-1] @ weights / count, played.cost[:-1] @ weights / count
        if self.max_cost is None:
            differences = played.right[:-1] - played.right[-1]
            gain = accuracy - played.right[-1] @ weights / count
            allowed = gain - self._margin(differences, gain, weights) >= -self.tolerance - 1e-12
            order = np.lexsort((-accuracy, cost))
        else:
            margin = self._margin(played.cost[:-1], cost, weights)
            allowed = cost + margin <= self.max_cost * (1 + 1e-12)
            order = np.lexsort((cost, -accuracy))
        return next((int(place) for place in order if allowed[place]), None)

    def _margin(self, values: Array, means: Array, weights: Array) -> Array:
        """So many standard errors of weighted means, over questions."""
        count = weights.sum()
        variance = np.maximum(0.0, values**2 @ weights / count - means**2)
        return self.guard * np.sqrt(variance / count)


def _between(ratings: Array, most: int) -> list[float]:
    """Thresholds that tell ratings apart, from 0 to one that none reaches; at most so many."""
    values = np.unique(ratings[ratings >= 0])
    if len(values) > most - 1:
        spread = np.linspace(0, len(values) - 1, max(1, most - 1)).round().astype(int)
        values = values[np.unique(spread)]
    middles = (values[1:] + values[:-1]) / 2
    return [0.0, *map(float, middles), NEVER] if len(values) else [0.0, NEVER]


def _expected(
    played: _Played, rule: _Rule, *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """What the procedure comes to on questions that it was not shown."""
    count = played.right.shape[1]
    found: list[tuple[float, float, float, float]] = []
    for _ in range(draws):
        drawn: Array = rng.multinomial(count, np.full(count, 1 / count)).astype(np.float64)
        rest = drawn == 0
        place = rule.choice(played, drawn)
        if place is None or not rest.any():
            continue
        accuracy, cost = played.right[place, rest].mean(), played.cost[place, rest].mean()
        last, alone = played.right[-1, rest].mean(), played.cost[-1, rest].mean()
        ratio = cost / alone if alone else 1.0
        found.append((float(accuracy), float(cost), float(accuracy - last), float(ratio)))
    names = ("accuracy", "cost", "gain", "cost_ratio")
    return {name: _estimate(values) for name, values in zip(names, np.array(found).T, strict=True)}


def _estimate(values: Array) -> Estimate:
    low, high = np.quantile(values, (0.025, 0.975))
    return Estimate(mean=float(values.mean()), low=float(low), high=float(high))
