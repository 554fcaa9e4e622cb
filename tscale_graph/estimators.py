"""What a technique would have scored with k samples, exactly, from n >= k recorded ones.

Each is the mean over all subsets of k of the n samples, so none depends on a draw or on order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby


def pass_at_k(samples: int, right: int, *, k: int) -> float:
    """The chance that k of the samples hold at least one right one.

    Chen et al. 2021, arXiv:2107.03374, eq. 1.

    >>> pass_at_k(4, 1, k=2)
    0.5

    Raises:
        ValueError: unless 0 <= right <= samples and 1 <= k <= samples.
    """
    _check(samples, k)
    if not 0 <= right <= samples:
        raise ValueError(f"right must be between 0 and {samples}, got {right}")
    return 1 - math.comb(samples - right, k) / math.comb(samples, k)


def best_of_n_at_k(scores: Sequence[float], right: Sequence[bool], *, k: int) -> float:
    """The chance that the best-scored of k samples is right, ties drawn at random.

    In ascending order of score, the best of k subsets lies in a run of equal scores from place
    i to j with chance (C(j, k) - C(i, k)) / C(n, k), and is then any of that run.

    >>> best_of_n_at_k([0.1, 0.9, 0.9], [True, False, True], k=1) == 2 / 3
    True

    Raises:
        ValueError: unless there is one `right` for each score, and 1 <= k <= samples.
    """
    _check(len(scores), k)
    if len(right) != len(scores):
        raise ValueError(f"right must have {len(scores)} values, got {len(right)}")
    ordered = sorted(zip(scores, right, strict=True), key=lambda pair: pair[0])
    expected, below = 0.0, 0
    for _, run in groupby(ordered, key=lambda pair: pair[0]):
        outcomes = [outcome for _, outcome in run]
        upto = below + len(outcomes)
        ways = math.comb(upto, k) - math.comb(below, k)
        expected += ways / math.comb(len(scores), k) * sum(outcomes) / len(outcomes)
        below = upto
    return expected


def majority_at_k(right: int, wrong: Sequence[int], *, k: int, silent: int = 0) -> float:
    """The chance that the majority of k samples is right, ties drawn at random.

    Sums over the votes m of the right answer and the number t of wrong answers that tie with
    it: C(right, m) × ways / (t + 1), where the ways to draw the others with no wrong answer
    beyond m votes, and exactly t at m, are counted one wrong answer after another.

    >>> majority_at_k(2, [1], k=3)
    1.0

    Args:
        right: samples with the right answer.
        wrong: samples with each distinct wrong answer.
        k: samples drawn.
        silent: samples without an answer: drawn like any other, they don't vote.

    Raises:
        ValueError: for a count below 0, or k that is not between 1 and all samples.
    """
    if min((right, silent, *wrong)) < 0:
        raise ValueError(f"counts must be at least 0, got {min((right, silent, *wrong))}")
    total = right + sum(wrong) + silent
    _check(total, k)
    ways = 0.0
    for m in range(1, min(right, k) + 1):
        others = _draws(wrong, most=m, limit=k - m)
        ways += math.comb(right, m) * sum(
            count * math.comb(silent, k - m - drawn) / (tied + 1)
            for (drawn, tied), count in others.items()
        )
    return ways / math.comb(total, k)


def _draws(wrong: Sequence[int], *, most: int, limit: int) -> dict[tuple[int, int], int]:
    """Ways to draw wrong samples, by how many are drawn and how many answers reach `most`."""
    ways = {(0, 0): 1}
    for samples in wrong:
        after: dict[tuple[int, int], int] = {}
        for (drawn, tied), count in ways.items():
            for votes in range(min(samples, most, limit - drawn) + 1):
                place = (drawn + votes, tied + (votes == most))
                after[place] = after.get(place, 0) + count * math.comb(samples, votes)
        ways = after
    return ways


def _check(samples: int, k: int) -> None:
    if not 1 <= k <= samples:
        raise ValueError(f"k must be between 1 and {samples}, got {k}")
