"""What to do with each class of task, as data."""

from __future__ import annotations

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
