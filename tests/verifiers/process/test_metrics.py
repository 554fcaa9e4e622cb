"""Measures of scores against hand-computed values and scikit-learn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from tscale_graph.verifiers.process.metrics import (
    auc,
    brier,
    by_questions,
    expected_calibration_error,
    first_error_f1,
    reliability,
)

scored = st.lists(st.tuples(st.integers(0, 10).map(lambda k: k / 10), st.booleans()), min_size=2)


@given(scored)
def test_the_area_and_the_brier_score_are_scikit_learns(pairs):
    scores, outcomes = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    assert brier(scores, outcomes) == pytest.approx(brier_score_loss(outcomes, scores))
    assume(0 < outcomes.sum() < len(outcomes))
    assert auc(scores, outcomes) == pytest.approx(roc_auc_score(outcomes, scores))


def test_an_area_of_one_kind_is_none():
    with pytest.raises(ValueError, match="got one kind"):
        auc(np.array([0.1, 0.2]), np.array([1.0, 1.0]))


def test_calibration_error_by_hand():
    scores = np.array([0.1, 0.3, 0.8, 0.8])
    outcomes = np.array([0.0, 1.0, 1.0, 0.0])
    low, high = reliability(scores, outcomes, bins=2)
    assert (low.score, low.right, low.count) == pytest.approx((0.2, 0.5, 2))
    assert (high.score, high.right, high.count) == pytest.approx((0.8, 0.5, 2))
    assert expected_calibration_error(scores, outcomes, bins=2) == pytest.approx(0.3)


def test_scores_that_are_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    outcomes = (rng.random(20_000) < scores).astype(float)
    assert expected_calibration_error(scores, outcomes) < 0.015
    assert expected_calibration_error(scores**2, outcomes) > 0.1


def test_the_interval_is_as_wide_as_questions_make_it():
    rng = np.random.default_rng(1)
    scores = np.repeat(rng.random(40), 25)  # 25 steps of each question are alike
    outcomes = (np.repeat(rng.random(40), 25) < scores).astype(float)
    by_question = np.repeat(np.arange(40), 25).astype(str)
    alone = np.arange(1_000).astype(str)
    wide = by_questions(auc, scores, outcomes, by_question, rng=rng, draws=300)
    narrow = by_questions(auc, scores, outcomes, alone, rng=rng, draws=300)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    assert wide[0] < auc(scores, outcomes) < wide[1]


def test_the_first_error_by_hand():
    scores = [np.array([0.9, 0.2, 0.1]), np.array([0.9, 0.9]), np.array([0.4, 0.9])]
    # Found; found to have none; found in the wrong place.
    assert first_error_f1(scores, [1, None, 1], threshold=0.5) == pytest.approx(2 * 0.5 / 1.5)
    assert first_error_f1(scores, [1, None, 0], threshold=0.5) == 1.0
    assert first_error_f1(scores, [None, 0, 1], threshold=0.5) == 0.0
