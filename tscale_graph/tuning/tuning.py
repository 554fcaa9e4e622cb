"""The best setting of each class, for a mean cost or an accuracy, and what to expect of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tscale_graph.tuning.choosing import Aim, Choice, Fitted, choose, fit, outcome
from tscale_graph.tuning.measured import COSTS, Cost, Floats, Measured
from tscale_graph.tuning.promises import Draws, expected, in_folds
from tscale_graph.tuning.reporting import class_choices, comparisons, words
from tscale_graph.tuning.results import FrontierPoint, Tuned

_POINTS = 10


def tune(
    measured: Measured,
    *,
    mean_tokens: float | None = None,
    mean_calls: float | None = None,
    mean_usd: float | None = None,
    accuracy: float | None = None,
    cost: Cost = "tokens",
    shares: Mapping[str, float] | None = None,
    mixed: bool = False,
    caution: float = 0.5,
    min_questions: int = 30,
    folds: int = 5,
    seed: int = 0,
) -> Tuned:
    """Choose a setting for each class, and say what it is expected to come to on new questions.

    The most accuracy under a mean cost of a request, or the least cost for an accuracy: up the
    concave hulls of the classes (`hulls`). A class's differences are drawn towards those of all
    classes, and a dearer setting is taken only where it is better than a cheaper one by more than
    `caution` standard errors (`evidence`). What is expected comes from questions that took no
    part in the choice: each fold is judged by what the others chose.

    Args:
        measured: questions with settings.
        mean_tokens: the most tokens of a request in the mean over the traffic.
        mean_calls: the most calls, instead.
        mean_usd: the most dollars, instead.
        accuracy: the share of right answers to reach at the least cost, instead, in (0, 1].
        cost: what is kept low for an accuracy.
        shares: of the traffic, by class, in any unit; by default as the questions are.
        mixed: let one class stand between two settings, which uses a limit up.
        caution: standard errors, at least 0; 0 believes every difference. A class gets a setting
            of its own where that is better by twice as many, so at 0.5 by one.
        min_questions: classes with fewer share one setting, at least 1.
        folds: of the cross-fitting, at least 2.
        seed: of the folds and of the intervals.

    Raises:
        ValueError: when not one of the four aims is given, when a limit does not pay for the
            cheapest settings, for shares that are not positive or not of the classes, and for
            numbers out of range.
    """
    aim = aim_of(
        mean_tokens=mean_tokens,
        mean_calls=mean_calls,
        mean_usd=mean_usd,
        accuracy=accuracy,
        cost=cost,
        mixed=mixed,
        caution=caution,
        min_questions=min_questions,
    )
    weights = _shares(measured, shares)
    if not 2 <= folds <= len(measured.ids):
        raise ValueError(f"folds must be from 2 to {len(measured.ids)} questions, got {folds}")
    rng = np.random.default_rng(seed)
    whole = fit(measured, aim, weights)
    choice = choose(whole, aim)
    drawn = in_folds(measured.classes, folds=folds, rng=rng)
    judges = _Judges(measured, drawn, aim, weights)
    draws = Draws(measured.classes, weights, rng)
    right, spent = judges.outcomes(aim)
    limits = _limits(whole)
    frontier = tuple(_point(limit, judges, whole, aim, measured, draws) for limit in limits)
    promise = expected(draws, right, spent)
    beside = comparisons(measured, aim.cost, right, spent, draws)
    return Tuned(
        cost=aim.cost,
        limit=aim.limit,
        accuracy=aim.accuracy,
        price=choice.price,
        classes=class_choices(measured, whole, choice, aim, weights, right, spent, rng),
        expected=promise,
        comparisons=beside,
        frontier=frontier,
        priors=dict(measured.priors),
        notes=words(measured, whole, choice, aim, promise, beside),
    )


class _Judges:
    """Of each fold, what the questions of the others say."""

    def __init__(
        self, measured: Measured, folds: list[int], aim: Aim, shares: Mapping[str, float]
    ) -> None:
        self._measured = measured
        self._cost = measured.cost(aim.cost)
        self._of = np.array(folds)
        self._fitted: dict[int, Fitted] = {}
        for fold in sorted(set(folds)):
            others = measured.only(np.flatnonzero(self._of != fold))
            self._fitted[fold] = fit(others, aim, _present(others, shares))

    def outcomes(self, aim: Aim) -> tuple[Floats, Floats]:
        """(n,) accuracy and cost of each question by what the other folds choose."""
        right, spent = np.zeros(len(self._of)), np.zeros(len(self._of))
        for fold, fitted in self._fitted.items():
            here: NDArray[np.intp] = np.flatnonzero(self._of == fold)
            held = self._measured.only(here)
            choice = _complete(_choose_within(fitted, aim), held)
            right[here] = outcome(choice, held, held.accuracy)
            spent[here] = outcome(choice, held, self._cost[here])
        return right, spent


def _choose_within(fitted: Fitted, aim: Aim) -> Choice:
    """The choice; the cheapest settings where a fold's questions are too dear for the limit."""
    if aim.limit is None:
        return choose(fitted, aim)
    return choose(fitted, replace(aim, limit=max(aim.limit, fitted.path[0].cost)))


def _complete(choice: Choice, held: Measured) -> Choice:
    """With a setting for a class whose only question is held out: what another class has."""
    known = next(iter(choice.settings.values()))
    return replace(
        choice, settings={name: choice.settings.get(name, known) for name in held.class_names}
    )


def _point(
    limit: float, judges: _Judges, whole: Fitted, aim: Aim, measured: Measured, draws: Draws
) -> FrontierPoint:
    at = replace(aim, limit=limit, accuracy=None)
    chosen = choose(whole, at).settings
    return FrontierPoint(
        limit=limit,
        expected=expected(draws, *judges.outcomes(at)),
        settings={name: measured.settings[own].name for name, (own, _, _) in chosen.items()},
    )


def _limits(fitted: Fitted) -> list[float]:
    """From the cheapest settings to the best, evenly in ratio."""
    low, high = fitted.path[0].cost, fitted.path[-1].cost
    if high <= low * (1 + 1e-9) or low <= 0:
        return [low]
    return [float(limit) for limit in np.geomspace(low, high, _POINTS)]


def aim_of(
    *,
    mean_tokens: float | None = None,
    mean_calls: float | None = None,
    mean_usd: float | None = None,
    accuracy: float | None = None,
    cost: Cost = "tokens",
    mixed: bool = False,
    caution: float = 0.5,
    min_questions: int = 30,
) -> Aim:
    """The aim that these arguments of `tune` mean.

    Raises:
        ValueError: when not one of the four aims is given, and for numbers out of range.
    """
    given: dict[Cost, float | None] = {
        "tokens": mean_tokens,
        "calls": mean_calls,
        "usd": mean_usd,
    }
    limits: dict[Cost, float] = {of: limit for of, limit in given.items() if limit is not None}
    if len(limits) + (accuracy is not None) != 1:
        raise ValueError(
            "give one of mean_tokens, mean_calls, mean_usd and accuracy, "
            f"got {len(limits) + (accuracy is not None)}"
        )
    if cost not in COSTS:
        raise ValueError(f"cost must be one of {', '.join(COSTS)}, got {cost!r}")
    for of, limit in limits.items():
        cost = of
        if not 0 < limit < float("inf"):
            raise ValueError(f"mean_{of} must be above 0, got {limit}")
    if accuracy is not None and not 0 < accuracy <= 1:
        raise ValueError(f"accuracy must be above 0 and at most 1, got {accuracy}")
    if not caution >= 0:
        raise ValueError(f"caution must be at least 0, got {caution}")
    if min_questions < 1:
        raise ValueError(f"min_questions must be at least 1, got {min_questions}")
    return Aim(cost, limits.get(cost), accuracy, mixed, caution, min_questions)


def _shares(measured: Measured, shares: Mapping[str, float] | None) -> dict[str, float]:
    names = measured.class_names
    given = shares if shares is not None else {n: measured.classes.count(n) for n in names}
    if set(given) != set(names):
        raise ValueError(f"shares must be of {', '.join(names)}, got {', '.join(given) or 'none'}")
    for name, share in given.items():
        if not 0 < share < float("inf"):
            raise ValueError(f"share of {name} must be positive, got {share}")
    total = sum(given.values())
    return {name: given[name] / total for name in names}


def _present(measured: Measured, shares: Mapping[str, float]) -> dict[str, float]:
    return {name: shares[name] for name in measured.class_names}
