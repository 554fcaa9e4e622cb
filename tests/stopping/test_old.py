import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.stopping import (
    RULES,
    Beta,
    FirstPass,
    Fixed,
    Standing,
    probability_of_lead,
    stopping_rule,
    wave_size,
)

counts = st.lists(st.integers(min_value=1, max_value=30), max_size=6).map(
    lambda votes: tuple(sorted(votes, reverse=True))
)
standings = st.builds(
    lambda votes, silent, passed: Standing(
        counts=votes, samples=sum(votes) + silent, passed=min(passed, sum(votes))
    ),
    counts,
    st.integers(min_value=0, max_value=5),
    st.integers(min_value=0, max_value=3),
)


def beta_tail_by_integration(first: int, second: int) -> float:
    """P(p > 1/2) for p ~ Beta(first + 1, second + 1), by Simpson's rule."""
    steps = 20_000

    def density(p):
        return p**first * (1 - p) ** second

    def simpson(a, b):
        h = (b - a) / steps
        inner = sum((4 if k % 2 else 2) * density(a + k * h) for k in range(1, steps))
        return (density(a) + density(b) + inner) * h / 3

    return simpson(0.5, 1) / simpson(0, 1)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (4, 0), (5, 3), (12, 9), (30, 2)])
def test_the_probability_of_a_lead_is_the_beta_integral(first, second):
    assert math.isclose(
        probability_of_lead(first, second), beta_tail_by_integration(first, second), abs_tol=1e-6
    )


def test_four_votes_in_agreement_settle_the_matter_at_95_percent():
    assert not Beta().settled(Standing(counts=(3,), samples=3))
    assert Beta().settled(Standing(counts=(4,), samples=4))
    assert not Beta().settled(Standing(counts=(4, 1), samples=5))


@given(standings, st.sampled_from([Fixed(), Beta(), Beta(0.8), FirstPass()]))
def test_a_wave_is_never_larger_than_the_samples_that_are_left(standing, rule):
    size = wave_size(rule, standing, max_samples=40, max_parallel=7)
    assert 0 <= size <= min(7, max(0, 40 - standing.samples))
    assert (size == 0) == (rule.settled(standing) or standing.samples >= 40)


@given(standings)
def test_a_beta_wave_buys_nothing_that_one_at_a_time_would_surely_not_have_bought(standing):
    rule = Beta()
    size = wave_size(rule, standing, max_samples=200, max_parallel=None)
    leader, *rest = standing.counts or (0,)
    for bought in range(1, size):
        agreed = Standing(counts=(leader + bought, *rest), samples=standing.samples + bought)
        assert not rule.settled(agreed)


def test_first_pass_doubles_until_something_passes():
    rule, sizes, taken = FirstPass(), [], 0
    while size := wave_size(rule, Standing(samples=taken), max_samples=16, max_parallel=None):
        sizes.append(size)
        taken += size
    assert sizes == [1, 1, 2, 4, 8]
    assert rule.settled(Standing(samples=3, passed=1))


def test_a_wrong_name_is_answered_with_the_right_ones():
    with pytest.raises(ValueError, match="stop must be one of fixed, beta, first_pass"):
        stopping_rule("never")
    assert [stopping_rule(name).name for name in RULES] == list(RULES)
    assert stopping_rule(Beta(0.8)) == Beta(0.8)
    with pytest.raises(ValueError, match=r"confidence must be between 0\.5 and 1"):
        Beta(0.4)
