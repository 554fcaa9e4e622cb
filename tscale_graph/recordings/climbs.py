"""What every rung of a ladder made of the same questions, played with every threshold there is."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

if importlib.util.find_spec("numpy") is None:
    raise ImportError("learning needs another package: pip install 'tscale-graph[search]'")

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.candidates import Score
from tscale_graph.rating import NEVER
from tscale_graph.recordings.simulating import Played

Array = npt.NDArray[np.float64]

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


def climb_of(question: str, rungs: Sequence[Played]) -> Climb:
    """A climb from one replay of each rung on a question; its costs are tokens."""
    return Climb(
        question=question,
        rungs=tuple(
            RungOutcome(rating=one.rating, correct=one.right, cost=one.tokens) for one in rungs
        ),
    )


@dataclass(frozen=True)
class EveryWay:
    """Every combination of thresholds, played on every question.

    The first accepts everything at once. After the last comes the last rung alone, which is not
    asked after all the others.

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
    def of(cls, climbs: Sequence[Climb], *, at_least: int) -> EveryWay:
        """Play them all.

        Raises:
            ValueError: in one line, for too few questions or climbs that differ in their rungs.
        """
        lengths = {len(climb.rungs) for climb in climbs}
        if len(lengths) > 1:
            raise ValueError(f"climbs must all have the same rungs, got {sorted(lengths)} of them")
        places = {name: k for k, name in enumerate(dict.fromkeys(c.question for c in climbs))}
        if len(places) < max(2, at_least):
            raise ValueError(f"climbs must be of at least {at_least} questions, got {len(places)}")
        of_question = np.array([places[climb.question] for climb in climbs])
        replays = np.bincount(of_question)

        def mean(values: Array) -> Array:
            """The mean of each question's replays."""
            return np.bincount(of_question, weights=values) / replays

        # What is not rated is climbed past, whatever the threshold.
        ratings = _table(climbs, lambda rung: -1.0 if rung.rating is None else rung.rating)
        right = _table(climbs, lambda rung: float(rung.correct))
        cost = _table(climbs, lambda rung: rung.cost)
        climbed, [rungs] = cost.cumsum(axis=1), lengths
        thresholds = _every_combination(ratings[:, :-1])
        shares = 1 / replays[of_question] / len(places)
        rights, costs, answered = list[Array](), list[Array](), list[tuple[float, ...]]()
        for combination in thresholds:
            accepted = ratings[:, :-1] >= np.array(combination)
            ends = np.where(accepted.any(axis=1), accepted.argmax(axis=1), rungs - 1)
            ended = np.arange(len(climbs)), ends
            rights.append(mean(right[ended]))
            costs.append(mean(climbed[ended]))
            ending = np.bincount(ends, weights=shares, minlength=rungs)
            answered.append(tuple(float(share) for share in ending))
        thresholds.append((NEVER,) * (rungs - 1))
        rights.append(mean(right[:, -1]))
        costs.append(mean(cost[:, -1]))
        return cls(thresholds, np.array(rights), np.array(costs), answered)

    def point(self, place: int) -> Point:
        """What a combination comes to."""
        return Point(
            accept=self.thresholds[place],
            accuracy=float(self.right[place].mean()),
            cost=float(self.cost[place].mean()),
        )

    def figures(self, place: int, weights: Array) -> Array:
        """Accuracy, cost, and both beside the last rung's, on questions whose weights add to 1."""
        accuracy, cost = self.right[place] @ weights, self.cost[place] @ weights
        last, alone = self.right[-1] @ weights, self.cost[-1] @ weights
        return np.array([accuracy, cost, accuracy - last, cost / alone if alone else 1.0])

    def frontier(self) -> list[int]:
        """The combinations that none beats in both accuracy and cost, cheap first."""
        accuracy, cost = self.right[:-1].mean(axis=1), self.cost[:-1].mean(axis=1)
        best, kept = -1.0, list[int]()
        for place in in_order(cost, -accuracy):
            if accuracy[place] > best + 1e-12:
                best = float(accuracy[place])
                kept.append(place)
        return kept


def _table(climbs: Sequence[Climb], read: Callable[[RungOutcome], float]) -> Array:
    """A number of each rung, climbs × rungs."""
    return np.array([[read(rung) for rung in climb.rungs] for climb in climbs])


def _every_combination(ratings: Array) -> list[tuple[float, ...]]:
    """All thresholds that tell ratings apart, for climbs × rungs that have one."""
    most = int(_MOST_COMBINATIONS ** (1 / ratings.shape[1]) + 1e-9)
    return list(itertools.product(*(_between(column, most) for column in ratings.T)))


def in_order(first: Array, then: Array) -> list[int]:
    """Places by one value and, where that is equal but for rounding, by another."""
    keys = [
        np.round(values / max(float(np.abs(values).max()), 1e-300), 12) for values in (then, first)
    ]
    return [int(place) for place in np.lexsort(keys)]


def _between(ratings: Array, most: int) -> list[float]:
    """Thresholds that tell ratings apart, from 0 to one that none reaches; at most so many."""
    values = np.unique(ratings[ratings >= 0])
    if len(values) > most - 1:
        spread = np.linspace(0, len(values) - 1, max(1, most - 1)).round().astype(int)
        values = values[np.unique(spread)]
    middles = (values[1:] + values[:-1]) / 2
    return [0.0, *map(float, middles), NEVER] if len(values) else [0.0, NEVER]
