"""Ways to choose, compared on the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tscale_graph.verifiers.process.classifier import Floats
from tscale_graph.verifiers.process.metrics import Measured


class Comparison(NamedTuple):
    """One way less another.

    Attributes:
        difference: with its 95 % interval.
        p: how likely one as large would be without any, two-sided, by the bootstrap.
        p_holm: the same, corrected for there being several of them. Those that differ for no
            question at all, such as a vote of one, are none of these.
    """

    difference: Measured
    p: float
    p_holm: float


def compared(
    values: Mapping[str, Floats], *, against: str, resamples: int, rng: np.random.Generator
) -> tuple[dict[str, tuple[Measured, ...]], dict[str, tuple[Comparison, ...]]]:
    """The mean of each way, and how it differs from one of them, by the bootstrap over questions.

    Every way sees the same draws of questions, so that differences are paired.

    Args:
        values: of each way, [rows, questions]; the rows are settings such as the number of samples.
        against: the way that the others are compared with.
        resamples: of the bootstrap.
        rng: of the draws.

    Returns:
        A mean for each way and row; a comparison for each row of each way but `against`.
    """
    count = values[against].shape[1]
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples) / count
    means = {way: rows @ drawn.T for way, rows in values.items()}
    curves = {
        way: tuple(_measured(float(row.mean()), m) for row, m in zip(rows, means[way], strict=True))
        for way, rows in values.items()
    }
    comparisons: dict[str, tuple[Comparison, ...]] = {}
    for way, rows in values.items():
        if way == against:
            continue
        differences = (rows - values[against]).mean(axis=1)
        drawn_differences = means[way] - means[against]
        ps = [_p(row) for row in drawn_differences]
        differ = [bool((np.abs(row) > _NOTHING).any()) for row in rows - values[against]]
        corrected = iter(holm([p for p, differs in zip(ps, differ, strict=True) if differs]))
        comparisons[way] = tuple(
            Comparison(_measured(float(value), row), p, next(corrected) if differs else 1.0)
            for value, row, p, differs in zip(
                differences, drawn_differences, ps, differ, strict=True
            )
        )
    return curves, comparisons


def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected for there being several (Holm 1979): at most one error in 20 families.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(ps)), key=lambda k: ps[k])
    corrected, least = [0.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, ps[place] * (len(ps) - rank)))
        corrected[place] = least
    return corrected


_NOTHING = 1e-12
"""What sums of shares are off by, and no more than that."""


def _measured(value: float, drawn: Floats) -> Measured:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Measured(value, float(low), float(high))


def _p(drawn: Floats) -> float:
    """Two-sided: twice the smaller share of draws on either side of 0, counting one more."""
    below, above = int((drawn <= _NOTHING).sum()), int((drawn >= -_NOTHING).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(drawn) + 1))
