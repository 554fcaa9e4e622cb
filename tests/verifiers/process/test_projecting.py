"""Principal components: against scikit-learn's, saved and read again, and refused when damaged."""

import hashlib
import io
import json
import time

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tests.verifiers.process.test_model import CARD
from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers.process.classifier import projected, standardised
from tscale_graph.verifiers.process.features import column_names, features
from tscale_graph.verifiers.process.fitting import KINDS, LabelledSteps, fit
from tscale_graph.verifiers.process.model import ProcessRewardModel
from tscale_graph.verifiers.process.projecting import COMPONENTS, WIDE_FROM, projections_of
from tscale_graph.verifiers.process.reading import Arithmetic, Position, Wording


def wide_names(count):
    return tuple(f"far.vector.{place}" for place in range(count))


class Wide:
    """A vector of which a few directions tell how the step is written."""

    def __init__(self, width=200):
        self.name = "far"
        self.columns = tuple(f"vector.{place}" for place in range(width))
        self.directions = np.random.default_rng(1).normal(size=(4, width))

    def __call__(self, question, steps):
        said = [[len(step), step.count("1"), step.count("+"), 1.0] for step in steps]
        return np.array(said).reshape(len(steps), 4) @ self.directions


def labelled(seed, rows=300, width=200):
    """Steps that are right where the first of two hidden directions is positive."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 2)) * [3.0, 2.0]
    directions = np.random.default_rng(0).normal(size=(2, width))
    wide = hidden @ directions + 0.1 * rng.normal(size=(rows, width))
    values = (hidden[:, 0] > 0).astype(float)
    narrow = rng.normal(size=(rows, 1))
    questions = [f"{seed}/{place // 3}" for place in range(rows)]
    columns = ("own", *wide_names(width))
    return LabelledSteps(columns, np.hstack([narrow, wide]), values, np.ones(rows), questions)


def test_the_components_are_those_of_scikit_learn():
    data = labelled(1)
    rows = standardised(data.features, data.features.mean(axis=0), data.features.std(axis=0))
    [one] = projections_of(data.columns, rows, components=2)
    assert one.columns.tolist() == [*range(1, 201)]
    reference = PCA(2, whiten=True, svd_solver="full").fit(rows[:, 1:])
    found = projected(rows, [one])
    assert found.shape == (300, 3)
    np.testing.assert_array_equal(found[:, 0], rows[:, 0])
    similar = np.abs(np.corrcoef(found[:, 1:].T, reference.transform(rows[:, 1:]).T)[:2, 2:])
    np.testing.assert_allclose(similar, np.eye(2), atol=1e-6)
    np.testing.assert_allclose(found[:, 1:].var(axis=0), 1.0)


@pytest.mark.parametrize(("width", "projections"), [(WIDE_FROM - 1, 0), (WIDE_FROM, 1)])
def test_only_wide_groups_are_projected(width, projections):
    rows = np.random.default_rng(0).normal(size=(50, width))
    assert len(projections_of(wide_names(width), rows)) == projections


def test_each_wide_group_has_components_of_its_own():
    rows = np.random.default_rng(0).normal(size=(500, 202))
    names = [f"a.{k}" for k in range(100)] + ["x", "y"] + [f"b.{k}" for k in range(100)]
    found = projections_of(names, rows, components=7)
    assert [one.components.shape for one in found] == [(7, 100), (7, 100)]
    assert projected(rows, found).shape == (500, 16)
    np.testing.assert_array_equal(projected(rows, found)[:, :2], rows[:, 100:102])


def test_directions_without_any_spread_are_left_out():
    rows = np.outer(np.arange(-5.0, 6.0), np.ones(100))
    [one] = projections_of(wide_names(100), rows)
    assert len(one.components) == 1
    [none] = projections_of(wide_names(100), np.zeros((9, 100)))
    assert len(none.components) == 0


def test_there_must_be_a_component():
    with pytest.raises(ValueError, match="components must be at least 1, got 0"):
        fit(labelled(1), labelled(2), components=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_of_components_learns_what_they_tell(kind):
    classifier = fit(labelled(1), labelled(2), kind=kind)
    assert len(classifier.projections[0].components) == COMPONENTS
    held = labelled(3)
    right = (classifier(held.features) > 0.5) == held.values
    assert right.mean() > 0.9


def test_only_the_training_rows_make_components():
    train = labelled(1)
    one = fit(train, labelled(2), kind="logistic")
    other = fit(train, labelled(7), kind="logistic")
    np.testing.assert_array_equal(one.projections[0].components, other.projections[0].components)


def test_an_unknown_embedding_counts_as_the_mean():
    classifier = fit(labelled(1), labelled(2), kind="logistic")
    row = labelled(3).features[:1].copy()
    mean = row.copy()
    row[:, 1:], mean[:, 1:] = np.nan, classifier.centre[1:]
    assert classifier(row) == pytest.approx(classifier(mean))


def test_steps_that_are_all_alike_teach_nothing():
    train, other = labelled(1), labelled(2)
    blank = LabelledSteps(
        wide_names(200), np.full((300, 200), np.nan), train.values, train.weights, train.questions
    )
    with pytest.raises(ValueError, match="the steps to train on are all alike"):
        fit(blank, other)


FEATURIZERS = (Position(), Wording(), Arithmetic(), Wide())
SOLUTION = "3 + 4 = 7\n7 - 2 = 5\nThe answer is 5."


def model_of_four():
    def some(seed):
        rng = np.random.default_rng(seed)
        steps = [f"{a} + {b} = {a + b}" for a, b in rng.integers(1, 30, size=(200, 2))]
        rows = np.vstack([features(FEATURIZERS, "1 + 2?", [step])[0] for step in steps])
        values = np.array(["1" in step for step in steps], dtype=float)
        questions = [f"{seed}/{place}" for place in range(200)]
        return LabelledSteps(column_names(FEATURIZERS), rows, values, np.ones(200), questions)

    card = CARD.model_copy(update={"featurizers": tuple(one.name for one in FEATURIZERS)})
    return ProcessRewardModel(
        fit(some(1), some(2)), FEATURIZERS, step_splitter("line"), "last", card
    )


def test_a_model_with_projections_that_was_saved_scores_the_same(tmp_path):
    model = model_of_four()
    assert len(model.classifier.projections) == 1
    model.save(tmp_path)
    again = ProcessRewardModel.load(tmp_path, featurizers=[Wide()])
    assert again("1 + 2?", SOLUTION) == model("1 + 2?", SOLUTION)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("columns", lambda array: array + 1_000),
        ("columns", lambda array: array - 1_000),
        ("columns", lambda array: array[:-1]),
        ("columns", lambda array: array * 0),
        ("columns", lambda array: array.astype(float)),
        ("components", lambda array: array[:, :-1]),
        ("components", lambda array: array[0]),
        ("components", lambda array: array[:-1]),
    ],
)
def test_projections_that_do_not_fit_are_refused_in_one_line(name, change, tmp_path):
    model_of_four().save(tmp_path)
    with np.load(tmp_path / "weights.npz") as saved:
        arrays = dict(saved)
    arrays[f"projection.0.{name}"] = change(arrays[f"projection.0.{name}"])
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    (tmp_path / "weights.npz").write_bytes(packed.getvalue())
    told = json.loads((tmp_path / "model.json").read_text())
    told["sha256"] = hashlib.sha256(packed.getvalue()).hexdigest()
    (tmp_path / "model.json").write_text(json.dumps(told))
    with pytest.raises(ValueError, match="is no process reward model") as caught:
        ProcessRewardModel.load(tmp_path, featurizers=[Wide()])
    assert "\n" not in str(caught.value)


@pytest.mark.benchmark
def test_a_step_costs_less_than_a_millisecond():
    model = model_of_four()
    model("1 + 2?", SOLUTION)
    started = time.process_time()
    for _ in range(100):
        model("1 + 2?", SOLUTION)
    assert (time.process_time() - started) / 300 < 0.001
