"""Training a process reward model: what is fitted, what is chosen, and on what grounds.

Questions are parted three ways: to fit classifiers to, to calibrate them on, and to choose among
them. What is chosen is measured where it was chosen, so the figures of the card are a little
kind; `evaluating` measures on questions that the model has never seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers.process.aggregates import AGGREGATE_NAMES, AGGREGATES, Aggregate
from tscale_graph.verifiers.process.classifier import Floats, StepClassifier
from tscale_graph.verifiers.process.datasets import (
    LabelledQuestion,
    labelled_questions,
    labelled_steps,
    labels_of,
    steps_of,
    with_featurizers,
)
from tscale_graph.verifiers.process.features import Featurizer
from tscale_graph.verifiers.process.fitting import (
    KINDS,
    Kind,
    LabelledSteps,
    averaged,
    fit,
    splits,
)
from tscale_graph.verifiers.process.labels import labelling_named
from tscale_graph.verifiers.process.metrics import (
    Measured,
    auc,
    brier,
    difference_by_questions,
    expected_calibration_error,
    first_error_f1,
    log_losses,
)
from tscale_graph.verifiers.process.model import BUILT_IN, ProcessRewardModel
from tscale_graph.verifiers.process.saving import ModelCard

PARTS: dict[str, float] = {"train": 0.6, "calibrate": 0.15, "validate": 0.25}
"""Shares of the questions."""
FEWEST_QUESTIONS = 20
ALL_SUBSETS_UP_TO = 3
"""Featurizers of which every set is tried; of more: all, all but one, and one alone."""
THRESHOLDS = tuple(k / 20 for k in range(1, 20))
"""Below which a step may count as wrong."""

AnyKind = Literal["auto", "logistic", "boosting", "both"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A classifier that was fitted, measured on the validation questions.

    Attributes:
        kind: of classifier.
        featurizers: by name.
        log_loss: mean of the steps by their weights, in nats; the least is chosen.
        worse_by: how much more than that of the chosen one, paired by question, with its 95 %
            interval: one that is above 0 says that the chosen one is better for certain.
        auc: how well it tells steps of which most completions were right from the others.
    """

    kind: Kind
    featurizers: tuple[str, ...]
    log_loss: float
    worse_by: Measured
    auc: float


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model and what it was chosen among.

    Attributes:
        model: with its card.
        trials: the chosen one first, then by log loss.
        aggregates: how well each tells right solutions of the validation questions from wrong ones
            (AUC); the best is the model's.
        parts: how many questions were in each part.
    """

    model: ProcessRewardModel
    trials: tuple[Trial, ...]
    aggregates: dict[Aggregate, float]
    parts: dict[str, int]


def train(
    recorded: Iterable[RecordedQuestion],
    *,
    created: str,
    featurizers: Sequence[Featurizer] = tuple(BUILT_IN.values()),
    labels: str | None = None,
    steps: str | None = None,
    kind: AnyKind = "auto",
    policy: str | None = None,
    seed: int = 0,
) -> Training:
    """Fit classifiers of steps, and choose the best on questions kept aside for that.

    Args:
        recorded: questions with whole solutions and completions of their beginnings.
        created: the day, as YYYY-MM-DD, for the card.
        featurizers: to choose among; at least one.
        labels: how completions label steps: "shares" or "bisection", as `labelling_named` has it;
            as the label files were made when None.
        steps: where steps end, as `step_splitter` has it; what the label files say when None.
        kind: of classifier; "auto" tries each.
        policy: the name of the model that wrote the solutions; what the recording says when None.
        seed: of the split, of the trees, and of the intervals.

    Raises:
        ValueError: in one line: no completions, too few questions, all right or all wrong, or a
            name that is not known.
    """
    if kind != "auto" and kind not in KINDS:
        raise ValueError(f"kind must be one of auto, {', '.join(KINDS)}, got {kind!r}")
    if not featurizers:
        raise ValueError("featurizers must have at least one, got none")
    every = list(recorded)
    steps, labels = steps_of(every, steps), labels_of(every, labels)
    splitter = step_splitter(steps)
    questions = labelled_questions(every, labelling=labelling_named(labels), splitter=splitter)
    _check(questions)
    parts = parted(questions, seed=seed)
    _check(parts["validate"], fewest=1, part="validation")
    described = {part: labelled_steps(of, featurizers) for part, of in parts.items()}
    fitted = _fitted(described, [f.name for f in featurizers], kind, seed)
    trials = _trials(fitted, described["validate"], seed)
    chosen = trials[0]
    kept = tuple(one for one in featurizers if one.name in chosen.featurizers)
    classifier = fitted[chosen.kind, chosen.featurizers]
    card = ModelCard(
        policy=policy or ", ".join(sorted({q.model for q in every if q.model})) or "unknown",
        data=_told(questions),
        created=created,
        steps=steps,
        featurizers=chosen.featurizers,
        kind=chosen.kind,
        labels=labels,
        questions=len(parts["train"]),
        labelled_steps=len(described["train"].values),
        notes=("metrics are those of the validation questions, on which the model was chosen",),
        parts={part: tuple(sorted(one.key for one in of)) for part, of in parts.items()},
    )
    bare = ProcessRewardModel(classifier, kept, splitter, "last", card)
    aggregates = aggregate_aucs(bare, parts["validate"])
    best = max(aggregates, key=lambda name: aggregates[name])
    card = card.model_copy(
        update={
            "aggregate": best,
            "metrics": _metrics(bare, parts["validate"], chosen, aggregates[best]),
        }
    )
    model = ProcessRewardModel(classifier, kept, splitter, best, card)
    sizes = {part: len(of) for part, of in parts.items()}
    return Training(model, tuple(trials), aggregates, sizes)


def parted(
    questions: Sequence[LabelledQuestion], *, seed: int
) -> dict[str, list[LabelledQuestion]]:
    """The questions in the parts of `PARTS`; no question in two.

    Each family is in all of them; those of fewer than `FEWEST_QUESTIONS` are parted as one.
    """
    families: dict[str, list[LabelledQuestion]] = {}
    for one in questions:
        families.setdefault(one.family, []).append(one)
    sizable = [of for _, of in sorted(families.items()) if len(of) >= FEWEST_QUESTIONS]
    pool = [one for of in families.values() if len(of) < FEWEST_QUESTIONS for one in of]
    parts: dict[str, list[LabelledQuestion]] = {part: [] for part in PARTS}
    for family in (*sizable, pool):
        drawn = splits([one.key for one in family], list(PARTS.values()), seed=seed)
        for part, keys in zip(PARTS, drawn, strict=True):
            parts[part] += [one for one in family if one.key in keys]
    return parts


def aggregate_aucs(
    model: ProcessRewardModel, questions: Sequence[LabelledQuestion]
) -> dict[Aggregate, float]:
    """How well each aggregate tells right solutions from wrong ones: the AUC.

    Raises:
        ValueError: when all solutions are right or all are wrong.
    """
    solutions = [solution for one in questions for solution in one.solutions]
    scores = model.step_scores([(one.asked, one.steps) for one in solutions])
    right = np.array([float(one.right) for one in solutions])
    return {
        name: auc(np.array([AGGREGATES[name](each) for each in scores]), right)
        for name in AGGREGATE_NAMES
    }


def _check(
    questions: Sequence[LabelledQuestion], *, fewest: int = FEWEST_QUESTIONS, part: str = ""
) -> None:
    if len(questions) < fewest:
        kind = f"{part} questions" if part else "questions"
        raise ValueError(f"training needs at least {fewest} {kind}, got {len(questions)}")
    outcomes = {solution.right for one in questions for solution in one.solutions}
    if len(outcomes) == 1:
        which = "right" if True in outcomes else "wrong"
        of = f" of the {len(questions)} {part} questions" if part else ""
        raise ValueError(
            f"all solutions{of} are {which}: there must be right and wrong ones to learn from"
        )


def _fitted(
    described: dict[str, LabelledSteps], names: Sequence[str], kind: AnyKind, seed: int
) -> dict[tuple[Kind, tuple[str, ...]], StepClassifier]:
    found: dict[tuple[Kind, tuple[str, ...]], StepClassifier] = {}
    for chosen in _sets(names):
        rows = {part: with_featurizers(described[part], chosen) for part in ("train", "calibrate")}
        alone: tuple[Kind, ...] = ("logistic", "boosting") if kind == "auto" else (kind,)
        for one in alone:
            found[one, chosen] = fit(rows["train"], rows["calibrate"], kind=one, seed=seed)
        if kind == "auto":
            pair = found["logistic", chosen], found["boosting", chosen]
            found["both", chosen] = averaged(*pair, rows["calibrate"])
    return found


def _sets(names: Sequence[str]) -> list[tuple[str, ...]]:
    count = len(names)
    if count <= ALL_SUBSETS_UP_TO:
        return [s for size in range(count, 0, -1) for s in combinations(names, size)]
    return [s for size in (count, count - 1, 1) for s in combinations(names, size)]


def _trials(
    fitted: dict[tuple[Kind, tuple[str, ...]], StepClassifier], validate: LabelledSteps, seed: int
) -> list[Trial]:
    losses: dict[tuple[Kind, tuple[str, ...]], Floats] = {}
    aucs: dict[tuple[Kind, tuple[str, ...]], float] = {}
    told = validate.weights > 0
    for name, classifier in fitted.items():
        scores = classifier(with_featurizers(validate, name[1]).features)
        losses[name] = log_losses(scores, validate.values)
        aucs[name] = auc(scores[told], validate.values[told])
    mean = {
        name: float(np.average(each, weights=validate.weights)) for name, each in losses.items()
    }
    order = sorted(mean, key=lambda name: (mean[name], len(name[1])))
    return [
        Trial(
            *name,
            log_loss=mean[name],
            worse_by=difference_by_questions(
                losses[name],
                losses[order[0]],
                validate.weights,
                validate.questions,
                rng=np.random.default_rng(seed),
            ),
            auc=aucs[name],
        )
        for name in order
    ]


def _metrics(
    model: ProcessRewardModel, questions: Sequence[LabelledQuestion], chosen: Trial, best: float
) -> dict[str, float]:
    solutions = [solution for one in questions for solution in one.solutions]
    scores = model.step_scores([(one.asked, one.steps) for one in solutions])
    labels = [label for one in solutions for label in one.labels]
    told = np.array([label.weight > 0 for label in labels])
    values = np.array([label.value for label in labels])[told]
    flat = np.concatenate([np.array(each) for each in scores])[told]
    arrays = [np.array(each) for each in scores]
    wrong = [place for one in questions for place in one.first_wrong]
    found = {t: first_error_f1(arrays, wrong, threshold=t) for t in THRESHOLDS}
    threshold = max(found, key=lambda t: found[t])
    return {
        "auc": chosen.auc,
        "log_loss": chosen.log_loss,
        "brier": brier(flat, values),
        "calibration_error": expected_calibration_error(flat, values),
        "solution_auc": best,
        "first_error_f1": found[threshold],
        "first_error_threshold": threshold,
    }


def _told(questions: Sequence[LabelledQuestion]) -> str:
    families: dict[str, int] = {}
    for one in questions:
        families[one.family] = families.get(one.family, 0) + 1
    listed = ", ".join(f"{name} {count}" for name, count in sorted(families.items()) if name)
    return f"{len(questions)} questions{f': {listed}' if listed else ''}"
