"""Fitting a classifier of steps to labels, with scikit-learn."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from tscale_graph.verifiers.process.classifier import (
    Calibration,
    Floats,
    Ints,
    Linear,
    StepClassifier,
    Trees,
    joined,
    projected,
    standardised,
)
from tscale_graph.verifiers.process.projecting import COMPONENTS, projections_of

if importlib.util.find_spec("sklearn") is None:
    raise ImportError("training needs another package: pip install 'tscale-graph[prm]'")

from threadpoolctl import threadpool_limits

Kind = Literal["logistic", "boosting", "both"]
"""A logistic regression, gradient-boosted trees, or the mean of their log-odds."""

KINDS: tuple[Kind, ...] = get_args(Kind)
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Inverse strengths of regularisation that the logistic regression chooses among."""
ISOTONIC_FROM = 1_000
"""Steps from which calibration follows the data alone; with fewer it is a sigmoid (Platt)."""
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class LabelledSteps:
    """What there is to learn from: a row for each step.

    Attributes:
        columns: the names of the features.
        features: [steps, columns]; NaN where one is unknown.
        values: [steps] the probability that a solution which has come so far succeeds.
        weights: [steps] how much that is to be believed, in [0, 1].
        questions: [steps] the id of the question of each: steps of one are never parted.
    """

    columns: tuple[str, ...]
    features: Floats
    values: Floats
    weights: Floats
    questions: Sequence[str]

    def of(self, questions: set[str]) -> LabelledSteps:
        """The steps of some of the questions."""
        kept = [place for place, question in enumerate(self.questions) if question in questions]
        return LabelledSteps(
            self.columns,
            self.features[kept],
            self.values[kept],
            self.weights[kept],
            [self.questions[place] for place in kept],
        )


def fit(
    train: LabelledSteps,
    calibrate: LabelledSteps,
    *,
    kind: Kind = "both",
    seed: int = 0,
    components: int = COMPONENTS,
) -> StepClassifier:
    """A classifier of steps, calibrated on questions of its own.

    Each step enters twice, as right by its value and as wrong by the rest, each by its weight: what
    a classifier learns of noisy labels is their mean.

    Args:
        train: to fit the classifier to.
        calibrate: to calibrate it on; no question of `train`.
        kind: of classifier.
        seed: of the trees.
        components: how many principal components a wide group of columns, such as those of an
            embedding, becomes; found on `train` alone.

    Raises:
        ValueError: in one line, for an unknown kind, no components, questions in both, or steps
            that are of one kind only or all alike.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if shared := set(train.questions) & set(calibrate.questions):
        raise ValueError(f"{len(shared)} questions are in both parts, such as {min(shared)!r}")
    for name, part in (("train", train), ("calibrate", calibrate)):
        if not (part.values * part.weights).any() or not ((1 - part.values) * part.weights).any():
            raise ValueError(f"the steps to {name} on must be right and wrong, got one of these")
    known = np.isfinite(train.features)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, train.features, 0.0).sum(axis=0) / counts
    spread = np.where(known, train.features - centre, 0.0)
    scale = np.sqrt((spread * spread).sum(axis=0) / counts)
    scale = np.where(scale > 0, scale, 1.0)
    rows = standardised(train.features, centre, scale)
    projections = projections_of(train.columns, rows, components=components)
    rows = projected(rows, projections)
    if not rows.shape[1]:
        raise ValueError("the steps to train on are all alike: no feature is known of any")
    parts: list[Linear | Trees] = []
    # On matrices as small as these, several threads take several times as long as one.
    with threadpool_limits(1):
        if kind in ("logistic", "both"):
            parts.append(_linear(rows, train))
        if kind in ("boosting", "both"):
            parts.append(_trees(rows, train, seed))
    bare = StepClassifier(
        train.columns,
        centre,
        scale,
        tuple(parts),
        Calibration(np.zeros(1), np.zeros(1)),
        projections,
    )
    return replace(bare, calibration=_calibration(bare.log_odds(calibrate.features), calibrate))


def averaged(
    first: StepClassifier, second: StepClassifier, calibrate: LabelledSteps
) -> StepClassifier:
    """The mean of the log-odds of two classifiers that were fitted to the same steps.

    Of a logistic regression and trees it is what `fit` makes with `kind="both"`.

    Args:
        first: fitted.
        second: fitted to the same steps.
        calibrate: to calibrate the mean on.
    """
    parts = (*first.parts, *second.parts)
    bare = replace(first, parts=parts)
    return replace(bare, calibration=_calibration(bare.log_odds(calibrate.features), calibrate))


def splits(
    questions: Sequence[str], shares: Sequence[float], *, seed: int = 0
) -> Iterator[set[str]]:
    """Questions at random in parts of about these shares, the same for the same questions.

    Args:
        questions: ids, in any order and any number of times.
        shares: above 0, at most 1 in all.
        seed: of the shuffle.
    """
    every = sorted(set(questions))
    np.random.default_rng(seed).shuffle(every)
    start = 0.0
    for share in shares:
        first, end = round(start * len(every)), round((start + share) * len(every))
        yield set(every[first:end])
        start += share


def _twice(rows: Floats, steps: LabelledSteps) -> tuple[Floats, Ints, Floats]:
    """Each step as a right one and as a wrong one, with the weights of either."""
    outcomes = np.repeat(np.array([1, 0]), len(rows))
    weights = np.concatenate([steps.weights * steps.values, steps.weights * (1 - steps.values)])
    kept = weights > 0
    return np.concatenate([rows, rows])[kept], outcomes[kept], weights[kept]


def _linear(rows: Floats, steps: LabelledSteps) -> Linear:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    def fitted(strength: float, kept: Ints) -> Any:
        part = LabelledSteps(
            steps.columns, steps.features[kept], steps.values[kept], steps.weights[kept], ()
        )
        model: Any = LogisticRegression(C=strength, max_iter=2_000)
        return model.fit(*_twice(rows[kept], part))

    every = np.arange(len(rows))
    folds = min(_FOLDS, len(set(steps.questions)))
    if folds < 2:
        best = 1.0
    else:
        losses = dict.fromkeys(STRENGTHS, 0.0)
        for kept, held in GroupKFold(folds).split(rows, groups=list(steps.questions)):
            for strength in STRENGTHS:
                predicted = fitted(strength, kept).predict_proba(rows[held])[:, 1]
                losses[strength] += _log_loss(predicted, steps.values[held], steps.weights[held])
        best = min(STRENGTHS, key=lambda strength: losses[strength])
    model = fitted(best, every)
    return Linear(np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def _trees(rows: Floats, steps: LabelledSteps, seed: int) -> Trees:
    from sklearn.ensemble import GradientBoostingClassifier

    doubled, outcomes, weights = _twice(rows, steps)
    model: Any = GradientBoostingClassifier(
        n_estimators=120,
        learning_rate=0.08,
        max_depth=3,
        min_samples_leaf=30,
        subsample=0.8,
        random_state=seed,
    ).fit(doubled, outcomes, sample_weight=weights)
    share = float((weights * outcomes).sum() / weights.sum())
    tables = [_table(stage[0].tree_, model.learning_rate) for stage in model.estimators_]
    return joined(tables, bias=float(np.log(share / (1 - share))))


def _table(tree: Any, rate: float) -> Trees:
    leaf = tree.children_left < 0
    return Trees(
        roots=np.zeros(1, dtype=np.int64),
        column=np.where(leaf, -1, tree.feature).astype(np.int64),
        threshold=np.where(leaf, 0.0, tree.threshold),
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        value=np.where(leaf, rate * tree.value[:, 0, 0], 0.0),
        bias=0.0,
    )


def _calibration(log_odds: Floats, steps: LabelledSteps) -> Calibration:
    if len(log_odds) >= ISOTONIC_FROM:
        from sklearn.isotonic import IsotonicRegression

        model: Any = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        model.fit(log_odds, steps.values, sample_weight=steps.weights)
        return Calibration(
            np.asarray(model.X_thresholds_, dtype=np.float64),
            np.asarray(model.y_thresholds_, dtype=np.float64),
        )
    from sklearn.linear_model import LogisticRegression

    sigmoid: Any = LogisticRegression(C=1e3)
    sigmoid.fit(*_twice(log_odds[:, None], steps))
    slope, bias = max(0.0, float(sigmoid.coef_[0, 0])), float(sigmoid.intercept_[0])
    # The sigmoid by its knots: closer than a thousandth everywhere.
    grid = np.linspace(-8.0, 8.0, 65)
    knots = (grid - bias) / slope if slope > 0 else grid
    return Calibration(knots, 1 / (1 + np.exp(-grid if slope > 0 else np.full_like(grid, -bias))))


def _log_loss(predicted: Floats, values: Floats, weights: Floats) -> float:
    sure = np.clip(predicted, 1e-9, 1 - 1e-9)
    losses = values * np.log(sure) + (1 - values) * np.log(1 - sure)
    return -float((weights * losses).sum())
