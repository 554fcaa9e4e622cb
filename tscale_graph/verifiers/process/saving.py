"""A process reward model on disk: arrays, and a card that says what it is; nothing is executed.

A folder with `model.json` (format, card, columns) and `weights.npz` (arrays without objects).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tscale_graph.verifiers.process.aggregates import Aggregate
from tscale_graph.verifiers.process.classifier import (
    Calibration,
    Ints,
    Linear,
    Projection,
    StepClassifier,
    Trees,
)

FORMAT = 1
"""Of the files; another one is refused."""
CARD_FILE, WEIGHTS_FILE = "model.json", "weights.npz"

_TREE_ARRAYS = ("roots", "column", "threshold", "left", "right", "value")


class ModelCard(BaseModel):
    """What somebody has to know of a model before trusting it.

    Attributes:
        policy: the model whose solutions it learnt from, by name.
        data: which questions, in words.
        created: the day, as YYYY-MM-DD.
        steps: how solutions are cut into steps, as `step_splitter` takes it.
        featurizers: by name, in the order of their columns.
        aggregate: how the scores of steps become one.
        kind: of classifier.
        labels: how steps were labelled.
        questions: how many it was trained on.
        labelled_steps: how many steps that were.
        metrics: measured on held-out questions, by name.
        notes: whatever else.
        parts: which questions were trained on, calibrated on and chosen on, by their
            `question_key`: none of them says anything of how good the model is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    data: str
    created: str
    steps: str
    featurizers: tuple[str, ...]
    aggregate: Aggregate = "last"
    kind: str
    labels: str
    questions: int
    labelled_steps: int
    metrics: dict[str, float] = {}
    notes: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = {}

    @property
    def seen(self) -> frozenset[str]:
        """The keys of all questions that had a part in the making of the model."""
        return frozenset(key for keys in self.parts.values() for key in keys)


def save_classifier(
    folder: str | os.PathLike[str], classifier: StepClassifier, card: ModelCard
) -> None:
    """Write a model; the folder is made where it is not there.

    Raises:
        OSError: when it cannot be written.
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    weights = io.BytesIO()
    np.savez_compressed(weights, **_arrays(classifier))
    packed = weights.getvalue()
    told = {
        "format": FORMAT,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "columns": list(classifier.columns),
        "card": card.model_dump(mode="json"),
    }
    (where / WEIGHTS_FILE).write_bytes(packed)
    (where / CARD_FILE).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def load_classifier(folder: str | os.PathLike[str]) -> tuple[StepClassifier, ModelCard]:
    """Read a model that `save_classifier` wrote.

    Raises:
        ValueError: in one line, when it is none, of another format, or damaged.
        OSError: when it cannot be read.
    """
    where = Path(folder)
    try:
        told = json.loads((where / CARD_FILE).read_text(encoding="utf-8"))
        version, digest = told["format"], told["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where / CARD_FILE} is no process reward model: {error}") from None
    if version != FORMAT:
        raise ValueError(f"{where} has format {version!r}, this version reads {FORMAT}")
    packed = (where / WEIGHTS_FILE).read_bytes()
    if hashlib.sha256(packed).hexdigest() != digest:
        raise ValueError(f"{where / WEIGHTS_FILE} does not belong to {CARD_FILE}, or is damaged")
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            classifier = _classifier(tuple(told["columns"]), dict(arrays))
        return classifier, ModelCard.model_validate(told["card"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{where} is no process reward model: {first}") from None


def _arrays(classifier: StepClassifier) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "centre": classifier.centre,
        "scale": classifier.scale,
        "calibration.log_odds": classifier.calibration.log_odds,
        "calibration.probability": classifier.calibration.probability,
    }
    for part in classifier.parts:
        if isinstance(part, Linear):
            arrays |= {"linear.weights": part.weights, "linear.bias": np.array(part.bias)}
        else:
            arrays |= {f"trees.{name}": getattr(part, name) for name in _TREE_ARRAYS}
            arrays["trees.bias"] = np.array(part.bias)
    for place, one in enumerate(classifier.projections):
        arrays[f"projection.{place}.columns"] = one.columns
        arrays[f"projection.{place}.components"] = one.components
    return arrays


def _classifier(columns: tuple[str, ...], arrays: dict[str, Any]) -> StepClassifier:
    projections = _projections(len(columns), arrays)
    taken = sum(len(one.columns) - len(one.components) for one in projections)
    width = len(columns) - taken
    parts: list[Linear | Trees] = []
    if "linear.weights" in arrays:
        parts.append(Linear(arrays["linear.weights"], float(arrays["linear.bias"])))
    if "trees.roots" in arrays:
        trees = {name: arrays[f"trees.{name}"] for name in _TREE_ARRAYS}
        parts.append(Trees(**trees, bias=float(arrays["trees.bias"])))
        _check_trees(parts[-1], width)
    shapes = {arrays[name].shape for name in ("centre", "scale")}
    if not parts or shapes != {(len(columns),)}:
        raise ValueError(f"there are {len(columns)} columns, and arrays of shapes {shapes}")
    for part in parts:
        if isinstance(part, Linear) and part.weights.shape != (width,):
            raise ValueError(f"there are {width} inputs, and weights of shape {part.weights.shape}")
    calibration = Calibration(arrays["calibration.log_odds"], arrays["calibration.probability"])
    if calibration.log_odds.shape != calibration.probability.shape:
        raise ValueError("the calibration's arrays differ in length")
    return StepClassifier(
        columns, arrays["centre"], arrays["scale"], tuple(parts), calibration, projections
    )


def _projections(columns: int, arrays: dict[str, Any]) -> tuple[Projection, ...]:
    """Those that were saved; refuse any that would be read beyond their ends."""
    found: list[Projection] = []
    while f"projection.{len(found)}.columns" in arrays:
        name = f"projection.{len(found)}"
        found.append(Projection(arrays[f"{name}.columns"], arrays[f"{name}.components"]))
    if not found:
        return ()
    fits = all(
        one.columns.ndim == 1
        and one.columns.dtype.kind == "i"
        and one.components.ndim == 2
        and one.components.shape[1] == len(one.columns)
        for one in found
    )
    taken: Ints = np.concatenate([one.columns.ravel() for one in found])
    known = (taken >= 0).all() and (taken < columns).all()
    if not (fits and known and len(np.unique(taken)) == len(taken)):
        raise ValueError("the projections' arrays do not fit together")
    return tuple(found)


def _check_trees(trees: Linear | Trees, width: int) -> None:
    """Refuse tables that would be read beyond their ends, or without an end."""
    if isinstance(trees, Linear):
        return
    nodes = np.arange(len(trees.column))
    inner = trees.column >= 0
    children = np.concatenate([trees.left[inner] - nodes[inner], trees.right[inner] - nodes[inner]])
    fits = all(len(getattr(trees, name)) == len(nodes) for name in _TREE_ARRAYS[1:])
    ends = (
        (children > 0).all()
        and (trees.left < len(nodes)).all()
        and (trees.right < len(nodes)).all()
    )
    known = (trees.column < width).all() and (trees.roots < len(nodes)).all()
    if not (fits and ends and known):
        raise ValueError("the trees' arrays do not fit together")
