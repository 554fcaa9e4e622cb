"""A technique with its arguments, models and verifier, as data."""

from __future__ import annotations

from typing import Annotated, Any, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tscale_graph.budget import Budget
from tscale_graph.policy_files.problems import PROBLEMS

TAGS = ("a name", "a technique")
"""What tells a model's name from a technique in its place, where pydantic says what is wrong."""


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return TAGS[0]
    return TAGS[1] if isinstance(value, dict | Recipe) else None


ModelChoice = Annotated[
    Annotated[str, Field(min_length=1), Tag(TAGS[0])] | Annotated["Recipe", Tag(TAGS[1])],
    Discriminator(_kind),
]
"""A model by its name, or a technique in its place."""


class Recipe(BaseModel):
    """A technique, and what it is given.

    Attributes:
        technique: its name, written with "_" or "-", such as "best_of_n".
        arguments: its arguments, by name.
        model: "local", "provider:model", or another technique in the place of a model; None for
            whatever model is given to the whole.
        models: the same, several of them, for techniques that ask several.
        rungs: the same, from the cheapest on, for techniques that climb.
        verifier: a built-in verifier by its name; None for whatever verifier is given to the
            whole.
        budget: of requests that bring none; in the place of a model, the most that one run takes.

    Raises:
        ValidationError: for more than one of `model`, `models` and `rungs`, or what is given
            beside the arguments and among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    technique: str = Field(min_length=1)
    arguments: dict[str, Any] = {}
    model: ModelChoice | None = None
    models: Annotated[list[ModelChoice], Field(min_length=1)] | None = None
    rungs: Annotated[list[ModelChoice], Field(min_length=1)] | None = None
    verifier: Annotated[str, Field(min_length=1)] | None = None
    budget: Budget | None = None

    @field_validator("arguments", mode="after")
    @classmethod
    def _as_a_file_gives_them_back(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        return {name: _listed(value) for name, value in arguments.items()}

    @model_validator(mode="after")
    def _nothing_is_given_twice(self) -> Self:
        given = [name for name in ("model", "models", "rungs") if getattr(self, name) is not None]
        problems: list[tuple[tuple[str, ...], str]] = []
        if len(given) > 1:
            problems.append(((given[1],), f"give {given[0]} or {given[1]}, not both"))
        for name in (*given, "verifier", "budget"):
            if getattr(self, name) is not None and name in self.arguments:
                told = f"{name} is given beside the arguments and among them"
                problems.append((("arguments", name), told))
        if problems:
            raise PydanticCustomError(
                PROBLEMS, "{first}", {"problems": problems, "first": problems[0][1]}
            )
        return self

    @property
    def technique_name(self) -> str:
        """The technique's name as it is in Python."""
        return self.technique.replace("-", "_")


def _listed(value: Any) -> Any:
    """A value with lists for tuples."""
    if isinstance(value, tuple | list):
        return [_listed(part) for part in cast(list[Any], value)]
    if isinstance(value, dict):
        return {key: _listed(part) for key, part in cast(dict[Any, Any], value).items()}
    return value


Recipe.model_rebuild()
