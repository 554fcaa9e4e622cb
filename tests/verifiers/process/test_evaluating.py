"""Evaluation of step scores, by hand and against the truth."""

import random
from dataclasses import replace

import pytest

from tests.verifiers.process.knowing import scored_by
from tests.verifiers.process.simulated import label_questions, truth
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.verifiers.process.datasets import question_key
from tscale_graph.verifiers.process.evaluating import (
    evaluate_families,
    evaluate_steps,
    held_out,
    held_out_labels,
    label_accuracy,
)
from tscale_graph.verifiers.process.labels import StepLabel

KNOWS = scored_by(lambda asked, steps: float(truth(asked, steps)[-1]))


@pytest.fixture(scope="module")
def questions():
    return [*label_questions(30), *label_questions(30, family="others", slip=1.5)]


@pytest.fixture(scope="module")
def labelled(questions):
    return held_out_labels(KNOWS, questions)


def small():
    """Two solutions, one right and one wrong; completions of the first step of the wrong one."""
    samples = [("a\nb", True, 0), ("c\nd", False, 0), *[("c\nx", k == 0, 1) for k in range(3)]]
    kept = tuple(RecordedSample(text=t, correct=c, given=g) for t, c, g in samples)
    return RecordedQuestion(id="q", question="Which?", samples=kept)


def test_the_figures_of_a_small_case_are_those_made_by_hand():
    scores = {"a": 0.5, "b": 1.0, "c": 0.5, "d": 0.25}
    model = scored_by(lambda asked, steps: scores[steps[-1]])
    told = evaluate_steps(model, held_out_labels(model, [small()]), draws=20)
    # Shares: "a" 1 of 1, "c" 1 of 4, both by Jeffreys; the last steps are the outcomes.
    a, c = 1.5 / 2, 1.5 / 5
    assert (told.questions, told.solutions, told.steps, told.right) == (1, 2, 4, 0.5)
    assert told.auc.value == (0.5 + 1 + 1 + 1) / 4
    assert told.before_last.value == 0.5
    assert told.error_auc.value == 1  # one completion of "c" was right: "d" is the first wrong one
    assert told.average_precision.value == pytest.approx((1 + 2 / 3) / 2)
    errors = ((0.5 - a) ** 2, 0.0, (0.5 - c) ** 2, 0.25**2)
    assert told.brier.value == pytest.approx(sum(errors) / 4)
    assert told.solution_auc.value == 1
    assert told.first_error_f1.value == 1  # "d" is the first below 0.5


def test_steps_that_nobody_completed_are_left_out():
    whole = RecordedSample(text="p\nq\nr", correct=False)
    late = RecordedSample(text="s\nt", correct=True, given=1)
    asked = RecordedQuestion(id="q", question="Which?", samples=(whole, late))
    model = scored_by(lambda asked, steps: 0.5)
    (question,) = held_out_labels(model, [asked])
    assert evaluate_steps(model, [question], draws=2).steps == 3
    (solution,) = question.solutions
    cut = replace(solution, labels=(StepLabel(0.5, 0.0), *solution.labels[1:]))
    less = replace(question, solutions=(cut,))
    assert evaluate_steps(model, [less], draws=2).steps == 2


def test_a_model_that_knows_the_truth_is_perfect_against_it(labelled):
    told = evaluate_steps(KNOWS, labelled, truth=truth, draws=50)
    for measured in (told.auc, told.before_last, told.error_auc, told.first_error_f1):
        assert measured == (1, 1, 1)
    assert told.brier.value == told.calibration_error.value == 0


def test_labels_are_noisy_but_mostly_right(labelled):
    assert 0.8 < label_accuracy(labelled, truth) < 1
    told = evaluate_steps(KNOWS, labelled, draws=50)
    assert 0.7 < told.auc.low < told.auc.value < told.auc.high < 0.95


def test_scores_at_random_tell_nothing(labelled):
    rng = random.Random(1)
    told = evaluate_steps(scored_by(lambda asked, steps: rng.random()), labelled, draws=100)
    assert told.auc.low < 0.5 < told.auc.high
    assert told.solution_auc.low < 0.5 < told.solution_auc.high


def test_the_threshold_of_the_card_finds_first_errors(labelled):
    def halved(asked, steps):
        return float(truth(asked, steps)[-1]) / 4

    strict = scored_by(halved)
    tuned = scored_by(halved, metrics={"first_error_threshold": 0.1})
    found = [evaluate_steps(m, labelled, truth=truth, draws=2) for m in (strict, tuned)]
    assert [one.first_error_f1.value for one in found] == [0, 1]


def test_bins_hold_all_steps_and_intervals_hold_their_shares(labelled):
    told = evaluate_steps(KNOWS, labelled, draws=100)
    assert sum(one.count for one in told.reliability) == told.steps
    for one, interval in zip(told.reliability, told.intervals, strict=True):
        assert interval.value == pytest.approx(one.right)
        assert interval.low <= one.right <= interval.high


def test_families_are_told_apart_by_their_ids(labelled):
    every, *families = evaluate_families(KNOWS, labelled, draws=20)
    assert [every.group, *(one.group for one in families)] == ["all", "equations", "others"]
    assert every.steps == sum(one.steps for one in families)
    one = [q for q in labelled if q.family == "others"]
    assert [told.group for told in evaluate_families(KNOWS, one, draws=20)] == ["all"]


def test_what_a_model_was_made_with_is_left_out(questions):
    seen = tuple(question_key(q.question) for q in questions[:10])
    model = scored_by(lambda asked, steps: 0.5, parts={"train": seen[:6], "validate": seen[6:]})
    kept, left_out = held_out(model, questions)
    assert left_out == 10
    assert [q.id for q in kept] == [q.id for q in questions[10:]]
    with pytest.raises(ValueError, match="all 10 questions had a part in the training"):
        held_out(model, questions[:10])


def test_nothing_to_measure_on_is_refused(questions):
    with pytest.raises(ValueError, match="at least one question"):
        evaluate_steps(KNOWS, [])
    whole = [q.model_copy(update={"samples": q.samples[:6]}) for q in questions]
    with pytest.raises(ValueError, match="no completions of given steps"):
        held_out_labels(KNOWS, whole)
