"""The graph that runs for a contender, a question and a repetition."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tscale_graph.budget import LIMITS, Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.outcomes import Contender
from tscale_graph.techniques.named import named_technique
from tscale_graph.techniques.recipes import REAL, Kitchen, Unbuildable
from tscale_graph.techniques.router import router
from tscale_graph.verifiers import Verifier

Graph = StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any]
Runnable = Pregel[Any, Any, Any, Any]
SEEDS_PER_RUN = 100_003
"""Samples of one run have consecutive seeds; those of the next begin so much further on."""


@dataclass
class Builder:
    """Builds each graph once.

    Attributes:
        contenders: recipes, policies or graphs, by the names of their settings.
        model: for what names none; a recording is played in another order in each repetition.
        sampling: arguments for every technique that takes them and is not given them.
        classifier: of policies.
        seed: of the first repetition.
    """

    contenders: Mapping[str, Recipe | Policy | Graph]
    model: Askable
    sampling: Mapping[str, Any]
    classifier: Any = "rules"
    seed: int = 0
    _built: dict[tuple[str, Any, int], Runnable] = field(
        default_factory=dict[tuple[str, Any, int], Runnable]
    )

    def graph(self, setting: str, verifier: Verifier | str | None, run: int) -> Runnable:
        """The compiled graph.

        Args:
            setting: whose.
            verifier: for what names none, of the question that is asked.
            run: the repetition, from 0.

        Raises:
            ValueError: in one line, when it cannot be built.
            ImportError: when a package is missing.
        """
        key = setting, verifier, run
        if key not in self._built:
            self._built[key] = self._compiled(setting, verifier, run)
        return self._built[key]

    def _compiled(self, setting: str, verifier: Verifier | str | None, run: int) -> Runnable:
        what = self.contenders[setting]
        if isinstance(what, Pregel):
            return what
        if isinstance(what, StateGraph):
            return what.compile()
        model, seed = self.model, self.seed + run * SEEDS_PER_RUN
        if isinstance(model, ReplayModel):
            model, seed = model.in_order(self.seed + run), 0
        given = {**self.sampling, "seed": seed}
        if isinstance(what, Policy):
            seeded = {name: _with(entry, given) for name, entry in what.classes.items()}
            policy = what.model_copy(update={"classes": seeded})
            graph = router(policy, model=model, verifier=verifier, classifier=self.classifier)
            return graph.compile()
        return self._technique(setting, _with(what, given), model, verifier).compile()

    def _technique(
        self, setting: str, recipe: Recipe, model: Askable, verifier: Verifier | str | None
    ) -> TechniqueGraph:
        try:
            return Kitchen(REAL, model=model, verifier=verifier).graph(recipe, ())
        except Unbuildable as error:
            raise ValueError(f"{setting}: {error.problems[0].text.strip(': ')}") from error
        except ValueError as error:
            raise ValueError(f"{setting}: {error}") from error


def own_budget(what: Recipe | Policy | Graph) -> Budget | None:
    """The most that a request takes that brings no budget; None where nothing says so."""
    if isinstance(what, Recipe):
        return what.budget
    if not isinstance(what, Policy):
        return what.technique.budget if isinstance(what, TechniqueGraph) else None
    budgets = [entry.budget for entry in what.classes.values()]
    limits = {
        name: max(values)
        for name in LIMITS
        if len(values := [v for one in budgets if one and (v := getattr(one, name)) is not None])
        == len(budgets)
    }
    return Budget.model_validate(limits) if limits else None


def contender(
    setting: str,
    what: Recipe | Policy | Graph,
    *,
    model: str,
    request: Budget | None,
    sampling: Mapping[str, Any],
) -> Contender:
    """Who runs under a name, as the file of outcomes says it."""
    return Contender(
        setting=setting,
        recipe=_plain(what) if isinstance(what, Recipe) else None,
        policy=what if isinstance(what, Policy) else None,
        model=model,
        request=request,
        sampling=dict(sampling),
    )


def _plain(recipe: Recipe) -> Recipe:
    """Without what a kind of recipe has beside, such as a name."""
    return Recipe.model_validate(recipe.model_dump(include=set(Recipe.model_fields)))


def _with(recipe: Recipe, given: Mapping[str, Any]) -> Any:
    """The recipe with arguments that its technique takes and that it does not name."""
    technique = named_technique(recipe.technique)
    takes = [] if technique is None else list(inspect.signature(technique).parameters)
    added = {name: value for name, value in given.items() if name in takes}
    return recipe.model_copy(update={"arguments": {**added, **recipe.arguments}})
