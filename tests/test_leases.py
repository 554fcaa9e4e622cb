from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import budgets
from tscale_graph import Budget, Usage
from tscale_graph.budget import Remaining
from tscale_graph.leases import SampleSize, grant
from tscale_graph.prices import Price

prices = st.builds(
    Price, input=st.floats(min_value=0, max_value=100), output=st.floats(min_value=0, max_value=100)
)
sizes = st.builds(
    SampleSize,
    prompt_tokens=st.integers(min_value=0, max_value=10_000),
    output_tokens=st.integers(min_value=1, max_value=10_000),
    price=prices,
    shared_prompt=st.booleans(),
)


@given(
    budgets,
    sizes,
    st.integers(min_value=1, max_value=64),
    st.integers(min_value=0, max_value=64),
    st.booleans(),
)
def test_leases_together_never_exceed_what_remains(budget, size, wanted, more, nothing_yet):
    remaining = budget.remaining(Usage())
    granted = grant(
        remaining, size, wanted=wanted, still_wanted=wanted + more, nothing_yet=nothing_yet
    )
    assert 0 <= granted.samples <= wanted
    assert (granted.lease is None) == (granted.samples == 0)
    if granted.lease is None:
        assert granted.limited_by is not None
        return
    count = 1 if size.shared_prompt else granted.samples
    lease = granted.lease
    for name, limit in (("calls", remaining.calls), ("tokens", remaining.tokens)):
        if limit is not None:
            assert getattr(lease, name) * count <= limit
    if remaining.usd is not None and size.price is not None:
        assert round(lease.usd * 1e9) * count <= round(remaining.usd * 1e9)
    if remaining.seconds is not None:
        assert lease.seconds == remaining.seconds


@given(budgets, sizes, st.integers(min_value=1, max_value=64))
def test_a_lease_is_large_enough_for_a_whole_sample_unless_it_is_the_first(budget, size, wanted):
    granted = grant(
        budget.remaining(Usage()), size, wanted=wanted, still_wanted=wanted, nothing_yet=False
    )
    if granted.lease is not None and granted.lease.tokens is not None:
        several = granted.samples if size.shared_prompt else 1
        assert granted.lease.tokens == size.prompt_tokens + several * size.output_tokens


def test_a_small_budget_means_fewer_samples_not_shorter_ones():
    size = SampleSize(prompt_tokens=100, output_tokens=400)
    granted = grant(Remaining(tokens=1_700), size, wanted=16, still_wanted=16, nothing_yet=True)
    assert (granted.samples, granted.lease, granted.limited_by) == (3, Budget(tokens=500), "tokens")


def test_one_request_for_several_pays_for_its_prompt_once():
    size = SampleSize(prompt_tokens=1_000, output_tokens=100, shared_prompt=True)
    granted = grant(Remaining(tokens=1_850), size, wanted=16, still_wanted=16, nothing_yet=True)
    assert (granted.samples, granted.lease) == (8, Budget(tokens=1_800))


def test_with_nothing_yet_one_shorter_sample_is_better_than_none():
    size = SampleSize(prompt_tokens=100, output_tokens=400)
    granted = grant(Remaining(tokens=300), size, wanted=4, still_wanted=4, nothing_yet=True)
    assert (granted.samples, granted.lease) == (1, Budget(tokens=300))
    later = grant(Remaining(tokens=300), size, wanted=4, still_wanted=4, nothing_yet=False)
    assert (later.samples, later.limited_by) == (0, "tokens")


def test_a_prompt_that_does_not_fit_is_never_granted():
    size = SampleSize(prompt_tokens=100, output_tokens=400)
    granted = grant(Remaining(tokens=100), size, wanted=4, still_wanted=4, nothing_yet=True)
    assert (granted.samples, granted.lease, granted.limited_by) == (0, None, "tokens")


def test_a_zero_budget_grants_nothing():
    size = SampleSize(prompt_tokens=1, output_tokens=1, price=Price(input=1, output=1))
    for spent in ({"calls": 0}, {"tokens": 0}, {"usd": 0.0}, {"seconds": 0.0}):
        granted = grant(
            Remaining.model_validate(spent), size, wanted=4, still_wanted=4, nothing_yet=True
        )
        assert (granted.samples, granted.limited_by) == (0, next(iter(spent)))


def test_spare_calls_become_retries():
    size = SampleSize(prompt_tokens=1, output_tokens=1)
    tight = grant(Remaining(calls=4), size, wanted=4, still_wanted=4, nothing_yet=True)
    assert tight.lease == Budget(calls=1)
    roomy = grant(Remaining(calls=12), size, wanted=4, still_wanted=4, nothing_yet=True)
    assert roomy.lease == Budget(calls=3)


def test_retries_leave_the_calls_that_each_sample_needs_beside_its_own():
    size = SampleSize(prompt_tokens=10, output_tokens=10, beside=Usage(calls=1))
    for calls, retries in ((8, 0), (9, 0), (12, 1), (16, 2), (50, 2)):
        granted = grant(Remaining(calls=calls), size, wanted=4, still_wanted=4, nothing_yet=True)
        assert granted.samples == 4
        assert granted.lease.calls == 1 + retries
        assert 4 * (granted.lease.calls + 1) <= calls


@given(st.integers(1, 200), st.integers(0, 4), st.integers(1, 20), st.integers(0, 20))
def test_the_calls_of_leases_and_of_what_is_beside_them_never_exceed_what_remains(
    calls, beside, wanted, more
):
    size = SampleSize(prompt_tokens=1, output_tokens=1, beside=Usage(calls=beside))
    granted = grant(
        Remaining(calls=calls), size, wanted=wanted, still_wanted=wanted + more, nothing_yet=False
    )
    if granted.lease is not None:
        assert granted.samples * (granted.lease.calls + beside) <= calls
