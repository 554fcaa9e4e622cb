"""What to do with each class of task, as data; and the free rules that tell the classes apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tscale_graph.budget import Budget


class ClassPolicy(BaseModel):
    """What to do with one class of task.

    Attributes:
        technique: the technique's name, such as "self_consistency".
        arguments: the technique's arguments, by name.
        budget: for requests that bring none.
        fallback: the class to treat a task as when this one cannot be served, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    technique: str = Field(min_length=1)
    arguments: dict[str, Any] = {}
    budget: Budget | None = None
    fallback: str | None = None


class Policy(BaseModel):
    """Which technique, with which arguments and budget, for which class of task.

    Attributes:
        classes: by name of the class.
        default_class: the class of a task that no rule knows.

    Raises:
        ValidationError: when `default_class` or a fallback names no class, or fallbacks go in
            circles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[str, ClassPolicy] = Field(min_length=1)
    default_class: str

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = ", ".join(self.classes)
        if self.default_class not in self.classes:
            raise ValueError(f"default_class must be one of {known}, got {self.default_class!r}")
        for name, entry in self.classes.items():
            if entry.fallback is not None and entry.fallback not in self.classes:
                raise ValueError(
                    f"fallback of {name} must be one of {known}, got {entry.fallback!r}"
                )
            if name in self.fallbacks(name)[1:]:
                raise ValueError(f"the fallbacks of {name} go in circles")
        return self

    @classmethod
    def default(cls) -> Policy:
        """One pass for simple tasks, a vote for samplable ones, best-of-N for verifiable ones."""
        return cls(
            classes={
                "simple": ClassPolicy(
                    technique="self_consistency",
                    arguments={"max_samples": 1, "stop": "fixed"},
                    budget=Budget(calls=3, tokens=20_000),
                ),
                "samplable": ClassPolicy(
                    technique="self_consistency",
                    arguments={"max_samples": 16},
                    budget=Budget(tokens=40_000),
                ),
                "verifiable": ClassPolicy(
                    technique="best_of_n",
                    arguments={"n": 16},
                    budget=Budget(tokens=40_000),
                    fallback="samplable",
                ),
            },
            default_class="simple",
        )

    def fallbacks(self, name: str) -> list[str]:
        """The class and what it falls back to, in order, each once or until a circle closes."""
        order = [name]
        while (following := self.classes[order[-1]].fallback) is not None:
            order.append(following)
            if following in order[:-1]:
                break
        return order


@dataclass(frozen=True, slots=True)
class Classification:
    """The class of a task.

    Attributes:
        task_class: its name.
        confidence: in [0, 1].
        reason: what told it, in a few words.
    """

    task_class: str
    confidence: float
    reason: str


_RULES: tuple[tuple[str, re.Pattern[str], float, str], ...] = tuple(
    (task_class, re.compile(pattern, re.IGNORECASE), confidence, reason)
    for task_class, pattern, confidence, reason in (
        ("verifiable", r"\bsolve\b[^.?!]*=|\bif\s[^.?!]*=[^=]*\?", 0.9, "an equation to solve"),
        ("verifiable", r"\bnumbers?\b[^.?!]*\b(?:make|equals?|reach|get)\b", 0.8, "a countdown"),
        ("verifiable", r"\bexactly \d+ words\b|\bwords? or fewer\b", 0.8, "countable constraints"),
        ("verifiable", r"\b(?:write|implement)\b[^.?!]*\b(?:function|program)\b", 0.7, "code"),
        ("samplable", r"\bhow (?:many|much|long|far|old|often)\b", 0.8, "asks for a number"),
        ("samplable", r"\b(?:calculate|compute|evaluate|count|sum of)\b", 0.8, "a calculation"),
        ("samplable", r"(?m)^\s*\(?[A-D][).]\s", 0.9, "choices to pick from"),
        ("samplable", r"\bwhat is\b[^?]*\d\s*[-+*/×÷^%]", 0.8, "a calculation"),
        ("samplable", r"\bwhich of the\b|\btrue or false\b", 0.7, "choices to pick from"),
    )
)


def classify(question: str, *, default: str) -> Classification:
    """Tell the class of a task by rules that cost nothing.

    >>> classify("Solve 3x + 4 = 19 for x.", default="simple").task_class
    'verifiable'
    >>> classify("How many r's are in strawberry?", default="simple").task_class
    'samplable'
    >>> classify("Say hello.", default="simple").task_class
    'simple'
    """
    for task_class, pattern, confidence, reason in _RULES:
        if pattern.search(question):
            return Classification(task_class, confidence, reason)
    return Classification(default, 0.5, "no rule knows it")
