"""Classifiers of steps: what scikit-learn fits is what is predicted without it."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from tscale_graph.verifiers.process import fitting
from tscale_graph.verifiers.process.classifier import standardised
from tscale_graph.verifiers.process.fitting import KINDS, LabelledSteps, fit, splits
from tscale_graph.verifiers.process.metrics import auc, expected_calibration_error

COLUMNS = ("told", "twisted", "noise")


def steps(count, seed, *, per_question=4, soft=True):
    """The value is a sigmoid of one column, turned around where another is below 0."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3)) * [1.0, 1.0, 30.0] + [0.0, 0.0, 500.0]
    odds = 2.5 * features[:, 0] * np.where(features[:, 1] > 0, 1.0, 0.2)
    values = 1 / (1 + np.exp(-odds))
    drawn = rng.binomial(8, values) / 8 if soft else (rng.random(count) < values).astype(float)
    questions = [f"{seed}/{k // per_question}" for k in range(count)]
    return LabelledSteps(COLUMNS, features, drawn, np.full(count, 2 / 3), questions), values


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_learnt_holds_on_other_questions(kind):
    (train, _), (calibrate, _) = steps(3_000, 1), steps(1_500, 2)
    test, values = steps(4_000, 3)
    model = fit(train, calibrate, kind=kind)
    predicted = model(test.features)
    outcomes = (np.random.default_rng(4).random(4_000) < values).astype(float)
    # A line cannot turn around: it misses what depends on another column.
    missed = 0.05 if kind == "logistic" else 0.02
    assert auc(predicted, outcomes) > auc(values, outcomes) - missed
    assert expected_calibration_error(predicted, outcomes) < 0.04
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_trees_find_what_a_line_cannot():
    (train, _), (calibrate, _), (test, values) = steps(3_000, 1), steps(1_500, 2), steps(4_000, 3)
    error = {
        kind: np.mean((fit(train, calibrate, kind=kind)(test.features) - values) ** 2)
        for kind in ("logistic", "boosting")
    }
    assert error["boosting"] < error["logistic"]


def test_predicting_needs_no_scikit_learn_and_is_the_same(monkeypatch):
    made = []
    original = GradientBoostingClassifier.fit

    def fitted(self, *args, **more):
        made.append(original(self, *args, **more))
        return made[-1]

    monkeypatch.setattr(GradientBoostingClassifier, "fit", fitted)
    (train, _), (calibrate, _) = steps(800, 1), steps(400, 2)
    model = fit(train, calibrate, kind="boosting")
    rows = standardised(calibrate.features, model.centre, model.scale)
    assert model.log_odds(calibrate.features) == pytest.approx(made[0].decision_function(rows))


def test_few_steps_are_calibrated_by_a_sigmoid_and_many_by_the_data():
    (train, _), (few, _), (many, _) = steps(1_000, 1), steps(200, 2), steps(2_000, 3)
    smooth, stepped = fit(train, few, kind="logistic"), fit(train, many, kind="logistic")
    assert len(smooth.calibration.log_odds) == 65
    assert len(stepped.calibration.log_odds) != 65
    for model in (smooth, stepped):
        assert (np.diff(model.calibration.probability) >= 0).all()
        assert (np.diff(model.calibration.log_odds) > 0).all()


def test_the_sigmoid_is_within_a_thousandth_of_its_knots():
    (train, _), (few, _) = steps(1_000, 1), steps(300, 2)
    model = fit(train, few, kind="logistic")
    grid = model.calibration.log_odds
    slope = (len(grid) - 1) / (grid[-1] - grid[0]) * 0.25
    at = np.linspace(grid[0], grid[-1], 5_001)
    exact = 1 / (1 + np.exp(-(-8 + slope * (at - grid[0]))))
    assert np.abs(model.calibration(at) - exact).max() < 1e-3


def test_labels_that_say_nothing_teach_nothing():
    (train, _), (calibrate, _), (test, values) = steps(3_000, 1), steps(1_500, 2), steps(4_000, 3)
    rng = np.random.default_rng(5)
    shuffled = [
        LabelledSteps(p.columns, p.features, rng.permutation(p.values), p.weights, p.questions)
        for p in (train, calibrate)
    ]
    outcomes = (values > 0.5).astype(float)
    assert abs(auc(fit(*shuffled)(test.features), outcomes) - 0.5) < 0.12


def test_an_unknown_feature_counts_as_its_mean():
    (train, _), (calibrate, _) = steps(1_000, 1), steps(500, 2)
    train.features[:50, 1] = np.nan
    model = fit(train, calibrate)
    known = model.centre.copy()
    unknown = np.full(3, np.nan)
    assert model(unknown[None]) == pytest.approx(model(known[None]))


def test_weights_decide_who_is_believed():
    (train, _), (calibrate, _) = steps(2_000, 1), steps(1_000, 2)
    lies = np.arange(2_000) % 2 == 0
    train.values[lies] = 1 - train.values[lies]
    train.weights[lies] = 0.0
    test, values = steps(3_000, 3)
    predicted = fit(train, calibrate, kind="logistic")(test.features)
    assert auc(predicted, (values > 0.5).astype(float)) > 0.9


def test_the_same_seed_makes_the_same_model():
    (train, _), (calibrate, _) = steps(600, 1), steps(300, 2)
    one, two, other = (fit(train, calibrate, seed=seed)(calibrate.features) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t, c: (t, c, "forest"), "kind must be one of logistic, boosting, both"),
        (lambda t, c: (t, t, "both"), "questions are in both parts"),
        (lambda t, c: (_all(t, 1.0), c, "both"), "the steps to train on must be right and wrong"),
        (lambda t, c: (t, _all(c, 0.0), "both"), "the steps to calibrate on must be right and"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_in_one_line(change, told):
    (train, _), (calibrate, _) = steps(100, 1), steps(100, 2)
    one, two, kind = change(train, calibrate)
    with pytest.raises(ValueError, match=told):
        fit(one, two, kind=kind)


def _all(part, value):
    values = np.full(len(part.values), value)
    return LabelledSteps(part.columns, part.features, values, part.weights, part.questions)


def test_other_columns_are_refused():
    (train, _), (calibrate, _) = steps(200, 1), steps(100, 2)
    model = fit(train, calibrate, kind="logistic")
    with pytest.raises(ValueError, match=r"features must have 3 columns, got shape \(1, 2\)"):
        model(np.zeros((1, 2)))
    assert model(np.zeros((0, 3))).shape == (0,)


def test_questions_are_split_whole_and_the_same_each_time():
    questions = [f"q{k % 100}" for k in range(1_000)]
    parts = list(splits(questions, (0.6, 0.15, 0.1, 0.15), seed=3))
    assert [len(part) for part in parts] == [60, 15, 10, 15]
    assert len(set.union(*parts)) == 100
    assert parts == list(splits(questions[::-1], (0.6, 0.15, 0.1, 0.15), seed=3))
    assert parts != list(splits(questions, (0.6, 0.15, 0.1, 0.15), seed=4))
    part = steps(40, 1)[0].of({"1/0", "1/2"})
    assert set(part.questions) == {"1/0", "1/2"}
    assert part.features.shape == (8, 3)


def test_training_without_scikit_learn_names_the_extra(monkeypatch):
    import importlib
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'tscale-graph\[prm\]'"):
        importlib.reload(fitting)
