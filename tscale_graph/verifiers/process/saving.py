"""A process reward model on disk: arrays, and a card that says what it is; nothing is executed.

A folder with `model.json` (format, card, columns) and `weights.npz` (arrays without objects).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tscale_graph.verifiers.process.aggregates import Aggregate
from tscale_graph.verifiers.process.classifier import StepClassifier
from tscale_graph.verifiers.process.weights import DAMAGE, LARGEST, packed, unpacked

FORMAT = 1
"""Of the files; another one is refused."""
CARD_FILE, WEIGHTS_FILE = "model.json", "weights.npz"

_NAMES = TypeAdapter(tuple[str, ...])


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
    weights = packed(classifier)
    told = {
        "format": FORMAT,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "columns": list(classifier.columns),
        "card": card.model_dump(mode="json"),
    }
    (where / WEIGHTS_FILE).write_bytes(weights)
    (where / CARD_FILE).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def load_classifier(folder: str | os.PathLike[str]) -> tuple[StepClassifier, ModelCard]:
    """Read a model that `save_classifier` wrote.

    Raises:
        ValueError: in one line, when it is none, of another format, larger than 64 MB, damaged, or
            made so that it cannot score.
        OSError: when it cannot be read.
    """
    where = Path(folder)
    try:
        told = json.loads((where / CARD_FILE).read_text(encoding="utf-8"))
        version, digest = told["format"], told["sha256"]
    except DAMAGE as error:
        raise ValueError(
            f"{where / CARD_FILE} is no process reward model: {_line(error)}"
        ) from None
    if version != FORMAT:
        raise ValueError(f"{where} has format {version!r}, this version reads {FORMAT}")
    if (size := (where / WEIGHTS_FILE).stat().st_size) > LARGEST:
        raise ValueError(f"{where / WEIGHTS_FILE} has {size:,} bytes, at most {LARGEST:,} are read")
    weights = (where / WEIGHTS_FILE).read_bytes()
    if hashlib.sha256(weights).hexdigest() != digest:
        raise ValueError(f"{where / WEIGHTS_FILE} does not belong to {CARD_FILE}, or is damaged")
    try:
        classifier = unpacked(weights, columns=_NAMES.validate_python(told["columns"]))
        return classifier, ModelCard.model_validate(told["card"])
    except DAMAGE as error:
        raise ValueError(f"{where} is no process reward model: {_line(error)}") from None


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
