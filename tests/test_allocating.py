"""A shared budget is never exceeded, and goes where samples are worth most."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.made_up import question
from tscale_graph.allocating import Request, allocate
from tscale_graph.recordings.simulating import prepare
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning.batches import Allocator, Ticket, rehearse, rehearse_uniform

counts = st.lists(st.integers(1, 12), max_size=4).map(lambda c: tuple(sorted(c, reverse=True)))
requests = st.lists(
    st.builds(
        lambda c, more, tokens, extra, verified: Request(
            counts=() if verified else c,
            samples=sum(c) + more,
            tokens=tokens,
            most_tokens=tokens + extra,
            verified=verified,
        ),
        counts, st.integers(0, 3), st.floats(1, 50), st.floats(0, 50), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(requests, st.floats(0, 500), st.sampled_from([None, 1, 3, 10]))
def test_what_is_granted_never_costs_more_than_is_left(batch, tokens, parallel):
    granted = allocate(batch, tokens=tokens, parallel=parallel)
    leases = sum(k * one.lease for k, one in zip(granted, batch, strict=True))
    assert leases <= tokens + 1e-6
    assert parallel is None or sum(granted) <= parallel
    for k, one in zip(granted, batch, strict=True):
        assert one.samples + k <= max(one.samples, one.max_samples)


def test_settled_and_hopeless_requests_get_nothing_while_one_is_contested():
    settled = Request(counts=(12,), samples=12)
    contested = Request(counts=(3, 2), samples=5)
    hopeless = Request(counts=(1,) * 14, samples=14, prior=AnswerPrior(0.2, 1.5, 20))
    assert allocate([settled, contested, hopeless], tokens=2) == (0, 2, 0)


def test_with_a_verifier_it_gives_up_where_many_have_failed_and_ends_where_one_passed():
    fresh = Request(verified=True)
    failed = Request(verified=True, samples=20)
    passed = Request(verified=True, samples=1, passed=True)
    assert allocate([fresh, failed, passed], tokens=3) == (3, 0, 0)
    assert allocate([passed], tokens=100) == (0,)


def test_requests_that_matter_more_get_more():
    common, dear = Request(), Request(value=3.0)
    assert allocate([common, dear], tokens=1) == (0, 1)


def test_telling_twice_changes_nothing_and_unused_leases_come_back():
    batch = Allocator([Request(tokens=10, most_tokens=20)], tokens=40)
    (ticket,) = batch.ask()
    assert batch.tokens_left == 20
    batch.tell(ticket, answer="a", tokens=8)
    batch.tell(ticket, answer="b", tokens=20)
    assert (batch.tokens_left, batch.requests[0].counts) == (32, (1,))


def test_what_is_in_flight_is_leased_and_never_twice():
    batch = Allocator([Request(), Request()], tokens=5)
    tickets = batch.ask(parallel=10)
    assert len(tickets) == len({(t.request, t.number) for t in tickets}) == 5
    assert batch.ask(parallel=10) == []


def made_up(seed, *, verified):
    rng = random.Random(seed)
    rates = [rng.betavariate(0.6, 0.8) for _ in range(40)]
    return [
        prepare(
            question(
                f"q{k}",
                "".join("3" if rng.random() < rate else rng.choice("124") for _ in range(40)),
            )
        )
        for k, rate in enumerate(rates)
    ]


@pytest.mark.parametrize("verified", [False, True])
def test_sharing_is_no_worse_than_as_many_for_each(verified):
    shared = same = 0.0
    for seed in range(6):
        decks = made_up(seed, verified=verified)
        how = {"tokens": 40 * 14 * 4, "seed": seed, "verified": [verified] * len(decks)}
        priors, outputs = [AnswerPrior(0.6, 0.8, 1.5)] * len(decks), [4.5] * len(decks)
        one = rehearse(decks, priors, outputs=outputs, **how)
        other = rehearse_uniform(decks, **how)
        assert one.tokens <= how["tokens"]
        assert other.tokens <= how["tokens"]
        shared += sum(one.right)
        same += sum(other.right)
    assert shared >= same


def test_bad_input_is_refused_in_one_line():
    for wrong, says in (
        ({"tokens": 0}, "tokens must be positive, got 0"),
        ({"tokens": 2, "most_tokens": 1}, "most_tokens must be at least tokens, 2, got 1"),
        ({"counts": (3,), "samples": 2}, "samples must be at least the 3 votes, got 2"),
        ({"value": 0}, "value must be positive, got 0"),
    ):
        with pytest.raises(ValueError, match=says):
            Request(**wrong)
    with pytest.raises(ValueError, match="tokens must be at least 0, got -1"):
        allocate([], tokens=-1)
    with pytest.raises(ValueError, match="parallel must be at least 1, got 0"):
        allocate([], tokens=1, parallel=0)
    with pytest.raises(ValueError, match="parallel must be at least 1, got 0"):
        Allocator([], tokens=1).ask(parallel=0)
    assert Ticket(0, 0, 1.0).lease == 1.0
