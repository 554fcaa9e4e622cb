"""What a rung may spend of what is left: pure."""

from __future__ import annotations

import math
from dataclasses import replace

from tscale_graph.budget import Budget, Remaining, Usage
from tscale_graph.leases import MAX_RETRIES, Grant, SampleSize, grant


def lease_of_rung(remaining: Remaining, size: SampleSize, *, nothing_yet: bool) -> Grant:
    """The lease of a rung: what its whole run takes at most, or all that is left.

    A rung is asked where the rest pays for one whole call of it, and for what rates its answer:
    a technique keeps to less by taking fewer samples, not shorter ones. Nothing is kept back for
    rungs further up: they are for questions that those below could not answer.

    Args:
        remaining: what is left of the budget.
        size: what a whole run takes at most, and beside it what rating its answer may.
        nothing_yet: there is no answer, so that less than a whole call is better than none.

    Raises:
        ValueError: when dollars are limited and the price is not known.
    """
    one = replace(size, whole=one_call_of(size.each))
    granted = grant(remaining, one, wanted=1, still_wanted=1, nothing_yet=nothing_yet)
    if granted.samples == 0:
        return granted
    whole, kept = size.each, size.beside
    limits: dict[str, float] = {}
    if remaining.calls is not None:
        limits["calls"] = min(_left(remaining.calls, kept.calls), whole.calls + MAX_RETRIES)
    if remaining.tokens is not None:
        limits["tokens"] = min(_left(remaining.tokens, kept.tokens), whole.tokens)
    if remaining.usd is not None:
        limits["usd"] = min(_left(remaining.usd, kept.usd), max(whole.usd, 1e-9))
    if remaining.seconds is not None:
        limits["seconds"] = remaining.seconds
    return Grant(1, Budget.model_validate(limits), granted.limited_by)


def pays_for(budget: Budget, size: SampleSize) -> bool:
    """Whether a budget pays for one whole call of a rung."""
    one = replace(size, whole=one_call_of(size.each))
    left = budget.remaining(Usage())
    return grant(left, one, wanted=1, still_wanted=1, nothing_yet=False).samples == 1


def one_call_of(whole: Usage) -> Usage:
    """The share of one call of a run that makes several."""
    calls = max(1, whole.calls)
    return Usage(calls=1, input_tokens=math.ceil(whole.tokens / calls), usd=whole.usd / calls)


def _left(limit: float, kept: float) -> float:
    """What is left beside what is kept back; all of it where that is more than there is."""
    return limit - kept if limit > kept else limit
