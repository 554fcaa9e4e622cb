"""A small text classifier: a weight for each feature and class, and nothing else to run it.

Multinomial logistic regression. A question's features are scaled to length 1; its scores are
divided by a temperature that was fitted on types of tasks that the weights had not seen (Guo et
al. 2017, arXiv:1706.04599), so that the confidence says how often it is right on new kinds of
tasks.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, cast

from tscale_graph.classifying.classification import Classification
from tscale_graph.classifying.features import features

FORMAT = 1
"""Of the file; another one is refused."""
LARGEST = 16_000_000
"""Bytes of a file that is read."""
SHIPPED = Path(__file__).with_name("shipped") / "classifier.json"
"""The classifier that comes with the package, of the five task classes."""
_STEPS = 127
"""The weights are whole numbers from -127 to 127, times one scale."""
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """Tells the class of a question by weights of its features; called as `model(question)`.

    Attributes:
        classes: by name, in the order of the weights.
        weights: by feature, a whole number for each class.
        bias: of each class.
        scale: what a weight of 1 is worth, above 0.
        temperature: what scores are divided by, above 0.
        card: what it was made of, in words and numbers.
    """

    classes: tuple[str, ...]
    weights: Mapping[str, tuple[int, ...]]
    bias: tuple[float, ...]
    scale: float
    temperature: float
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __call__(self, question: str) -> Classification:
        """The most probable class; the first of them in a tie.

        The confidence is 1 over the number of classes where no feature is known, as with most
        questions in languages that it has not learnt.
        """
        found = self._found(question)
        shares = self._probabilities(found)
        best = max(range(len(self.classes)), key=shares.__getitem__)
        return Classification(self.classes[best], shares[best], self._reason(found, best))

    def probabilities(self, question: str) -> dict[str, float]:
        """The probability of each class; they sum to 1."""
        return dict(zip(self.classes, self._probabilities(self._found(question)), strict=True))

    def scores(self, question: str) -> list[float]:
        """The scores of the classes before the temperature and the softmax."""
        return self._scores(self._found(question))

    def _found(self, question: str) -> dict[str, tuple[float, tuple[int, ...]]]:
        given = features(question)
        known = self.weights
        return {name: (value, known[name]) for name, value in given.items() if name in known}

    def _scores(self, found: Mapping[str, tuple[float, tuple[int, ...]]]) -> list[float]:
        if not found:
            return [0.0] * len(self.classes)
        length = math.sqrt(sum(value * value for value, _ in found.values()))
        sums = [0.0] * len(self.classes)
        for value, weights in found.values():
            for place, weight in enumerate(weights):
                sums[place] += value * weight
        factor = self.scale / length
        return [bias + factor * total for bias, total in zip(self.bias, sums, strict=True)]

    def _probabilities(self, found: Mapping[str, tuple[float, tuple[int, ...]]]) -> list[float]:
        scores = self._scores(found)
        top = max(scores)
        raised = [math.exp((score - top) / self.temperature) for score in scores]
        total = math.fsum(raised)
        return [one / total for one in raised]

    def _reason(self, found: Mapping[str, tuple[float, tuple[int, ...]]], best: int) -> str:
        """The three features that say most for the class."""
        told = sorted(found, key=lambda name: (-found[name][1][best], name))
        named = [name.partition(":")[2] for name in told[:3] if found[name][1][best] > 0]
        return f"reads like it: {', '.join(named)}" if named else "nothing in it is known"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON, a line for each feature.

        Raises:
            OSError: when it cannot be written.
        """
        head = {
            "format": FORMAT,
            "card": dict(self.card),
            "classes": list(self.classes),
            "bias": list(self.bias),
            "scale": self.scale,
            "temperature": self.temperature,
        }
        lines = [f"{json.dumps(name)}: {list(self.weights[name])}" for name in sorted(self.weights)]
        told = json.dumps(head, indent=1, ensure_ascii=True)[:-2]
        Path(path).write_text(
            f'{told},\n "weights": {{\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> TextClassifier:
        """Read one that was saved; nothing in the file is executed.

        Args:
            path: where it is; None for the one that comes with the package.

        Raises:
            ValueError: in one line, when it is none, of another format, too large or damaged.
            OSError: when it cannot be read.
        """
        where = SHIPPED if path is None else Path(path)
        if (size := where.stat().st_size) > LARGEST:
            raise ValueError(f"{where} has {size:,} bytes, at most {LARGEST:,} are read")
        try:
            told = json.loads(where.read_bytes(), parse_constant=_no_number)
            return _read(told)
        except _DAMAGE as error:
            line = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise ValueError(f"{where} is no text classifier: {line[:200]}") from None


@cache
def shipped() -> TextClassifier:
    """The classifier that comes with the package, read once."""
    return TextClassifier.load()


def quantised(
    weights: Mapping[str, tuple[float, ...]],
) -> tuple[dict[str, tuple[int, ...]], float]:
    """Weights as whole numbers, and their scale; features that come to nothing are left out."""
    largest = max((abs(one) for row in weights.values() for one in row), default=0.0)
    scale = largest / _STEPS if largest > 0 else 1.0
    whole = {name: tuple(round(one / scale) for one in row) for name, row in weights.items()}
    return {name: row for name, row in whole.items() if any(row)}, scale


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"numbers must be finite, got {text}")


def _read(told: Any) -> TextClassifier:
    if not isinstance(told, dict):
        raise ValueError(f"it must be a JSON object, got {type(told).__name__}")
    given = cast(dict[str, Any], told)
    if given.get("format") != FORMAT:
        raise ValueError(f"it has format {given.get('format')!r}, this version reads {FORMAT}")
    classes = tuple(given["classes"])
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError("it must have two classes or more, each once")
    if not all(isinstance(one, str) and one for one in classes):
        raise ValueError("its classes must be names")
    bias = tuple(_number("a bias", one) for one in given["bias"])
    if len(bias) != len(classes):
        raise ValueError(f"it must have {len(classes)} biases, got {len(bias)}")
    return TextClassifier(
        classes,
        {name: _row(name, row, len(classes)) for name, row in given["weights"].items()},
        bias,
        _above_0("scale", given["scale"]),
        _above_0("temperature", given["temperature"]),
        dict(given["card"]),
    )


def _row(name: str, row: Any, many: int) -> tuple[int, ...]:
    numbers = tuple(row)
    if len(numbers) != many or not all(type(n) is int and abs(n) <= _STEPS for n in numbers):
        raise ValueError(
            f"the weights of {name[:40]!r} must be {many} whole numbers up to {_STEPS}"
        )
    return numbers


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {str(value)[:40]!r}")
    if abs(value) > 1e6:
        raise ValueError(f"{name} must be at most a million, got {value}")
    return float(value)


def _above_0(name: str, value: Any) -> float:
    if _number(name, value) < 1e-6:
        raise ValueError(f"{name} must be above 0, got {value}")
    return float(value)
