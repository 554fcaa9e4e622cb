"""Any kind of classifier, by name or as an object, and asking it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from tscale_graph.budget import Budget
from tscale_graph.classifying.classification import Classification
from tscale_graph.classifying.model import TextClassifier, shipped
from tscale_graph.classifying.rules import classify
from tscale_graph.models.threads import in_thread

Classifier = Callable[..., Any]
"""Called as `classifier(question)`; returns, or is awaited for, the name of a class or a
`Classification`. One that takes a `lease` or a `deadline` gets it."""

CLASSIFIERS: dict[str, str] = {
    "rules": "a few patterns, free",
    "trained": "the text classifier that comes with the package, under 2 ms",
    "trained:classifier.json": "a text classifier of yours, as it was saved",
    "llm": 'a model: "llm:openai:gpt-5-mini"; "llm" alone asks the embedded one',
}
"""What `named_classifier` takes, with a line on each."""


def rules(question: str) -> Classification:
    """The free rules; "simple" where none fits."""
    return classify(question, default="simple")


def check_classifier(
    classifier: Classifier | str, *, classes: Mapping[str, str] | None = None
) -> Classifier:
    """The classifier, or the built-in one of that name.

    Args:
        classifier: a function, or a name of `CLASSIFIERS`.
        classes: for "llm": the classes with what makes a task one of them, in place of the five
            built-in ones.

    Raises:
        ValueError: when it is neither, or a question does not fit it.
        OSError: when a file of a text classifier cannot be read.
    """
    if isinstance(classifier, str):
        return named_classifier(classifier, classes=classes)
    if not callable(classifier):
        raise ValueError(
            "classifier must be callable as classifier(question) or one of "
            f"{_KNOWN}, got {type(classifier).__name__}"
        )
    try:
        signature = inspect.signature(classifier)
    except (TypeError, ValueError):  # a builtin without a signature
        return classifier
    try:
        signature.bind("question", **dict.fromkeys(_offered(classifier)))
    except TypeError as error:
        raise ValueError(f"classifier must be callable as classifier(question): {error}") from None
    return classifier


def named_classifier(name: str, *, classes: Mapping[str, str] | None = None) -> Classifier:
    """A built-in classifier by its name and settings, written "name:settings".

    >>> named_classifier("rules")("How many r's are in strawberry?").task_class
    'samplable'

    Raises:
        ValueError: for an unknown name, or settings that are wrong.
        OSError: when a file of a text classifier cannot be read.
    """
    kind, _, settings = name.partition(":")
    if kind == "rules" and not settings:
        return rules
    if kind == "trained":
        return TextClassifier.load(settings) if settings else shipped()
    if kind == "llm":
        from tscale_graph.classifying.asking import asking_classifier  # it loads models

        return asking_classifier(settings or "local", classes=classes)
    raise ValueError(f"classifier must be one of {_KNOWN}, got {name!r}")


_KNOWN = ", ".join(CLASSIFIERS)


async def classified(
    classifier: Classifier,
    question: str,
    *,
    lease: Budget | None = None,
    deadline: float | None = None,
) -> Classification:
    """Ask any classifier for the class of one question.

    A synchronous function of the user's runs in a thread of its own; rules and text classifiers
    are called as they are.

    Raises:
        TypeError: when what it returned is no class.
        ValueError: when its confidence is not in [0, 1], or the class has no name.
        VerifierError: from one that asks a model and got no class; it carries what was spent.
    """
    if classifier is rules or isinstance(classifier, TextClassifier):
        return read_classification(classifier(question))
    offered = {"lease": lease, "deadline": deadline}
    arguments = {name: offered[name] for name in _offered(classifier)}
    called: Any = type(classifier).__call__
    if inspect.iscoroutinefunction(classifier) or inspect.iscoroutinefunction(called):
        return read_classification(await classifier(question, **arguments))
    returned = await in_thread(lambda: classifier(question, **arguments))
    return read_classification(await returned if inspect.isawaitable(returned) else returned)


def read_classification(returned: Any) -> Classification:
    """A classification from what a classifier returned; a name alone counts as certain.

    >>> read_classification("simple").confidence
    1.0

    Raises:
        TypeError: when it is neither.
        ValueError: when the confidence is not in [0, 1], or the class has no name.
    """
    if isinstance(returned, str):
        returned = Classification(returned, 1.0, "as the function said")
    if not isinstance(returned, Classification):
        kind = type(cast(object, returned)).__name__
        raise TypeError(f"a classifier must return a class's name or a Classification, got {kind}")
    if not returned.task_class.strip():
        raise ValueError("a classifier must name a class, got an empty name")
    if not 0 <= returned.confidence <= 1:  # also for NaN
        raise ValueError(f"a confidence must be between 0 and 1, got {returned.confidence}")
    return returned


def _offered(classifier: Classifier) -> list[str]:
    try:
        named = inspect.signature(classifier).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return []
    return [name for name in ("lease", "deadline") if name in named]
