"""What to do with each class of task, as data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tscale_graph.budget import Budget
from tscale_graph.policy_files import (
    Place,
    Problem,
    Source,
    plain,
    problems_in,
    read_file,
    read_text,
    write_text,
)
from tscale_graph.policy_files.problems import PROBLEMS, close_to
from tscale_graph.recipe import TAGS, Recipe

_TECHNIQUES = "tscale_graph.techniques.policies"
"""Who knows what techniques take. Looked up when a file is loaded: it stands above the core."""
CLASS_NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
"""What classes may be called: they are nodes of a graph."""


class ClassPolicy(Recipe):
    """What to do with one class of task: a technique, what it is given, and what else to try.

    Attributes:
        description: which tasks belong to it, for people and for classifiers that ask a model.
        fallback: the class to treat a task as when this one cannot be served, or None.
    """

    description: str = ""
    fallback: str | None = None


class Policy(BaseModel):
    """Which technique, with which arguments and budget, for which class of task.

    Attributes:
        default_class: the class of a task that nothing else is known of.
        classes: by name of the class: letters, digits, "_" and "-".

    Raises:
        ValidationError: when `default_class` or a fallback names no class, or fallbacks go in
            circles.

    >>> policy = Policy.default()
    >>> policy.classes["verifiable"].technique, policy.classes["verifiable"].fallback
    ('best_of_n', 'samplable')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_class: str
    classes: dict[str, ClassPolicy] = Field(
        min_length=1, json_schema_extra={"propertyNames": {"pattern": CLASS_NAME}}
    )
    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        problems = [(one.place, one.text) for one in self._unknown_names()]
        if problems:
            told = {"problems": problems, "first": problems[0][1]}
            raise PydanticCustomError(PROBLEMS, "{first}", told)
        return self

    @classmethod
    def default(cls) -> Policy:
        """The five classes of task, each with a technique, a budget and a fallback.

        One pass for simple tasks, a vote for samplable ones, best-of-N for verifiable ones, a
        tree search for combinatorial ones, and a thought for sequential ones.
        """
        return _default().model_copy(deep=True)

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """The policy that a YAML or JSON file holds.

        Everything that can be known without asking a model is checked: techniques, their
        arguments and the values of these, verifiers, fallbacks. No model is loaded.

        Raises:
            PolicyError: a `ValueError` that says in one line what is wrong and where, as in
                "policy.yaml:12:5: class simple: …"; its `problems` are all that is wrong.
        """
        policy = cls.read(*read_file(path))
        import_module(_TECHNIQUES).check_policy(policy)
        return policy

    @classmethod
    def read(cls, data: Any, source: Source) -> Policy:
        """A policy from what a file holds; techniques are not looked at.

        Raises:
            PolicyError: when that is no policy.
        """
        if isinstance(data, dict):
            data = {key: value for key, value in data.items() if key != "$schema"}  # pyright: ignore[reportUnknownVariableType]
        try:
            policy = cls.model_validate(data)
        except ValidationError as error:
            problems = problems_in(error, fields=_fields_at, tags=TAGS)
            raise source.error(problems) from None
        policy._source = source
        return policy

    def save(self, path: str | Path) -> None:
        """Write the policy into a file, as JSON where its name ends in ".json", else as YAML.

        Raises:
            ValueError: when an argument is no plain data, such as a function.
            OSError: when the file cannot be written.
        """
        as_json = Path(path).suffix.lower() == ".json"
        Path(path).write_text(self.text(as_json=as_json), encoding="utf-8", newline="\n")

    def text(self, *, as_json: bool = False) -> str:
        """The policy as YAML or JSON.

        Raises:
            ValueError: when an argument is no plain data, such as a function.
        """
        for name, entry in self.classes.items():
            plain(entry.model_dump(), told=f"class {name}")
        return write_text(self.model_dump(exclude_defaults=True), as_json=as_json)

    @property
    def source(self) -> Source:
        """The file that the policy was read from, for messages."""
        return self._source

    def fallbacks(self, name: str) -> list[str]:
        """The class and what it falls back to, in order, each once or until a circle closes."""
        order = [name]
        while (following := self.classes[order[-1]].fallback) in self.classes:
            order.append(following)
            if following in order[:-1]:
                break
        return order

    def order(self, name: str) -> list[str]:
        """The class, its fallbacks, the default class and then the others: each once."""
        return list(dict.fromkeys([*self.fallbacks(name), self.default_class, *self.classes]))

    def _unknown_names(self) -> list[Problem]:
        found: list[Problem] = []
        known = ", ".join(self.classes)
        for name in self.classes:
            if re.match(CLASS_NAME, name) is None or name.endswith("\n"):
                told = f"a class must be called by letters, digits, _ and -, got {name!r}"
                found.append(Problem(("classes", name), told))
        if self.default_class not in self.classes:
            told = f"default_class must be one of {known}, got {self.default_class!r}"
            found.append(Problem(("default_class",), told))
        for name, entry in self.classes.items():
            place: Place = ("classes", name, "fallback")
            if entry.fallback is not None and entry.fallback not in self.classes:
                like = close_to(entry.fallback, self.classes)
                told = f"class {name}: fallback must be one of {known}, got {entry.fallback!r}"
                told += f": {like}" if like.startswith("did") else ""
                found.append(Problem(place, told))
            elif name in self.fallbacks(name)[1:]:
                circle = " → ".join(self.fallbacks(name))
                found.append(Problem(place, f"class {name}: its fallbacks go in circles: {circle}"))
        return found


def _fields_at(place: Place) -> Sequence[str]:
    """What may stand at a place of a policy, by name."""
    if not place:
        return list(Policy.model_fields)
    if place[-1] == "budget":
        return list(Budget.model_fields)
    if place[-1] in ("arguments", "classes"):
        return []
    kind = ClassPolicy if len(place) == 2 and place[0] == "classes" else Recipe
    return list(kind.model_fields)


@cache
def _default() -> Policy:
    return Policy.read(*read_text(default_text(), name="the default policy"))


def default_text() -> str:
    """The default policy as its file has it, with comments."""
    return (files("tscale_graph.policy_files") / "default.yaml").read_text(encoding="utf-8")
