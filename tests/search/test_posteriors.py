"""Draws against the distributions that they should be from, at every way of drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tscale_graph.search.posteriors import Arms, BetaScores, GaussianScores

DRAWS = 10_000
SCORES = {
    "nothing": [],
    "a zero": [0.0],
    "a one": [1.0],
    "two": [0.3, 0.8],
    "equal ones": [0.4] * 6,
    "many": [0.05 * place for place in range(21)],
}
PRIORS = [
    BetaScores(),
    BetaScores(successes=2.0, failures=0.7),
    GaussianScores(),
    GaussianScores(mean=0.5, mean_weight=2.5, variance=0.02, variance_weight=3.0),
]

cases = pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES)
priors = pytest.mark.parametrize("prior", PRIORS, ids=repr)


def sufficient(scores):
    return float(len(scores)), math.fsum(scores), math.fsum(score**2 for score in scores)


def exact(prior, scores, pending=0):
    """The posterior of the mean as a distribution of scipy's, from the list of scores."""
    if isinstance(prior, BetaScores):
        known = prior.successes + prior.failures + len(scores)
        surer = (known + pending) / known
        return stats.beta(
            (prior.successes + sum(scores)) * surer,
            (prior.failures + sum(1 - score for score in scores)) * surer,
        )
    n = len(scores)
    mean = np.mean(scores) if n else 0.0
    deviations = sum((score - mean) ** 2 for score in scores)
    kappa, nu = prior.mean_weight + n, prior.variance_weight + n
    centre = (prior.mean_weight * prior.mean + n * mean) / kappa
    pull = n * prior.mean_weight * (prior.mean - mean) ** 2 / kappa
    tau_square = (prior.variance_weight * prior.variance + deviations + pull) / nu
    # Scores at the posterior mean add to the weights and to no sum of squares.
    tau_square *= nu / (nu + pending)
    return stats.t(nu + pending, centre, math.sqrt(tau_square / (kappa + pending)))


def one_by_one(prior, scores, pending=0, seed=1):
    rng = np.random.default_rng(seed)
    arm = sufficient(scores)
    return np.array([prior.draw(*arm, pending, rng) for _ in range(DRAWS)])


def all_at_once(prior, scores, pending=0, seed=1):
    arms = [np.full(DRAWS, each) for each in (*sufficient(scores), float(pending))]
    return prior.draw_each(Arms(*arms), np.random.default_rng(seed))


def few_at_once(prior, scores, pending=0, seed=1):
    rng = np.random.default_rng(seed)
    arms = [np.full(4, each) for each in (*sufficient(scores), float(pending))]
    return np.concatenate([prior.draw_each(Arms(*arms), rng) for _ in range(DRAWS // 4)])


ways = pytest.mark.parametrize("way", [one_by_one, few_at_once, all_at_once])


@pytest.mark.slow
@cases
@priors
@ways
@pytest.mark.parametrize("pending", [0, 3])
def test_draws_are_from_the_posterior_of_the_mean(way, prior, scores, pending):
    drawn = way(prior, scores, pending)
    assert stats.kstest(drawn, exact(prior, scores, pending).cdf).pvalue > 1e-4


def test_the_comparison_notices_a_score_that_was_missed():
    for prior in PRIORS:
        drawn = all_at_once(prior, [0.3, 0.8])
        assert stats.kstest(drawn, exact(prior, [0.3, 0.8, 0.2]).cdf).pvalue < 1e-12


@cases
@pytest.mark.parametrize("kind", ["beta", "gaussian"])
def test_the_posterior_is_that_of_the_authors(kind, scores):
    prob_state = pytest.importorskip("treequest.algos.ab_mcts_a.prob_state")
    theirs = prob_state.ProbabilisticDist(prob_state.PriorConfig(dist_type=kind))
    for score in scores:
        theirs.tell_observation(score)
    told = theirs.params
    if kind == "beta":
        ours, theirs = exact(BetaScores(), scores), stats.beta(told["a"], told["b"])
    else:
        ours = exact(GaussianScores(), scores)
        scale = math.sqrt(told["tau_square"] / told["kappa"])
        theirs = stats.t(told["nu"], told["m"], scale)
    quantiles = np.linspace(0.01, 0.99, 9)
    assert ours.ppf(quantiles) == pytest.approx(theirs.ppf(quantiles))


@pytest.mark.slow
@cases
@priors
@ways
def test_scores_in_flight_leave_the_mean_and_narrow_the_spread(way, prior, scores):
    without, beside = way(prior, scores), way(prior, scores, pending=8)
    middle, spread = np.median(beside), np.subtract(*np.quantile(beside, [0.75, 0.25]))
    assert spread < np.subtract(*np.quantile(without, [0.75, 0.25]))
    if isinstance(prior, BetaScores):
        expected = exact(prior, scores).mean()
        assert beside.mean() == pytest.approx(expected, abs=5 * beside.std() / DRAWS**0.5)
    else:  # a heavy tail may have no mean; the median is the centre
        assert middle == pytest.approx(exact(prior, scores).median(), abs=0.05 * spread)


@given(
    st.lists(st.floats(0, 1), max_size=8),
    st.floats(0.1, 3),
    st.floats(0.05, 5),
    st.integers(0, 5),
    st.floats(1e-6, 1.0),
)
def test_the_gaussian_is_never_undefined(scores, mean_weight, variance_weight, pending, variance):
    prior = GaussianScores(0.5, mean_weight, variance, variance_weight)
    arm = (*sufficient(scores), pending)
    assert not math.isnan(prior.draw(*arm, np.random.default_rng(0)))
    for arms in (0, 1, 30):
        columns = [np.full(arms, each) for each in arm]
        drawn = prior.draw_each(Arms(*columns), np.random.default_rng(0))
        assert drawn.shape == (arms,)
        assert not np.isnan(drawn).any()


@priors
@pytest.mark.parametrize("times", [1, 10])
def test_each_arm_is_drawn_from_its_own_scores(prior, times):
    arms = [[0.1] * 400, [0.9] * 400, [0.5] * 400] * times
    columns = np.array([(*sufficient(scores), 0.0) for scores in arms]).T
    drawn = prior.draw_each(Arms(*columns), np.random.default_rng(3))
    assert drawn == pytest.approx([0.1, 0.9, 0.5] * times, abs=0.1)
