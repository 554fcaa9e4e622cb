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
    labelling_named,
    question_key,
)
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
    solutions = [(one, s) for one in questions for s in one.solutions]
    if not solutions:
        raise ValueError("there must be at least one question to evaluate on, got none")
    scores = [np.array(x) for x in model.step_scores([(s.asked, s.steps) for _, s in solutions])]
    places = [place for one in questions for place in one.first_wrong]
    if truth is None:
        values = [np.array([label.value for label in s.labels]) for _, s in solutions]
        known = np.array([label.weight > 0 for _, s in solutions for label in s.labels])
    else:
        told = [list(truth(one.asked, s.steps)) for one, s in solutions]
        values = [np.array(each, dtype=np.float64) for each in told]
        places = [each.index(False) if False in each else None for each in told]
        known = np.ones(sum(map(len, told)), dtype=np.bool_)
    keys = np.array([one.key for one, s in solutions for _ in s.steps])[known]
    inner = np.concatenate([np.arange(len(v)) < len(v) - 1 for v in values])[known]
    flat, labels = np.concatenate(scores)[known], np.concatenate(values)[known]
    outcomes = (labels > 0.5).astype(np.float64)
    whole = np.array([AGGREGATES[model.aggregate](list(each)) for each in scores])
    right = np.array([float(s.right) for _, s in solutions])
    owners = np.array([one.key for one, _ in solutions])
    threshold = model.card.metrics.get("first_error_threshold", 0.5)
    hits, erroneous = first_errors(scores, places, threshold=threshold)

    def measured(
        measure: Callable[[Floats, Floats], float], x: Floats, y: Floats, of: np.ndarray
    ) -> Measured | None:
        try:
            value = measure(x, y)
        except ValueError:
            return None
        rng = np.random.default_rng(seed)
        return Measured(value, *by_questions(measure, x, y, list(of), rng=rng, draws=draws))

    def sure(
        measure: Callable[[Floats, Floats], float], x: Floats, y: Floats, of: np.ndarray
    ) -> Measured:
        return measured(measure, x, y, of) or Measured(np.nan, np.nan, np.nan)

    return StepEvaluation(
        group=group,
        questions=len(questions),
        solutions=len(solutions),
        steps=len(flat),
        right=float(outcomes.mean()),
        auc=measured(auc, flat, outcomes, keys),
        before_last=measured(auc, flat[inner], outcomes[inner], keys[inner]),
        average_precision=measured(average_precision, flat, outcomes, keys),
        brier=sure(brier, flat, labels, keys),
        calibration_error=sure(expected_calibration_error, flat, labels, keys),
        solution_auc=measured(auc, whole, right, owners),
        first_error_f1=sure(harmonic_mean, hits, erroneous, owners),
        reliability=tuple(reliability(flat, labels)),
        intervals=tuple(
            reliability_intervals(
                flat, labels, list(keys), rng=np.random.default_rng(seed), draws=draws
            )
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
