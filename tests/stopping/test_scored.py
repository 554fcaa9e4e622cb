import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tscale_graph.stopping import ExpectedImprovement, ScorePrior, Standing

scores = st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=40)


def predictive(prior):
    scale = math.sqrt(prior.rate * (prior.weight + 1) / (prior.shape * prior.weight))
    return stats.t(2 * prior.shape, loc=prior.mean, scale=scale)


@settings(deadline=None)
@given(scores)
def test_what_is_believed_does_not_depend_on_how_the_scores_were_cut_up(values):
    at_once, one_by_one = ScorePrior().after(values), ScorePrior()
    for value in values:
        one_by_one = one_by_one.after([value])
    for name in ("mean", "weight", "shape", "rate"):
        assert math.isclose(getattr(at_once, name), getattr(one_by_one, name), rel_tol=1e-9)


@pytest.mark.parametrize(
    "values", [[0.5], [0.2, 0.9, 0.4], [0.7] * 12, [0.1 * k for k in range(10)]]
)
def test_the_expected_improvement_is_the_integral_over_the_next_score(values):
    believed, best = ScorePrior().after(values), max(values)
    integral, _ = integrate.quad(
        lambda x: (x - best) * predictive(believed).pdf(x), best, math.inf, epsabs=1e-11
    )
    assert math.isclose(believed.expected_improvement(best), integral, abs_tol=1e-7)


def test_the_expected_improvement_is_the_average_over_drawn_scores():
    believed = ScorePrior().after([0.2, 0.9, 0.4, 0.6])
    rng = np.random.default_rng(7)
    variance = believed.rate / rng.gamma(believed.shape, size=400_000)
    mean = believed.mean + rng.standard_normal(400_000) * np.sqrt(variance / believed.weight)
    gain = np.maximum(mean + rng.standard_normal(400_000) * np.sqrt(variance) - 0.9, 0)
    error = gain.std() / math.sqrt(gain.size)
    assert abs(believed.expected_improvement(0.9) - gain.mean()) < 4 * error


def test_it_stops_when_the_improvement_is_not_worth_a_sample():
    standing = Standing(scores=(0.2, 0.9, 0.4, 0.6), samples=4, tokens=100)
    gain = ScorePrior().after(standing.scores).expected_improvement(0.9)
    assert ExpectedImprovement(price=1.01 * gain / 100).settled(standing)
    assert not ExpectedImprovement(price=0.99 * gain / 100).settled(standing)
    assert not ExpectedImprovement(price=1.01 * gain / 100, value=2).settled(standing)


def test_a_higher_price_never_buys_more_samples():
    rng = random.Random(3)
    for _ in range(20):
        stream = [rng.betavariate(2, 2) for _ in range(64)]
        taken = [
            next(
                (
                    n
                    for n in range(1, 64)
                    if ExpectedImprovement(price).settled(
                        Standing(scores=tuple(stream[:n]), samples=n)
                    )
                ),
                64,
            )
            for price in (0.001, 0.005, 0.02)
        ]
        assert taken == sorted(taken, reverse=True)
        assert taken[-1] < 64


def test_without_scores_nothing_is_settled_and_the_next_may_be_good_enough():
    assert not ExpectedImprovement(price=10).settled(Standing(samples=3))
    assert ExpectedImprovement().soonest(Standing(), limit=9) == 1


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: ExpectedImprovement(price=0), "price must be positive, got 0"),
        (lambda: ExpectedImprovement(value=-1), "value must be positive, got -1"),
        (lambda: ScorePrior(shape=0.5), r"shape must be above 0\.5, got 0\.5"),
        (lambda: ScorePrior(rate=0), "weight and rate must be positive"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
