"""Making a text classifier of labelled tasks; needs numpy (extra `prm` or `search`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tscale_graph.classifying.features import features
from tscale_graph.classifying.model import TextClassifier, quantised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 400
_POWERS = 20
"""Rounds of descent; of the power iteration."""
_TEMPERATURES = tuple(round(0.2 + 0.05 * k, 2) for k in range(77))


@dataclass(frozen=True, slots=True)
class LabelledType:
    """A kind of task with its class and some questions.

    Attributes:
        name: of the type; no other has it.
        task_class: what its questions are.
        questions: the more varied, the better.
    """

    name: str
    task_class: str
    questions: tuple[str, ...]


def train_classifier(
    types: Sequence[LabelledType],
    *,
    strength: float = 10.0,
    folds: int = 4,
    calibrated: bool = True,
    card: Mapping[str, Any] | None = None,
) -> TextClassifier:
    """Fit a text classifier; the same types give the same classifier.

    Every class weighs the same, and so does every type in its class. Features that occur in one
    type only are left out: they say what the type is, not what its class is. The temperature is
    fitted on the scores of types that a fit has not seen.

    Args:
        types: of at least two classes, and of at least `folds` types for each.
        strength: how far the weights may go to fit the questions, above 0: the inverse of the
            penalty on their squares.
        folds: of the types, for the temperature.
        calibrated: fit the temperature, which takes a fit for each fold; else it is 1.
        card: what the classifier was made of, to be saved with it.

    Raises:
        ValueError: when there are too few classes or types, or one has no questions.
    """
    _check(types, folds)
    classes = tuple(dict.fromkeys(sorted(one.task_class for one in types)))
    found = {one.name: [features(question) for question in one.questions] for one in types}
    fitted = _fitted(types, found, classes, strength)
    heat = _unseen_temperature(types, found, classes, strength, folds) if calibrated else 1.0
    return replace(fitted, temperature=heat, card=dict(card or {}))


def _unseen_temperature(
    types: Sequence[LabelledType],
    found: Mapping[str, Sequence[Mapping[str, float]]],
    classes: tuple[str, ...],
    strength: float,
    folds: int,
) -> float:
    scores: list[list[float]] = []
    labels: list[int] = []
    shares: list[float] = []
    for fold in range(folds):
        kept, left = _parted(types, fold, folds)
        fitted = _fitted(kept, found, classes, strength)
        for one in left:
            for question in one.questions:
                scores.append(fitted.scores(question))
                labels.append(classes.index(one.task_class))
                shares.append(1 / len(one.questions))
    return _temperature(np.array(scores), np.array(labels), np.array(shares))


def _check(types: Sequence[LabelledType], folds: int) -> None:
    many: dict[str, int] = defaultdict(int)
    for one in types:
        many[one.task_class] += 1
        if not one.questions:
            raise ValueError(f"the type {one.name!r} has no questions")
    if len({one.name for one in types}) < len(types):
        raise ValueError("every type must have a name of its own")
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    if len(many) < 2:
        raise ValueError(f"types must be of at least 2 classes, got {len(many)}")
    if scarce := [name for name, count in many.items() if count < folds]:
        raise ValueError(f"each class must have at least {folds} types, {scarce[0]!r} has fewer")


def _parted(
    types: Sequence[LabelledType], fold: int, folds: int
) -> tuple[list[LabelledType], list[LabelledType]]:
    """Without every `folds`-th type of each class, and these."""
    place: dict[str, int] = defaultdict(int)
    kept: list[LabelledType] = []
    left: list[LabelledType] = []
    for one in sorted(types, key=lambda one: one.name):
        (left if place[one.task_class] % folds == fold else kept).append(one)
        place[one.task_class] += 1
    return kept, left


def _fitted(
    types: Sequence[LabelledType],
    found: Mapping[str, Sequence[Mapping[str, float]]],
    classes: tuple[str, ...],
    strength: float,
) -> TextClassifier:
    """Fit the weights, with a temperature of 1."""
    kept = sorted(types, key=lambda one: one.name)
    names = _shared(kept, found)
    column = {name: place for place, name in enumerate(names)}
    starts, columns, values = [0], list[int](), list[float]()
    labels: list[int] = []
    shares: list[float] = []
    for one in kept:
        for given in found[one.name]:
            known = sorted(column[name] for name in given if name in column)
            columns += known
            values += [1 / max(1, len(known)) ** 0.5] * len(known)
            starts.append(len(columns))
            labels.append(classes.index(one.task_class))
            shares.append(1 / len(found[one.name]))
    rows = _Rows(np.array(starts), np.array(columns), np.array(values), len(names))
    weights, bias = _minimised(rows, np.array(labels), _balanced(labels, shares), strength)
    whole, scale = quantised(
        {name: tuple(map(float, row)) for name, row in zip(names, weights, strict=True)}
    )
    return TextClassifier(classes, whole, tuple(round(float(one), 6) for one in bias), scale, 1.0)


def _shared(
    types: Sequence[LabelledType], found: Mapping[str, Sequence[Mapping[str, float]]]
) -> list[str]:
    """The names of features that occur in two types or more."""
    many: dict[str, int] = defaultdict(int)
    for one in types:
        for name in {name for given in found[one.name] for name in given}:
            many[name] += 1
    return sorted(name for name, count in many.items() if count >= 2)


def _balanced(labels: Sequence[int], shares: Sequence[float]) -> Floats:
    """The weight of each question: classes weigh the same; the mean is 1."""
    at, given = np.array(labels), np.array(shares)
    weighed: Floats = given / np.bincount(at, given)[at]
    return weighed * (len(weighed) / float(weighed.sum()))


@dataclass(frozen=True, slots=True)
class _Rows:
    """A sparse matrix, row after row; no row is used that has no columns."""

    starts: Ints
    columns: Ints
    values: Floats
    width: int

    def times(self, weights: Floats) -> Floats:
        """[rows, classes] from [columns, classes]."""
        nothing = np.zeros((1, weights.shape[1]))
        padded = np.vstack([weights[self.columns] * self.values[:, None], nothing])
        sums = np.add.reduceat(padded, self.starts[:-1], axis=0)
        sums[np.diff(self.starts) == 0] = 0
        return sums

    def back(self, slopes: Floats) -> Floats:
        """[columns, classes] from [rows, classes]."""
        spread = np.repeat(slopes, np.diff(self.starts), axis=0) * self.values[:, None]
        sums = np.empty((self.width, slopes.shape[1]))
        for place in range(slopes.shape[1]):
            sums[:, place] = np.bincount(self.columns, spread[:, place], minlength=self.width)
        return sums


def _minimised(rows: _Rows, labels: Ints, shares: Floats, strength: float) -> tuple[Floats, Floats]:
    """Weights and bias of multinomial logistic regression, by Nesterov's accelerated descent."""
    classes = int(labels.max()) + 1
    target = np.eye(classes)[labels]
    curved = _curvature(rows, shares)
    step = 1 / (curved + 1 / strength)
    bias_step = step * curved / shares.sum()
    weights, bias = np.zeros((rows.width, classes)), np.zeros(classes)
    ahead, ahead_bias = weights, bias
    for turn in range(_ROUNDS):
        wrong = (_softmax(rows.times(ahead) + ahead_bias) - target) * shares[:, None]
        descended = ahead - step * (rows.back(wrong) + ahead / strength)
        descended_bias = ahead_bias - bias_step * wrong.sum(axis=0)
        pace = turn / (turn + 3)
        ahead = descended + pace * (descended - weights)
        ahead_bias = descended_bias + pace * (descended_bias - bias)
        weights, bias = descended, descended_bias
    return weights, bias


def _curvature(rows: _Rows, shares: Floats) -> float:
    """The most that the loss is curved, doubled to leave room for the bias: by power iteration."""
    direction = np.ones((rows.width, 1)) / rows.width**0.5
    length = 1.0
    for _ in range(_POWERS):
        turned = rows.back(shares[:, None] * rows.times(direction))
        length = float(np.linalg.norm(turned))
        direction = turned / length
    return length


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _temperature(scores: Floats, labels: Ints, shares: Floats) -> float:
    """The one of the least log-loss."""

    def loss(temperature: float) -> float:
        chosen = _softmax(scores / temperature)[np.arange(len(labels)), labels]
        return float(-(shares * np.log(np.maximum(chosen, 1e-12))).sum())

    return min(_TEMPERATURES, key=loss)
