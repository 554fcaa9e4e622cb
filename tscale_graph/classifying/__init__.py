"""Which class a task belongs to: rules, a trained text classifier, a model, or a function."""

from __future__ import annotations

from tscale_graph.classifying.classification import TASK_CLASSES, Classification
from tscale_graph.classifying.model import TextClassifier
from tscale_graph.classifying.naming import (
    CLASSIFIERS,
    Classifier,
    check_classifier,
    classified,
    named_classifier,
    read_classification,
)
from tscale_graph.classifying.rules import classify

__all__ = [
    "CLASSIFIERS",
    "TASK_CLASSES",
    "Classification",
    "Classifier",
    "TextClassifier",
    "check_classifier",
    "classified",
    "classify",
    "named_classifier",
    "read_classification",
]
