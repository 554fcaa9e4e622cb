"""How good a classifier is: macro-F1, the confusion matrix, and whether its confidence is true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.classifying.draw import CLASSES, Drawn
from tscale_graph.classifying import Classification

Classify = Callable[[str], Classification]


@dataclass(frozen=True)
class Told:
    """One question, and what was said of it."""

    source: str
    right: str
    said: str
    confidence: float


def ask(classify: Classify, types: Sequence[Drawn]) -> list[Told]:
    """Classify every question of some types."""
    asked = [(one, classify(question)) for one in types for question in one["questions"]]
    return [
        Told(one["source"], one["class"], found.task_class, found.confidence)
        for one, found in asked
    ]


def confusion(told: Sequence[Told]) -> list[list[int]]:
    """How many questions of each class (rows) were said to be of each (columns)."""
    return [[sum((t.right, t.said) == (a, b) for t in told) for b in CLASSES] for a in CLASSES]


def macro_f1(told: Sequence[Told]) -> float:
    """The mean over the classes of the harmonic mean of precision and recall.

    >>> told = [Told("", "simple", "simple", 1.0), Told("", "samplable", "simple", 1.0)]
    >>> round(macro_f1(told) * 5, 3)
    0.667
    """
    rows = confusion(told)
    scores = []
    for place in range(len(CLASSES)):
        hit, real = rows[place][place], sum(rows[place])
        said = sum(row[place] for row in rows)
        scores.append(2 * hit / (real + said) if real + said else 0.0)
    return sum(scores) / len(scores)


def accuracy(told: Sequence[Told]) -> float:
    return sum(one.right == one.said for one in told) / len(told)


def calibration_error(told: Sequence[Told], bins: int = 10) -> float:
    """The mean distance of the confidence from how often it is right, over equal bins."""
    total = 0.0
    for place in range(bins):
        here = [one for one in told if min(int(one.confidence * bins), bins - 1) == place]
        if here:
            total += abs(sum(one.confidence for one in here) - sum(o.right == o.said for o in here))
    return total / len(told)
