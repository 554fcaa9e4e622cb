"""How the scores of the steps of a solution become one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal, get_args

from tscale_graph.budget import Usage
from tscale_graph.candidates import Verdict

Aggregate = Literal["last", "min", "prod", "mean"]
AGGREGATE_NAMES: tuple[Aggregate, ...] = get_args(Aggregate)

AGGREGATES: dict[Aggregate, Callable[[Sequence[float]], float]] = {
    "last": lambda scores: scores[-1],
    "min": min,
    "prod": math.prod,
    "mean": fmean,
}
"""By name. "last" is right for scores that tell whether a solution can still succeed, as labels by
rollouts do: each has all before it in it. "min" and "prod" are right for those that tell whether a
step is correct: one wrong step spoils all; "prod" thinks the less of a solution the longer it is.
"mean" is for scores that err often: it forgives. Which is best is found on held-out questions."""


def check_aggregate(name: str) -> Aggregate:
    """The name of an aggregate.

    Raises:
        ValueError: for an unknown one.
    """
    if name not in AGGREGATE_NAMES:
        raise ValueError(f"aggregate must be one of {', '.join(AGGREGATE_NAMES)}, got {name!r}")
    return name


def step_verdict(
    scores: Sequence[float],
    aggregate: Aggregate,
    *,
    feedback: str = "",
    usage: Usage | None = None,
) -> Verdict:
    """What a verifier of steps says of a solution; one without a step is worth 0.

    It never says that a solution has passed: of a part of one that is right so far, a search would
    take that for the whole.

    >>> step_verdict([0.9, 0.3], "min").score
    0.3
    >>> step_verdict([], "min").feedback
    'there is no step in the solution'

    Args:
        scores: of the steps, in [0, 1].
        aggregate: makes one of them.
        feedback: in words.
        usage: what was spent.
    """
    spent = usage or Usage()
    if not scores:
        return Verdict(
            score=0.0, feedback="there is no step in the solution", step_scores=(), usage=spent
        )
    score = AGGREGATES[aggregate](scores)
    return Verdict(score=score, feedback=feedback, step_scores=tuple(scores), usage=spent)
