"""How good a process reward model's scores of steps are, on questions that it has never seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.verifiers.process.aggregates import AGGREGATES
from tscale_graph.verifiers.process.classifier import Floats
from tscale_graph.verifiers.process.datasets import (
    LabelledQuestion,
    labelled_questions,
    question_key,
)
from tscale_graph.verifiers.process.labels import labelling_named
from tscale_graph.verifiers.process.metrics import (
    Bin,
    Measured,
    auc,
    average_precision,
    brier,
    by_questions,
    expected_calibration_error,
    first_errors,
    harmonic_mean,
    reliability,
    reliability_intervals,
)
from tscale_graph.verifiers.process.model import ProcessRewardModel

Truth = Callable[[str, Sequence[str]], Sequence[bool]]
"""Of a question and the steps of a solution: whether each step, and all before it, is right."""
Measure = Callable[[Floats, Floats], float]
"""Of scores and what they should be."""


@dataclass(frozen=True, slots=True)
class StepEvaluation:
    """How well steps are scored, and whole solutions by their steps.

    A step counts as right when more than half of the completions from there came to a right answer,
    or, measured against the truth, when that says so. Steps of which no completion is known are
    left out; every other step counts the same.

    Attributes:
        group: which questions: a family, or "all".
        questions, solutions, steps: how many.
        right: the share of steps that are right.
        auc: the probability that a right step scores above a wrong one.
        before_last: the same of steps before the last one, which is where a model of processes
            differs from one of outcomes; None where they are of one kind.
        error_auc: the probability that a step before the first wrong one scores above one from
            there on. It asks for one right completion, not for half of them, so it is the one to
            read where the model that wrote the solutions is weak.
        average_precision: mean precision over the right steps.
        brier: mean squared distance of scores and labels (shares of right completions).
        calibration_error: mean distance of both in 15 bins of equal numbers of steps.
        solution_auc: the probability that a right solution scores above a wrong one.
        first_error_f1: how well the first wrong step is found (see `metrics.first_error_f1`).
        reliability: the bins.
        intervals: of the share of right completions in each bin.
    """

    group: str
    questions: int
    solutions: int
    steps: int
    right: float
    auc: Measured | None
    before_last: Measured | None
    error_auc: Measured | None
    average_precision: Measured | None
    brier: Measured
    calibration_error: Measured
    solution_auc: Measured | None
    first_error_f1: Measured
    reliability: tuple[Bin, ...]
    intervals: tuple[Measured, ...]


def evaluate_steps(
    model: ProcessRewardModel,
    questions: Sequence[LabelledQuestion],
    *,
    group: str = "all",
    truth: Truth | None = None,
    draws: int = 1_000,
    seed: int = 0,
) -> StepEvaluation:
    """Measure the scores of steps; intervals are of the bootstrap over questions.

    Args:
        model: to measure.
        questions: that it has not seen, at least one.
        group: what they are called.
        truth: instead of the labels, where it can be told exactly.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: without questions.
    """
    if not any(one.solutions for one in questions):
        raise ValueError("there must be at least one question to evaluate on, got none")
    rows = _rows(model, questions, truth)
    outcomes = (rows.labels > 0.5).astype(np.float64)

    def measured(measure: Measure, x: Floats, y: Floats, of: Sequence[str]) -> Measured | None:
        try:
            value = measure(x, y)
        except ValueError:
            return None
        rng = np.random.default_rng(seed)
        return Measured(value, *by_questions(measure, x, y, of, rng=rng, draws=draws))

    def sure(measure: Measure, x: Floats, y: Floats, of: Sequence[str]) -> Measured:
        return measured(measure, x, y, of) or Measured(np.nan, np.nan, np.nan)

    inner = np.flatnonzero(rows.inner)
    inner_keys = [rows.keys[k] for k in inner]
    rng = np.random.default_rng(seed)
    return StepEvaluation(
        group=group,
        questions=len(questions),
        solutions=len(rows.whole),
        steps=len(rows.scores),
        right=float(outcomes.mean()),
        auc=measured(auc, rows.scores, outcomes, rows.keys),
        before_last=measured(auc, rows.scores[inner], outcomes[inner], inner_keys),
        error_auc=measured(auc, rows.scores, rows.sound, rows.keys),
        average_precision=measured(average_precision, rows.scores, outcomes, rows.keys),
        brier=sure(brier, rows.scores, rows.labels, rows.keys),
        calibration_error=sure(expected_calibration_error, rows.scores, rows.labels, rows.keys),
        solution_auc=measured(auc, rows.whole, rows.right, rows.owners),
        first_error_f1=sure(harmonic_mean, rows.hits, rows.erroneous, rows.owners),
        reliability=tuple(reliability(rows.scores, rows.labels)),
        intervals=tuple(
            reliability_intervals(rows.scores, rows.labels, rows.keys, rng=rng, draws=draws)
        ),
    )


def evaluate_families(
    model: ProcessRewardModel,
    questions: Sequence[LabelledQuestion],
    *,
    truth: Truth | None = None,
    draws: int = 1_000,
    seed: int = 0,
) -> list[StepEvaluation]:
    """`evaluate_steps` of all questions, then of each family where there are several."""
    families = sorted({one.family for one in questions})
    groups = [("all", list(questions))]
    if len(families) > 1:
        groups += [(f or "other", [q for q in questions if q.family == f]) for f in families]
    return [
        evaluate_steps(model, of, group=name, truth=truth, draws=draws, seed=seed)
        for name, of in groups
    ]


def held_out(
    model: ProcessRewardModel, recorded: Iterable[RecordedQuestion]
) -> tuple[list[RecordedQuestion], int]:
    """The questions that the model was not made with, and how many were left out.

    Raises:
        ValueError: in one line, when none is left.
    """
    every = list(recorded)
    kept = [one for one in every if question_key(one.question) not in model.card.seen]
    if not kept:
        raise ValueError(
            f"all {len(every)} questions had a part in the training of the model: it must be "
            "evaluated on others"
        )
    return kept, len(every) - len(kept)


def held_out_labels(
    model: ProcessRewardModel, recorded: Iterable[RecordedQuestion]
) -> list[LabelledQuestion]:
    """Questions with the labels and the steps that the model was trained with.

    Raises:
        ValueError: in one line, when there are no completions of given steps.
    """
    labelling = labelling_named(model.card.labels)
    return labelled_questions(recorded, labelling=labelling, splitter=model.splitter)


def label_accuracy(questions: Sequence[LabelledQuestion], truth: Truth) -> float:
    """The share of steps that their labels and the truth say the same of: how good labels are."""
    same: list[bool] = []
    for one in questions:
        for solution in one.solutions:
            told = truth(one.asked, solution.steps)
            same += [
                (label.value > 0.5) == right
                for label, right in zip(solution.labels, told, strict=True)
                if label.weight > 0
            ]
    if not same:
        raise ValueError("there must be at least one labelled step, got none")
    return sum(same) / len(same)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Steps and solutions as columns.

    Of each step that something is known of: its score, its label, whether it is before the first
    wrong one, whether it is not the last, and its question. Of each solution: its score, whether it
    is right, whether its first error was found, whether it has one, and its question.
    """

    scores: Floats
    labels: Floats
    sound: Floats
    inner: Floats
    keys: list[str]
    whole: Floats
    right: Floats
    hits: Floats
    erroneous: Floats
    owners: list[str]


def _rows(
    model: ProcessRewardModel, questions: Sequence[LabelledQuestion], truth: Truth | None
) -> _Rows:
    solutions = [(one.key, s) for one in questions for s in one.solutions]
    scores = [np.array(x) for x in model.step_scores([(s.asked, s.steps) for _, s in solutions])]
    places: list[int | None]
    if truth is None:
        labels = [np.array([label.value for label in s.labels]) for _, s in solutions]
        places = [place for one in questions for place in one.first_wrong]
        weights = [label.weight for _, s in solutions for label in s.labels]
    else:
        told = [list(truth(s.asked, s.steps)) for _, s in solutions]
        labels = [np.array(each, dtype=np.float64) for each in told]
        places = [each.index(False) if False in each else None for each in told]
        weights = [1.0 for each in told for _ in each]
    known = np.flatnonzero(weights)
    keys = [key for key, s in solutions for _ in s.steps]
    sizes = [len(s.steps) for _, s in solutions]
    sound = [_before(place, size) for place, size in zip(places, sizes, strict=True)]
    threshold = model.card.metrics.get("first_error_threshold", 0.5)
    hits, erroneous = first_errors(scores, places, threshold=threshold)
    return _Rows(
        scores=np.concatenate(scores)[known],
        labels=np.concatenate(labels)[known],
        sound=np.concatenate(sound)[known],
        inner=np.concatenate([_before(size - 1, size) for size in sizes])[known],
        keys=[keys[k] for k in known],
        whole=np.array([AGGREGATES[model.aggregate](list(each)) for each in scores]),
        right=np.array([float(s.right) for _, s in solutions]),
        hits=hits,
        erroneous=erroneous,
        owners=[key for key, _ in solutions],
    )


def _before(place: int | None, count: int) -> Floats:
    """1 for each of `count` steps that is before a place, else 0; all are before None."""
    return (np.arange(count) < (count if place is None else place)).astype(np.float64)
