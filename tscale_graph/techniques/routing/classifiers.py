"""Asking whatever tells the class of a task: rules, a function, or something that asks a model."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from langgraph.errors import GraphBubbleUp

from tscale_graph.budget import LIMITS, Budget, Usage
from tscale_graph.classifying import CLASSIFIERS, TASK_CLASSES, Classification, named_classifier
from tscale_graph.classifying.rules import classify
from tscale_graph.models.failures import one_line
from tscale_graph.models.threads import in_thread
from tscale_graph.policy import Policy

Classifier = str | Callable[..., Any]
"""A name of `CLASSIFIERS`; a function of the question, sync or async; or what has `ask`."""
RULES = "rules"


@dataclass(frozen=True)
class Told:
    """What a classifier said.

    Attributes:
        found: the class, how sure, and why.
        usage: what asking has cost.
    """

    found: Classification
    usage: Usage = field(default_factory=Usage)

    def of(self, policy: Policy) -> tuple[str, str]:
        """The class that a policy has for it, and why."""
        found, reason = self.found, f"{self.found.reason} (confidence {self.found.confidence:.2f})"
        if found.task_class in policy.classes:
            return found.task_class, reason
        return policy.default_class, f"{reason}, and the policy has no class {found.task_class}"


def check_classifier(classifier: Classifier, policy: Policy) -> Classifier:
    """The classifier, or the built-in one of that name.

    Args:
        classifier: as the user gave it.
        policy: whose classes a model is told of.

    Raises:
        ValueError: when it is none.
        OSError: when a file of a text classifier cannot be read.
    """
    if isinstance(classifier, str) and classifier != RULES:
        told = {
            name: entry.description or TASK_CLASSES.get(name, name)
            for name, entry in policy.classes.items()
        }
        return named_classifier(classifier, classes=told)
    if isinstance(classifier, str) or callable(classifier) or hasattr(classifier, "ask"):
        return classifier
    known = ", ".join(CLASSIFIERS)
    raise ValueError(
        f"classifier must be one of {known}, a function of the question, or have ask, "
        f"got {classifier!r}"
    )


def waits(classifier: Classifier) -> bool:
    """Whether asking may take a while: all but the rules."""
    return classifier != RULES


def asking_takes(classifier: Classifier, question: str) -> Usage:
    """What asking takes at most, where models are asked and it says so."""
    needs = getattr(classifier, "needs", None)
    return Usage() if needs is None else needs(question)


async def tell_class(
    classifier: Classifier, question: str, *, policy: Policy, budget: Budget | None
) -> Told:
    """Ask for the class of a task.

    What asks models is asked under a lease that leaves something for the answer; where the budget
    does not have that, and where a classifier fails or is late, the rules tell.

    Args:
        classifier: `"rules"`, a function, or an object whose `ask(question, lease=…, deadline=…)`
            gives a `Classification`, or one and a `Usage`, and which may say what that takes:
            `needs(question)` is a `Usage`.
        question: the task.
        policy: whose classes.
        budget: of the request, if it has one: else of the tightest class.

    Raises:
        ValueError: when it gives something else than a class.
    """
    rules = classify(question, default=policy.default_class)
    if not waits(classifier):
        return Told(rules)
    lease: Budget | None = None
    if hasattr(classifier, "ask"):
        lease = _lease(asking_takes(classifier, question), budget)
        if lease is None:
            return Told(_instead(rules, "the budget does not pay for asking a classifier"))
    seconds = None if budget is None else budget.seconds
    try:
        async with asyncio.timeout(seconds):
            said = await _asked(classifier, question, lease, seconds)
    except TimeoutError:
        spent = Usage() if lease is None else lease.at_most(asking_takes(classifier, question))
        return Told(_instead(rules, "the classifier was not done in time"), spent)
    except GraphBubbleUp:  # an interrupt is for whoever runs the graph
        raise
    except Exception as error:  # noqa: BLE001 - of users' own code; what it says is told
        usage = getattr(error, "usage", None)
        spent = usage if isinstance(usage, Usage) else _all(classifier, question, lease)
        return Told(_instead(rules, f"the classifier failed: {one_line(error)}"), spent)
    return read_answer(said)


def read_answer(said: Any) -> Told:
    """What a classifier gave back: a class, a `Classification`, or one of these and a `Usage`.

    Raises:
        ValueError: for anything else.
    """
    parts = cast(tuple[Any, ...], said if isinstance(said, tuple) else (said,))
    found: Any = parts[0] if 1 <= len(parts) <= 2 else None
    usage = parts[1] if len(parts) == 2 else getattr(found, "usage", None)
    if isinstance(found, str):
        found = Classification(found, 1.0, "as the classifier said")
    if not hasattr(found, "task_class"):
        raise ValueError(f"a classifier must give a class or a Classification, got {said!r}")
    plain = Classification(found.task_class, found.confidence, found.reason)
    return Told(plain, usage if isinstance(usage, Usage) else Usage())


async def _asked(
    classifier: Any, question: str, lease: Budget | None, seconds: float | None
) -> Any:
    if lease is not None:
        deadline = None if seconds is None else time.time() + seconds
        return await classifier.ask(question, lease=lease, deadline=deadline)
    if inspect.iscoroutinefunction(classifier):
        return await classifier(question)
    said = await in_thread(lambda: classifier(question))
    return await said if inspect.isawaitable(said) else said


def _lease(needs: Usage, budget: Budget | None) -> Budget | None:
    """What asking may spend; None where it would leave nothing of some limit."""
    wanted = {"calls": needs.calls, "tokens": needs.tokens, "usd": needs.usd}
    limits = {name: amount for name, amount in wanted.items() if amount}
    if budget is None:
        return Budget.model_validate(limits or {"calls": 1})
    if not limits:
        try:
            return budget.split(4)[0]
        except ValueError:
            return None
    left = budget.remaining(needs)
    if any(getattr(left, name) == 0 for name in LIMITS):
        return None
    return Budget.model_validate(limits).within(budget)


def _all(classifier: Classifier, question: str, lease: Budget | None) -> Usage:
    """All that asking could have spent, where nobody knows what it did."""
    return Usage() if lease is None else lease.at_most(asking_takes(classifier, question))


def _instead(rules: Classification, why: str) -> Classification:
    return Classification(rules.task_class, rules.confidence, f"{rules.reason}; {why}")
