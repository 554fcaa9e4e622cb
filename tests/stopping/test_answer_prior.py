import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stopping.population import question, recording, stream
from tscale_graph.stopping import AnswerPrior

parameters = st.floats(min_value=0.1, max_value=20)
priors = st.builds(AnswerPrior, parameters, parameters, parameters)
counts = st.lists(st.integers(min_value=1, max_value=8), min_size=1, max_size=5)


def probability_of_votes(counts, right, prior):
    """P(these votes, one after the other), if the answer at that place is right (None: unseen)."""
    probability, seen_right, seen_wrong = 1.0, 0, 0
    for place, count in enumerate(counts):
        for already in range(count):
            p_right = (prior.a + seen_right) / (prior.a + prior.b + seen_right + seen_wrong)
            if place == right:
                probability *= p_right
                seen_right += 1
            else:
                mass = already or prior.gamma
                probability *= (1 - p_right) * mass / (prior.gamma + seen_wrong)
                seen_wrong += 1
    return probability


@settings(deadline=None)
@given(counts, priors)
def test_the_posterior_is_bayes_rule_on_the_votes_one_by_one(votes, prior):
    likelihoods = [probability_of_votes(votes, k, prior) for k in (*range(len(votes)), None)]
    seen, unseen = prior.posterior(votes)
    for got, likelihood in zip((*seen, unseen), likelihoods, strict=True):
        assert math.isclose(got, likelihood / sum(likelihoods), abs_tol=1e-9)


def test_scattered_errors_make_votes_strong_evidence_and_a_dominant_mistake_weak():
    def leader(gamma):
        return AnswerPrior(1, 1, gamma).posterior([5, 2, 1])[0][0]

    assert leader(0.1) < leader(1) < leader(10)


def test_with_no_votes_the_right_answer_has_not_been_seen():
    assert AnswerPrior().posterior([]) == ([], 1.0)


def drawn_from(prior, rng, *, samples=40):
    """A recording drawn from the prior itself."""
    rate = rng.betavariate(prior.a, prior.b)
    right = sum(rng.random() < rate for _ in range(samples))
    tables = []
    for seated in range(samples - right):
        place = rng.random() * (prior.gamma + seated)
        for k, size in enumerate(tables):
            place -= size
            if place < 0:
                tables[k] += 1
                break
        else:
            tables.append(1)
    return right, tables


@pytest.mark.parametrize(
    "prior", [AnswerPrior(1, 1, 1), AnswerPrior(0.5, 0.3, 0.8), AnswerPrior(3, 2, 5)]
)
def test_the_fit_recovers_the_prior_that_recordings_were_drawn_from(prior):
    rng = random.Random(11)
    fitted = AnswerPrior.fit([drawn_from(prior, rng) for _ in range(600)])
    for name in ("a", "b", "gamma"):
        assert abs(math.log(getattr(fitted, name) / getattr(prior, name))) < 0.25


def test_no_prior_nearby_makes_the_recordings_likelier_than_the_fitted_one():
    rng = random.Random(5)
    recordings = [recording(stream(question(rng), rng)) for _ in range(60)]
    fitted = AnswerPrior.fit(recordings)

    def log_likelihood(prior):
        return sum(
            math.log(probability_of_votes((right, *wrong), 0, prior)) for right, wrong in recordings
        )

    best = log_likelihood(fitted)
    for factor in (0.9, 1.1):
        for name in ("a", "b", "gamma"):
            values = {field: getattr(fitted, field) for field in ("a", "b", "gamma")}
            values[name] *= factor
            assert log_likelihood(AnswerPrior(**values)) < best


def test_the_fit_keeps_within_bounds_where_recordings_are_one_sided():
    assert AnswerPrior.fit([(10, [])] * 5).gamma == AnswerPrior().gamma
    assert AnswerPrior.fit([(0, [10])] * 5).gamma <= 0.03
    assert AnswerPrior.fit([(0, [1] * 10)] * 5).gamma >= 40
    with pytest.raises(ValueError, match="at least one question with an answer, got none"):
        AnswerPrior.fit([(0, [])])


def test_a_bad_parameter_is_refused_in_one_line():
    with pytest.raises(ValueError, match="gamma must be positive, got 0"):
        AnswerPrior(gamma=0)
