"""Models that know less are worse, by what they do not know."""

import pytest

from tests.verifiers.process.simulated import label_questions
from tscale_graph.verifiers.process.ablating import ablations
from tscale_graph.verifiers.process.evaluating import held_out, held_out_labels
from tscale_graph.verifiers.process.features import Own
from tscale_graph.verifiers.process.training import train


@pytest.fixture(scope="module")
def made():
    recorded = list(label_questions(60))
    model = train(recorded, created="2026-11-26", kind="boosting").model
    others, _ = held_out(model, label_questions(60, seed=3))
    return model, held_out_labels(model, recorded), held_out_labels(model, others)


@pytest.fixture(scope="module")
def found(made):
    own = Own("nothing", lambda question, steps: 1.0)
    return {one.name: one for one in ablations(*made, featurizers=(own,), draws=50)}


def test_everything_that_must_be_told_is_there(found, made):
    full = made[0].card.featurizers
    assert list(found) == [
        "all that the model knows",
        *(f"{name} alone" for name in ("position", "wording", "arithmetic", "nothing")),
        *(f"without {name}" for name in full),
        "always the same",
        "labels shuffled",
        "12.5 % of the questions",
        "25 % of the questions",
        "50 % of the questions",
        "steps in another order",
    ]


def test_shuffled_labels_and_constants_tell_nothing(found):
    for name in ("always the same", "nothing alone"):
        assert found[name].auc == found[name].solution_auc == (0.5, 0.5, 0.5)
    shuffled = found["labels shuffled"]
    assert shuffled.auc.low < 0.5 < shuffled.auc.high
    assert shuffled.auc.value == pytest.approx(0.5, abs=0.07)
    assert shuffled.solution_auc.low < 0.5 < shuffled.solution_auc.high


def test_arithmetic_is_most_of_what_can_be_known_of_sums(found):
    full = found["all that the model knows"]
    assert full.auc.value > found["arithmetic alone"].auc.value - 0.03 > 0.7
    assert found["without arithmetic"].auc.high < full.auc.low
    assert found["position alone"].before_last.value < 0.6


def test_more_questions_are_better_and_another_order_is_worse(found):
    full = found["all that the model knows"]
    assert found["12.5 % of the questions"].questions == 6
    assert full.questions == 48
    assert found["12.5 % of the questions"].auc.value < full.auc.value + 0.02
    assert found["steps in another order"].brier.value > full.brier.high


def test_a_question_to_train_and_to_evaluate_on_is_refused(made):
    model, train_on, test = made
    with pytest.raises(ValueError, match="60 questions are there both to train and to evaluate"):
        ablations(model, train_on, train_on)
    with pytest.raises(ValueError, match="at least 10 questions, got 3"):
        ablations(model, train_on[:3], test)
