"""How many samples to ask for at once, and when no sample can matter any more."""

from __future__ import annotations

import math
from dataclasses import replace

from tscale_graph.stopping.finishing import FirstToFinish
from tscale_graph.stopping.standing import Standing, StoppingRule
from tscale_graph.stopping.voting import Fixed


def can_still_change(standing: Standing) -> bool:
    """Whether the samples that are left could change the winner.

    Each of them adds at most 1 to any answer, so a lead that is larger than their number stands
    whatever they say. True where the lead, or how many are left, is not known.

    >>> can_still_change(Standing(counts=(5, 1), samples=6, lead=4, left=3))
    False
    """
    if standing.lead is None or standing.left is None:
        return True
    return standing.lead <= standing.left


def wave_size(
    rule: StoppingRule,
    standing: Standing,
    *,
    max_samples: int,
    max_parallel: int | None,
    speculate: int = 0,
) -> int:
    """How many samples to ask for next; 0 when there are enough.

    With `speculate` 0 a wave buys no sample that sampling one at a time would surely not have
    bought: it ends where the rule could first stop, or where the winner could first be certain.
    `Fixed` and `FirstToFinish` ask for all that are left at once.

    Args:
        rule: decides when there are enough.
        standing: where the run stands; its `left` may be less than `max_samples` leaves.
        max_samples: the most samples that the run takes.
        max_parallel: the most that may be in flight at once, at least 1; None for no such limit.
        speculate: further samples to buy in every wave, for users in a hurry, at least 0.

    Raises:
        ValueError: when `speculate` is negative or `max_parallel` is not positive.
    """
    if speculate < 0:
        raise ValueError(f"speculate must be at least 0, got {speculate}")
    if max_parallel is not None and max_parallel < 1:
        raise ValueError(f"max_parallel must be at least 1, got {max_parallel}")
    left = max_samples - standing.samples
    if standing.left is not None:
        left = min(left, standing.left)
    standing = replace(standing, left=left)
    if left <= 0 or not can_still_change(standing) or rule.settled(standing):
        return 0
    if max_parallel == 1:
        return 1
    soonest = rule.soonest(standing, limit=left)
    if not isinstance(rule, Fixed | FirstToFinish):  # whose users want all samples at once
        soonest = min(soonest, _soonest_certain(standing, left))
    return min(soonest + speculate, left, max_parallel or left)


def _soonest_certain(standing: Standing, left: int) -> int:
    """The smallest k with lead + k > left - k: all k for the winner, and it is certain."""
    if standing.lead is None:
        return left
    return max(1, math.floor((left - standing.lead) / 2) + 1)
