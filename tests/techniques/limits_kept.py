"""What holds of every run, whatever its models do: no limit is exceeded, and the usage is true."""

import pytest

from tests.techniques.searching import billed
from tests.techniques.test_hard_limits import OVERRUN_SECONDS, largest_chunk


def dollars(models):
    return sum(
        price * 1e-6 * tokens
        for model in models
        for call in model.calls
        if call.fate != "failed"
        for price, tokens in zip(
            model.metadata["usd_per_million_tokens"].values(),
            (call.prompt_tokens, call.output_tokens),
            strict=True,
        )
    )


def check_kept(budget, everyone, usage, *, took, dearest, races=False):
    """Hold a run's accounts against the ledgers of its models.

    Args:
        budget: what it could spend.
        everyone: every model that it may have asked, judges too.
        usage: what it says that it spent.
        took: its seconds, and those that the machine stood still meanwhile.
        dearest: dollars of one token at most.
        races: some calls may have been cancelled and charged in full, and have completed all the
            same.
    """
    calls = [call for model in everyone for call in model.calls]
    elapsed, lag = took
    assert usage.calls == len(calls)
    if budget.calls is not None:
        assert len(calls) <= budget.calls
    over = sum(model.most_in_flight * largest_chunk(model) for model in everyone)
    spent = billed(*everyone)
    if budget.tokens is not None:
        assert spent <= budget.tokens + over
    if budget.usd is not None:
        assert dollars(everyone) <= budget.usd + over * dearest + 1e-9
    if budget.seconds is not None:
        assert elapsed <= budget.seconds + OVERRUN_SECONDS + lag
    given_up = budget.seconds is not None and elapsed >= budget.seconds
    assert usage.tokens >= spent - (over if given_up or races else 0)
    if all(call.fate in ("completed", "failed") for call in calls) and not (given_up or races):
        assert usage.tokens == spent
        assert usage.usd == pytest.approx(dollars(everyone), abs=1e-9 * len(calls))
