"""Strengths from comparisons of pairs, not all of which need have been made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_MAX_STEPS = 100
_CLOSE_ENOUGH = 1e-10


def bradley_terry(
    wins: Mapping[tuple[int, int], float], *, count: int, l2: float = 0.1
) -> tuple[float, ...]:
    """How strong each of `count` candidates is, by who won against whom.

    Bradley and Terry (1952): i beats j with probability 1 / (1 + exp(strength j - strength i)).
    The strengths are the most probable ones under a normal prior of precision `l2`, found by
    Newton's method; the prior keeps them finite for candidates that won or lost throughout, and
    0 for those that were never compared. They sum to 0.

    >>> bradley_terry({(0, 1): 1.5, (1, 0): 0.5}, count=3)[2]
    0.0

    Args:
        wins: how often the first of a pair beat the second; a tie is half a win for each.
        count: how many candidates there are; pairs are of 0 to count - 1.
        l2: above 0.

    Raises:
        ValueError: for a pair of no two candidates, wins below 0, or `l2` not above 0.
    """
    if not (l2 > 0 and math.isfinite(l2)):
        raise ValueError(f"l2 must be above 0, got {l2}")
    for (winner, loser), won in wins.items():
        if winner == loser or not (0 <= winner < count and 0 <= loser < count):
            raise ValueError(f"wins must be between two of {count}, got {(winner, loser)}")
        if not (won >= 0 and math.isfinite(won)):
            raise ValueError(f"wins must be at least 0, got {won} for {(winner, loser)}")
    strengths = [0.0] * count
    for _ in range(_MAX_STEPS):
        step = _newton_step(wins, strengths, l2)
        size = 1.0
        before = _objective(wins, strengths, l2)
        while size > _CLOSE_ENOUGH:
            moved = [s + size * d for s, d in zip(strengths, step, strict=True)]
            if _objective(wins, moved, l2) >= before:
                strengths = moved
                break
            size /= 2
        if size <= _CLOSE_ENOUGH or max(map(abs, step), default=0.0) < _CLOSE_ENOUGH:
            break
    return tuple(strengths)


def tiers(strengths: Sequence[float], *, tolerance: float = 1e-6) -> tuple[tuple[int, ...], ...]:
    """The candidates from the strongest to the weakest, those of equal strength together.

    >>> tiers([0.5, 2.0, 0.5])
    ((1,), (0, 2))

    Args:
        strengths: one for each candidate.
        tolerance: how far a strength may lie below the strongest of its tier.
    """
    ranked: list[list[int]] = []
    for candidate in sorted(range(len(strengths)), key=lambda c: (-strengths[c], c)):
        if ranked and strengths[ranked[-1][0]] - strengths[candidate] <= tolerance:
            ranked[-1].append(candidate)
        else:
            ranked.append([candidate])
    return tuple(tuple(sorted(tier)) for tier in ranked)


def _objective(
    wins: Mapping[tuple[int, int], float], strengths: Sequence[float], l2: float
) -> float:
    likelihood = math.fsum(
        -won * _softplus(strengths[j] - strengths[i]) for (i, j), won in wins.items()
    )
    return likelihood - l2 / 2 * math.fsum(s * s for s in strengths)


def _newton_step(
    wins: Mapping[tuple[int, int], float], strengths: Sequence[float], l2: float
) -> list[float]:
    count = len(strengths)
    gradient = [-l2 * s for s in strengths]
    curvature = [[l2 if i == j else 0.0 for j in range(count)] for i in range(count)]
    for (i, j), won in wins.items():
        loses = math.exp(-_softplus(strengths[i] - strengths[j]))  # probability that j beats i
        gradient[i] += won * loses
        gradient[j] -= won * loses
        bend = won * loses * (1 - loses)
        curvature[i][i] += bend
        curvature[j][j] += bend
        curvature[i][j] -= bend
        curvature[j][i] -= bend
    return _solve(curvature, gradient)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive definite system in place, by elimination without pivots."""
    count = len(right)
    for k in range(count):
        for i in range(k + 1, count):
            factor = matrix[i][k] / matrix[k][k]
            if factor:
                row, pivot = matrix[i], matrix[k]
                for j in range(k, count):
                    row[j] -= factor * pivot[j]
                right[i] -= factor * right[k]
    solution = [0.0] * count
    for i in reversed(range(count)):
        known = math.fsum(matrix[i][j] * solution[j] for j in range(i + 1, count))
        solution[i] = (right[i] - known) / matrix[i][i]
    return solution


def _softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
