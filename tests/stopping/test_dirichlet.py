import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tscale_graph.stopping import (
    Beta,
    Dirichlet,
    Standing,
    probability_of_lead,
    probability_of_mode,
)

counts = st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=6).map(
    lambda votes: tuple(sorted(votes, reverse=True))
)


def probability_of_mode_by_adaptive_quadrature(votes):
    """The same integral over x instead of log x, by scipy."""
    first, *others = [stats.gamma(count + 1) for count in votes]

    def integrand(x):
        return first.pdf(x) * np.prod([other.cdf(x) for other in others])

    low, high = first.ppf(1e-13), first.ppf(1 - 1e-13)
    return integrate.quad(integrand, low, high, points=[first.mean()], epsabs=1e-10, limit=200)[0]


@pytest.mark.parametrize(
    "votes",
    [
        (1, 1, 1),
        (2, 1, 1),
        (5, 3, 2),
        (9, 9, 1, 1),
        (12, 10, 8, 6, 4),
        (340, 335, 325),
        (900, 60, 40),
    ],
)
def test_the_probability_of_the_mode_is_the_integral_to_1e_6(votes):
    expected = probability_of_mode_by_adaptive_quadrature(votes)
    assert math.isclose(probability_of_mode(votes), expected, abs_tol=1e-6)


@settings(max_examples=25, deadline=None)
@given(counts)
def test_the_probability_of_the_mode_for_any_votes(votes):
    expected = probability_of_mode_by_adaptive_quadrature(votes)
    assert math.isclose(probability_of_mode(votes), expected, abs_tol=1e-6)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=500), st.integers(min_value=0, max_value=500))
def test_between_two_answers_it_is_the_beta_probability(first, second):
    assert math.isclose(
        probability_of_mode((first, second)), probability_of_lead(first, second), abs_tol=1e-6
    )


@settings(deadline=None)
@given(counts, st.sampled_from([0.6, 0.8, 0.95]))
def test_the_bounds_that_spare_the_integral_change_no_decision(votes, confidence):
    leading = votes[:5] if len(votes) > 1 else (*votes, 0)
    probability = probability_of_mode(leading)
    if abs(probability - confidence) > 1e-5:
        settled = Dirichlet(confidence).settled(Standing(counts=votes))
        assert settled == (probability >= confidence)


@settings(deadline=None)
@given(counts, st.sampled_from([0.6, 0.8, 0.95]))
def test_it_foresees_the_first_number_of_agreeing_votes_that_is_enough(votes, confidence):
    rule, limit = Dirichlet(confidence), 80
    first, *others = votes
    enough = next(
        (k for k in range(1, limit) if rule.settled(Standing(counts=(first + k, *others)))), limit
    )
    assert rule.soonest(Standing(counts=votes), limit=limit) == enough


@settings(deadline=None)
@given(counts)
def test_it_never_stops_before_beta(votes):
    if Dirichlet().settled(Standing(counts=votes)):
        assert Beta().settled(Standing(counts=votes))


def test_without_votes_nothing_is_settled():
    assert not Dirichlet(0.6).settled(Standing(samples=5))
    with pytest.raises(ValueError, match=r"confidence must be between 0\.5 and 1, got 1"):
        Dirichlet(1.0)
