"""From a technique written as data to its graph, and what is wrong with what was written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.unsuitable import UnsuitableModel, UnsuitableVerifier
from tscale_graph.policy_files import Place, Problem, told
from tscale_graph.policy_files.problems import close_to
from tscale_graph.recipe import ModelChoice, Recipe
from tscale_graph.techniques.named import (
    TECHNIQUES,
    TechniqueFunction,
    build_technique,
    named_technique,
    needs_verifier,
)
from tscale_graph.techniques.stand_ins import NamedModel, judge_by_name
from tscale_graph.verifiers import Verifier, named_verifier

VERIFIES = ("verifier", "scorer", "value")
"""What techniques call the verifier that they take."""
SEVERAL = ("models", "rungs")
"""What techniques call the models that they take, where they take several."""


class Unbuildable(Exception):
    """A recipe that cannot work.

    Attributes:
        problems: what is wrong with it.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Parts:
    """What the names in a recipe stand for.

    Attributes:
        model: makes a model, or what a technique takes for one, of its name.
        verifier: the same for a verifier.
    """

    model: Callable[[str], str | Askable]
    verifier: Callable[[str], Verifier | str]


def _stand_in(name: str) -> Askable:
    if not name.strip():
        raise ValueError("model must be named")
    return NamedModel(name=name)


def _unasked(name: str) -> Verifier:
    return judge_by_name(name) or named_verifier(name)


REAL = Parts(model=str, verifier=str)
"""Techniques load models and verifiers by name themselves."""
STAND_INS = Parts(model=_stand_in, verifier=_unasked)
"""Nothing is loaded that asks a model."""


@dataclass(frozen=True)
class Kitchen:
    """Builds recipes.

    Attributes:
        parts: what names stand for.
        model: for recipes that name none.
        verifier: for those that need one and name none; not for techniques inside techniques.
    """

    parts: Parts
    model: str | Askable = "local"
    verifier: Verifier | str | None = None

    def graph(self, recipe: Recipe, place: Place, *, budget: Any = None) -> TechniqueGraph:
        """The graph of a recipe.

        Args:
            recipe: a technique with what it is given.
            place: where it is written.
            budget: for requests that bring none, in place of the recipe's.

        Raises:
            Unbuildable: when it cannot work.
            UnsuitableModel: when a technique cannot ask a model of that kind.
            UnsuitableVerifier: the same, of a verifier that the recipe does not name.
            ImportError: when a package is not installed.
        """
        technique = self.technique(recipe, place)
        problems = list(_misplaced(recipe, technique, place))
        arguments = dict(recipe.arguments)
        first = next(iter(inspect.signature(technique).parameters))
        try:
            arguments |= self._models(recipe, first, place)
        except Unbuildable as error:
            problems += error.problems
        if problems:
            raise Unbuildable(problems)
        given = budget or recipe.budget
        if given is not None:
            arguments.setdefault("budget", given)
        return self._build(technique, recipe, arguments, place)

    def technique(self, recipe: Recipe, place: Place) -> TechniqueFunction:
        """The function of a recipe's technique.

        Raises:
            Unbuildable: when there is none of that name.
            ImportError: when it needs a package that is not installed.
        """
        technique = named_technique(recipe.technique)
        if technique is None:
            of_class = len(place) == 2 and place[0] == "classes"
            where = f"technique of {place[1]}" if of_class else told((*place, "technique"))
            names, like = ", ".join(TECHNIQUES), close_to(recipe.technique_name, TECHNIQUES)
            text = f"{where} must be one of {names}, got {recipe.technique!r}"
            text += f": {like}" if like.startswith("did") else ""
            raise Unbuildable([Problem((*place, "technique"), text)])
        return technique

    def lacks_verifier(self, recipe: Recipe, technique: TechniqueFunction) -> bool:
        """Whether it needs a verifier and there is none."""
        named = recipe.verifier, *(recipe.arguments.get(name) for name in VERIFIES), self.verifier
        return needs_verifier(technique) and all(one is None for one in named)

    def _models(self, recipe: Recipe, first: str, place: Place) -> dict[str, Any]:
        """The models that a recipe names, as the first argument of its technique."""
        among = {name: recipe.arguments.get(name) for name in ("model", first)}
        named = {name: self._named(one) for name, one in among.items() if isinstance(one, str)}
        if recipe.model is not None:
            return {**named, first: self._model(recipe.model, (*place, "model"))}
        for name in SEVERAL:
            choices: list[ModelChoice] | None = getattr(recipe, name)
            built: list[Any] = []
            problems: list[Problem] = []
            for at, choice in enumerate(choices or []):
                try:
                    built.append(self._model(choice, (*place, name, at)))
                except Unbuildable as error:
                    problems += error.problems
            if problems:
                raise Unbuildable(problems)
            if built:
                return {**named, first: built}
        return named

    def _model(self, choice: ModelChoice, place: Place) -> str | Askable | list[str | Askable]:
        if isinstance(choice, str):
            try:
                return self._named(choice)
            except ValueError as error:
                raise Unbuildable([Problem(place, f"{told(place)}: {error}")]) from error
        inside = replace(self, verifier=None)
        return inside.graph(choice, place)

    def _named(self, name: str) -> str | Askable | list[str | Askable]:
        """A model by its name, or several with commas in between."""
        several = [self.parts.model(one.strip()) for one in name.split(",")]
        return several if len(several) > 1 else several[0]

    def _build(
        self,
        technique: TechniqueFunction,
        recipe: Recipe,
        arguments: dict[str, Any],
        place: Place,
    ) -> TechniqueGraph:
        takes = inspect.signature(technique).parameters
        try:
            if recipe.verifier is not None:
                wanted = next(name for name in VERIFIES if name in takes)
                arguments[wanted] = self.parts.verifier(recipe.verifier)
            for name in VERIFIES:
                if isinstance(arguments.get(name), str):
                    arguments[name] = self.parts.verifier(arguments[name])
            return build_technique(technique, arguments, model=self.model, verifier=self.verifier)
        except (ValueError, TypeError, AttributeError) as error:
            # The last two are what a value of quite another kind comes to, where none was foreseen.
            if _of_what_is_given(error, recipe):
                raise
            text = next(iter(str(error).splitlines()), type(error).__name__)
            where = (*place, *_blamed(text, recipe))
            raise Unbuildable([Problem(where, f"{told(place).rstrip(': ')}: {text}")]) from error


def _of_what_is_given(error: Exception, recipe: Recipe) -> bool:
    """Whether the recipe is right, and what there is to cook it of is not."""
    if isinstance(error, UnsuitableVerifier):
        return recipe.verifier is None and not {*VERIFIES} & {*recipe.arguments}
    return isinstance(error, UnsuitableModel) and not isinstance(recipe.model, Recipe)


def _misplaced(recipe: Recipe, technique: TechniqueFunction, place: Place) -> Iterator[Problem]:
    """What the technique does not take."""
    takes, name = list(inspect.signature(technique).parameters), technique.__name__
    where = told(place).rstrip(": ")
    model_like = ("model", "verifier", takes[0])
    for argument in recipe.arguments:
        if argument not in (*takes, *model_like):
            like = close_to(argument, takes)
            text = f"{where}: {name} takes no {argument!r}: {like}"
            yield Problem((*place, "arguments", argument), text)
    for several in SEVERAL:
        if getattr(recipe, several) is not None and takes[0] != several:
            text = f"{where}: {name} takes {takes[0]}, got {several}"
            yield Problem((*place, several), text)
    verified = recipe.verifier is not None or "verifier" in recipe.arguments
    if verified and not any(one in takes for one in VERIFIES):
        at = ("verifier",) if recipe.verifier is not None else ("arguments", "verifier")
        yield Problem((*place, *at), f"{where}: {name} takes no verifier")


def _blamed(text: str, recipe: Recipe) -> Place:
    """What a message of the technique is about: the first thing in it that the recipe says."""
    said: dict[str, Place] = {name: ("arguments", name) for name in recipe.arguments}
    said |= {name: (name,) for name in ("model", *SEVERAL) if getattr(recipe, name) is not None}
    if recipe.verifier is not None:
        said |= dict.fromkeys((*VERIFIES, recipe.verifier.partition(":")[0]), ("verifier",))
    found = {
        match.start(): place
        for name, place in said.items()
        if (match := re.search(rf"\b{re.escape(name)}\b", text)) is not None
    }
    return found[min(found)] if found else ("technique",)
