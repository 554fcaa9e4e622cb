"""Agreement with the recorded fits is printed by `python -m tests.search.test_mixed`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tests.search import exact_fits
from tscale_graph.search.mixed import MixedModel

MODEL = MixedModel()
DRAWS = 12_000
FITS = exact_fits.read().fits

score = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
children = st.lists(st.lists(score, min_size=1, max_size=12), max_size=50)


def statistics(observations):
    scores = [np.array(child, float) for child in observations]
    return (
        np.array([float(len(child)) for child in scores]),
        np.array([child.sum() for child in scores]),
        np.array([(child**2).sum() for child in scores]),
    )


def fitted(observations, model=MODEL):
    return model.fit(*statistics(observations))


def draws(posterior, seed=1, *, times=DRAWS, coupled=False):
    """Scores of shape (times, 1 + children), a fresh child first."""
    rng = np.random.default_rng(seed)
    drawn = (posterior.draw(rng, coupled=coupled) for _ in range(times))
    return np.array([[fresh, *children] for fresh, children in drawn])


def choice(scores):
    return np.bincount(scores.argmax(axis=1), minlength=scores.shape[1]) / len(scores)


def total_variation(first, second):
    return float(abs(np.asarray(first) - second).sum() / 2)


def naive_weights(model, observations):
    """The density of the scores at each point, child by child, from their joint Gaussian."""
    logs = np.linspace(math.log(model.resolution), math.log(4 * model.noise_sd), model.grid_points)
    edge = np.where((logs == logs[0]) | (logs == logs[-1]), 0.5, 1.0)
    scores = np.concatenate([*observations, []])
    child = np.repeat(np.arange(len(observations)), [len(child) for child in observations])
    same = child[:, None] == child
    weights = np.empty((len(logs), len(logs)))
    for row, noise in enumerate(np.exp(logs)):
        for column, group in enumerate(np.exp(logs)):
            covariance = model.prior_mean_sd**2 + group**2 * same + noise**2 * np.eye(len(scores))
            weights[row, column] = (
                stats.multivariate_normal.logpdf(scores, np.full(len(scores), 0.5), covariance)
                if len(scores)
                else 0
            ) + sum(
                (
                    stats.halfnorm.logpdf(noise, scale=model.noise_sd),
                    stats.halfnorm.logpdf(group, scale=model.group_sd),
                    math.log(noise * group * edge[row] * edge[column]),
                )
            )
    return special.softmax(weights)


def brute_force_choice(observations, *, points=40, times=200_000):
    """P(greatest) of each arm by sums over (μ, σ_α, σ_y), and over α_j for the likelihood.

    Nothing Gaussian is used but the densities of the model: α_j lives on a grid of its own.
    """
    mu = np.linspace(-0.3, 1.3, points)
    alpha = np.linspace(-1.2, 2.2, 681)
    sds = np.exp(np.linspace(math.log(0.01), math.log(1.2), points))
    edge = np.where((sds == sds[0]) | (sds == sds[-1]), 0.5, 1.0)
    log_group = stats.halfnorm.logpdf(sds, scale=0.2) + np.log(sds * edge)
    log_noise = stats.halfnorm.logpdf(sds, scale=0.3) + np.log(sds * edge)
    log_weights = stats.norm.logpdf(mu, 0.5, 0.2)[:, None, None] + (
        log_group[:, None] + log_noise[None, :]
    )
    between = stats.norm.pdf(alpha, mu[:, None, None], sds[None, :, None])
    between /= between.sum(axis=2, keepdims=True)
    likelihoods = []
    for child in observations:
        logs = stats.norm.logpdf(np.array(child)[:, None, None], alpha, sds[:, None]).sum(axis=0)
        likelihoods.append(np.exp(logs))
        log_weights = log_weights + np.log(between @ likelihoods[-1].T + 1e-300)

    rng = np.random.default_rng(7)
    cumulative = special.softmax(log_weights).ravel().cumsum()
    scores = np.empty((times, len(observations) + 1))
    for arm in range(len(observations) + 1):
        cell = cumulative.searchsorted(rng.random(times) * cumulative[-1], "right")
        cells, inverse = np.unique(cell, return_inverse=True)
        m, a, y = np.unravel_index(cells, log_weights.shape)
        density = between[m, a] * (likelihoods[arm - 1][y] if arm else 1)
        level = density.cumsum(axis=1)
        level /= level[:, -1:]
        order = np.argsort(inverse, kind="stable")
        starts = np.searchsorted(inverse[order], np.arange(len(cells) + 1))
        for k in range(len(cells)):
            own = order[starts[k] : starts[k + 1]]
            at = alpha[level[k].searchsorted(rng.random(len(own)))]
            scores[own, arm] = at + sds[y[k]] * rng.standard_normal(len(own))
    return choice(scores)


def test_the_recorded_fits_are_those_of_the_scenarios():
    assert {fit.scenario: fit.observations for fit in FITS} == exact_fits.SCENARIOS
    assert max(fit.r_hat for fit in FITS) < 1.01


@pytest.mark.slow
@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.scenario)
def test_choices_are_those_of_the_exact_fit(fit):
    difference = total_variation(choice(draws(fitted(fit.observations))), fit.choice)
    print(f"{fit.scenario}: total variation {difference:.4f}")
    assert difference <= 0.03


@pytest.mark.parametrize("scenario", ["one child", "one good deep child", "nearly saturated"])
@pytest.mark.slow
def test_choices_are_those_of_a_brute_force(scenario):
    observations = exact_fits.SCENARIOS[scenario]
    scores = draws(fitted(observations))
    assert total_variation(choice(scores), brute_force_choice(observations)) <= 0.03


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["eight long groups", "many small groups", "unequal groups"])
def test_the_default_grid_is_as_good_as_a_fine_one(scenario):
    observations = exact_fits.SCENARIOS[scenario]
    coarse = draws(fitted(observations), times=20_000)
    fine = draws(fitted(observations, MixedModel(grid_points=64)), times=20_000)
    assert total_variation(choice(coarse), choice(fine)) <= 0.01


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(score, min_size=1, max_size=4), max_size=30))
def test_weights_are_those_of_the_joint_gaussian(observations):
    model = MixedModel(grid_points=5)
    expected = naive_weights(model, observations)
    np.testing.assert_allclose(fitted(observations, model).weights, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scale", [1, 0.5, 2000])
def test_children_with_equal_counts_are_grouped_without_loss(scale):
    rng = np.random.default_rng(3)
    counts = scale * rng.integers(1, 6, 60)
    means = rng.random(60)
    posterior = MODEL.fit(counts, counts * means, counts * (means**2 + 0.01))
    logs = np.empty((MODEL.grid_points, MODEL.grid_points))
    for row, noise in enumerate(posterior.sds):
        for column, group in enumerate(posterior.sds):
            spread = group**2 + noise**2 / counts
            precision = 1 / 0.2**2 + sum(1 / spread)
            pull = sum((means - 0.5) / spread)
            logs[row, column] = (
                -(counts.sum() - 60) * math.log(noise)
                - 0.01 * counts.sum() / (2 * noise**2)
                - sum(np.log(spread)) / 2
                - math.log(precision) / 2
                - sum((means - 0.5) ** 2 / spread) / 2
                + pull**2 / precision / 2
                - (noise / 0.3) ** 2 / 2
                - (group / 0.2) ** 2 / 2
                + math.log(noise * group)
            )
    logs[[0, -1]] -= math.log(2)
    logs[:, [0, -1]] -= math.log(2)
    np.testing.assert_allclose(posterior.weights, special.softmax(logs), rtol=1e-6, atol=1e-9)


@given(children, st.randoms(use_true_random=False))
def test_the_order_of_children_does_not_matter(observations, random):
    shuffled = random.sample(observations, len(observations))
    np.testing.assert_allclose(
        fitted(shuffled).weights, fitted(observations).weights, rtol=1e-6, atol=1e-9
    )


def test_only_counts_sums_and_squares_matter():
    """Three scores with the same mean and the same sum of squares say the same."""
    spread = math.sqrt(0.02 / 6)
    first, second = [0.5, 0.4, 0.6], [0.5 + spread, 0.5 + spread, 0.5 - 2 * spread]
    np.testing.assert_allclose(
        fitted([first, [0.2]]).weights, fitted([second, [0.2]]).weights, rtol=1e-9
    )


@given(children, st.booleans(), st.sampled_from([1.0, 0.3, 1e-6]))
def test_every_draw_is_a_number(observations, coupled, weight):
    statistic = [weight * array for array in statistics(observations)]
    posterior = MODEL.fit(*statistic)
    scores = draws(posterior, times=5, coupled=coupled)
    assert scores.shape == (5, len(observations) + 1)
    assert np.isfinite(scores).all()
    assert math.isclose(posterior.weights.sum(), 1)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 0.1])
@pytest.mark.parametrize("sizes", [[1], [50], [1, 3, 2], [2] * 5000, [100_000, 1]])
def test_scores_that_are_all_equal_are_predicted_again(value, sizes):
    counts = np.array(sizes, float)
    posterior = MODEL.fit(counts, counts * value, counts * value**2)
    scores = draws(posterior, times=20)
    assert np.isfinite(scores).all()
    if sum(sizes) > 10:
        assert abs(scores[:, 1] - value).max() < 0.1


def test_without_a_child_the_fresh_one_follows_the_prior():
    scores = draws(fitted([]))
    assert scores.shape == (DRAWS, 1)
    rng = np.random.default_rng(5)
    spread = [
        stats.truncnorm.rvs(0.01 / sd, np.inf, scale=sd, size=50_000, random_state=rng)
        for sd in (0.2, 0.3)
    ]
    sds = np.sqrt(0.2**2 + spread[0] ** 2 + spread[1] ** 2)
    prior = 0.5 + sds * rng.standard_normal(50_000)
    assert stats.ks_2samp(scores[:, 0], prior).pvalue > 0.01


@pytest.mark.parametrize("coupled", [False, True])
def test_an_arm_by_itself_is_the_same_coupled_or_not(coupled):
    posterior = fitted([[0.3, 0.2], [0.7]])
    apart = draws(posterior, seed=1, times=20_000)
    other = draws(posterior, seed=2, times=20_000, coupled=coupled)
    for arm in range(3):
        assert stats.ks_2samp(apart[:, arm], other[:, arm]).pvalue > 0.001


def test_arms_share_what_they_do_not_know_only_when_coupled():
    posterior = fitted([[0.3], [0.7]])
    apart, together = draws(posterior), draws(posterior, coupled=True)
    assert abs(np.corrcoef(apart[:, 0], apart[:, 1])[0, 1]) < 0.03
    assert np.corrcoef(together[:, 0], together[:, 1])[0, 1] > 0.05


def test_draws_repeat_with_the_seed():
    posterior = fitted([[0.3], [0.7, 0.8]])
    assert (draws(posterior, 4, times=9) == draws(posterior, 4, times=9)).all()


def test_the_given_arrays_are_left_alone():
    given = statistics([[0.3], [0.7, 0.8]] * 20)
    before = [array.copy() for array in given]
    MODEL.fit(*given).draw(np.random.default_rng(1))
    assert all((array == copy).all() for array, copy in zip(given, before, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [0.5], [0.2, 0.3]), "of one length"),
        (([[1.0]], [[0.5]], [[0.25]]), "must be vectors"),
        (([1.0, 0.0], [0.5, 0.0], [0.25, 0.0]), "counts must be positive, got 0.0"),
        (([1.0, math.nan], [0.5, 0.0], [0.25, 0.0]), "counts must be positive, got nan"),
        (([1.0], [math.nan], [0.25]), "must be finite"),
    ],
)
def test_statistics_that_mean_nothing_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MODEL.fit(*map(np.array, arguments))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"prior_mean": math.nan}, "prior_mean must be finite, got nan"),
        ({"prior_mean_sd": 0}, "prior_mean_sd must be finite and above 0, got 0"),
        ({"resolution": 0}, "resolution must be finite and above 0, got 0"),
        ({"group_sd": 0.01}, "group_sd must be finite and above 0.01, got 0.01"),
        ({"noise_sd": math.inf}, "noise_sd must be finite and above 0.01, got inf"),
        ({"grid_points": 1}, "grid_points must be at least 2, got 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        MixedModel(**setting)


if __name__ == "__main__":
    for fit in FITS:
        found = choice(draws(fitted(fit.observations), times=40_000))
        print(f"{fit.scenario:28} total variation {total_variation(found, fit.choice):.4f}")
