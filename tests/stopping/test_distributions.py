import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from tscale_graph.stopping.distributions import (
    gamma_cdf,
    incomplete_beta,
    probability_of_lead,
    student_t_cdf,
    student_t_pdf,
)

votes = st.integers(min_value=0, max_value=600)


def exact_probability_of_lead(first, second):
    trials = first + second + 1
    return float(Fraction(sum(math.comb(trials, k) for k in range(first + 1)), 2**trials))


@settings(deadline=None)
@given(votes, votes)
def test_the_probability_of_a_lead_is_the_exact_binomial_tail(first, second):
    assert math.isclose(
        probability_of_lead(first, second), exact_probability_of_lead(first, second), abs_tol=1e-11
    )


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (1, 0), (4, 0), (5, 3), (30, 29), (520, 480)]
)
def test_the_probability_of_a_lead_is_the_beta_integral(first, second):
    density = stats.beta(first + 1, second + 1).pdf
    integral, _ = integrate.quad(density, 0.5, 1, points=[0.52, 0.6], epsabs=1e-10)
    assert math.isclose(probability_of_lead(first, second), integral, abs_tol=1e-8)


@given(st.integers(min_value=1, max_value=2000), st.floats(min_value=0, max_value=3))
def test_the_gamma_distribution_function(shape, times_the_mean):
    x = shape * times_the_mean
    assert math.isclose(gamma_cdf(shape, x), special.gammainc(shape, x), abs_tol=1e-11)


@given(
    st.floats(min_value=0.05, max_value=500),
    st.floats(min_value=0.05, max_value=500),
    st.floats(min_value=0, max_value=1),
)
def test_the_incomplete_beta_function(a, b, x):
    assert math.isclose(incomplete_beta(a, b, x), special.betainc(a, b, x), abs_tol=1e-9)


@given(st.floats(min_value=-40, max_value=40), st.floats(min_value=0.5, max_value=2000))
@example(1.192092896e-07, 20.0)
def test_students_t(t, degrees):
    assert math.isclose(student_t_cdf(t, degrees), stats.t.cdf(t, degrees), abs_tol=1e-9)
    assert math.isclose(student_t_pdf(t, degrees), stats.t.pdf(t, degrees), abs_tol=1e-9)
