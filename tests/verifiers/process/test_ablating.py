"""Models that know less are worse, by what they do not know."""

from dataclasses import replace

import numpy as np
import pytest

from tests.verifiers.process.knowing import scored_by
from tests.verifiers.process.simulated import label_questions
from tscale_graph.verifiers.process.ablating import ablations, in_another_order
from tscale_graph.verifiers.process.evaluating import held_out, held_out_labels
from tscale_graph.verifiers.process.features import Own
from tscale_graph.verifiers.process.training import train

pytestmark = pytest.mark.slow


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


def test_a_model_on_the_users_own_featurizer_is_ablated_by_what_it_knows(made):
    # Whether any equation so far is wrong: all that the model knows, and it is not built in.
    def sound(question, steps):
        sums = [step.split(" = ") for step in steps if " = " in step]
        return float(all(eval(left.replace("/", "//")) == int(right) for left, right in sums))

    model = scored_by(sound)
    found = {one.name: one for one in ablations(model, *made[1:], draws=20)}
    assert found["all that the model knows"].auc.value > 0.6
    assert found["all that the model knows"].auc == found["own alone"].auc
    card = model.card.model_copy(update={"featurizers": ("own", "lost")})
    with pytest.raises(ValueError, match=r"needs the featurizer 'lost': give featurizers=\[…\]"):
        ablations(replace(model, card=card), *made[1:])


def test_in_another_order_the_last_step_stays_and_first_errors_are_true(made):
    rng = np.random.default_rng(0)
    moved = 0
    for one in made[2]:
        mixed = in_another_order(one, rng=rng)
        pairs = zip(one.solutions, mixed.solutions, strict=True)
        wrongs = zip(one.first_wrong, mixed.first_wrong, strict=True)
        for (before, after), (wrong, now) in zip(pairs, wrongs, strict=True):
            told = list(zip(before.steps, before.labels, strict=True))
            after_told = list(zip(after.steps, after.labels, strict=True))
            assert sorted(told, key=str) == sorted(after_told, key=str)
            assert told[-1] == after_told[-1]
            moved += before.steps != after.steps
            if wrong is None:
                assert now is None
            else:
                assert after.steps[now] in before.steps[wrong:]
                assert set(after.steps[:now]) <= set(before.steps[:wrong])
    assert moved > 20
