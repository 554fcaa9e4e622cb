"""Requests that run side by side never hold more than the budget of the whole."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.bench.purse import Purse
from tscale_graph.budget import Budget, Usage
from tscale_graph.recordings.sampling import Account


def purse(at_once=3, **limits):
    return Purse(Account(Budget(**limits), clock=lambda: 100.0), at_once)


async def spending(purse, asked, *, requests, rng, at_once):
    """So many requests; each spends some of its share. Returns what each had and spent."""
    waiting = iter(range(requests))
    seen = []

    async def work():
        for _ in waiting:
            share = await purse.take(asked)
            if share is None:
                return
            await asyncio.sleep(0)
            calls = rng.randint(0, share.lease.calls or 5)
            tokens = rng.randint(0, share.lease.tokens or 500)
            spent = Usage(calls=calls, output_tokens=tokens)
            seen.append((share, spent))
            await purse.give_back(share, spent)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return seen


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 5_000),
    st.none() | st.integers(1, 60),
    st.integers(1, 900),
    st.integers(1, 8),
    st.integers(0, 2**16),
)
def test_what_is_spent_stays_within_the_budget_and_requests_get_theirs_whole(
    tokens, calls, each, at_once, seed
):
    whole = Budget(tokens=tokens, calls=calls)
    one = Purse(Account(whole, clock=lambda: 0.0), at_once)
    rng = random.Random(seed)
    seen = asyncio.run(spending(one, Budget(tokens=each), requests=40, rng=rng, at_once=at_once))
    spent = Usage.total(usage for _, usage in seen)
    assert whole.exceeded_by(spent) is None
    assert all(share.lease.tokens == each for share, _ in seen)
    if len(seen) < 40:
        left = whole.remaining(spent)
        assert one.ended_by == "calls" or left.tokens < each


def test_a_request_waits_for_what_others_give_back():
    async def wait():
        one = purse(tokens=100)
        first = await one.take(Budget(tokens=80))
        second = asyncio.create_task(one.take(Budget(tokens=80)))
        await asyncio.sleep(0)
        assert not second.done()
        await one.give_back(first, Usage(output_tokens=20))
        return await second

    assert asyncio.run(wait()).lease == Budget(tokens=80)


def test_a_limit_that_only_the_whole_has_is_shared_evenly():
    async def take():
        one = purse(at_once=4, tokens=1000, usd=1)
        return [await one.take(Budget(tokens=100)) for _ in range(4)]

    assert [share.lease.usd for share in asyncio.run(take())] == pytest.approx([0.25] * 4)


def test_a_run_that_the_whole_cut_short_is_told_from_one_that_cut_itself_short():
    share = asyncio.run(purse(at_once=1, tokens=1000, usd=1).take(Budget(tokens=100)))
    assert share.cut_short_by("usd") == "usd"
    assert share.cut_short_by("tokens") is None
    assert share.cut_short_by(None) is None
