"""From the settings of a run to the graph that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.pregel import Pregel
from langgraph_sdk.runtime import ServerRuntime
from pydantic import ValidationError

from tscale_graph.budget import LIMITS, Budget
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.policy import Policy
from tscale_graph.policy_files.problems import close_to
from tscale_graph.recipe import Recipe
from tscale_graph.studio.forms import STREAM_SAMPLES, Form, form
from tscale_graph.techniques.policies import serve_classes
from tscale_graph.techniques.recipes import REAL, STAND_INS, Kitchen, Unbuildable
from tscale_graph.techniques.router import Router, router

Graph = Pregel[Any, Any, Any, Any]

_GRAPHS_KEPT = 64
_UNNAMED = "your model"


@dataclass(frozen=True)
class Assistant:
    """A technique, or the router, on a LangGraph server.

    Attributes:
        name: one of `ASSISTANTS`.
    """

    name: str

    async def graph(self, config: RunnableConfig, runtime: ServerRuntime[Any]) -> Graph:
        """The graph of a run, or of what is only looked at, by its settings.

        Equal settings get the same compiled graph: the last 64 are kept. To draw a graph, to show
        its form or to read a thread, no model is loaded; and settings that are wrong are then left
        out, so that there is a form to correct them in.

        Args:
            config: its `configurable` has the settings, among the server's own.
            runtime: says whether the graph will run; then its `context` has the settings.

        Raises:
            ValueError: when a graph that will run has wrong settings, in one line.
            ImportError: when a package is not installed.
        """
        running = runtime.execution_runtime
        configured = config.get("configurable") or {}
        if running is None:
            return await asyncio.to_thread(self._shown, configured)
        given = configured if running.context is None else running.context
        return await asyncio.to_thread(self._run, given)

    def _run(self, given: Mapping[str, Any]) -> Graph:
        return _compiled(self.name, _filled_in(self.name, given), loaded=True)

    def _shown(self, given: Mapping[str, Any]) -> Graph:
        try:
            return _compiled(self.name, _filled_in(self.name, given), loaded=False)
        except (ValueError, OSError, ImportError):
            return _compiled(self.name, _example(self.name), loaded=False)


def _filled_in(name: str, given: Mapping[str, Any]) -> Form:
    """The form with what was given; a `budget` as well, as in every run of a technique.

    Raises:
        ValueError: in one line.
    """
    made = form(name)
    settings = {setting: value for setting, value in given.items() if value != ""}
    if settings.get("budget") is not None:
        budget = Budget.of(settings.pop("budget"))
        settings |= {f"budget_{limit}": getattr(budget, limit) for limit in LIMITS}
    for setting in settings.keys() - made.model_fields.keys():
        # A configuration has much that is not for us; what is nearly a setting was meant as one.
        if "did you mean" in (like := close_to(setting, made.model_fields)):
            raise ValueError(f"{name} has no setting {setting!r}: {like}")
    try:
        return made.model_validate(settings)
    except ValidationError as error:
        problem, *others = error.errors(include_url=False, include_context=False)
        setting = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "missing":
            examples = ", ".join(made.model_fields[setting].examples or ())
            raise ValueError(f"{name} needs {setting}, such as {examples}") from None
        more = f" (and {len(others)} more)" if others else ""
        told = f"{name}: {setting}: {problem['msg']}, got {problem['input']!r}{more}"
        raise ValueError(told) from None


def _example(name: str) -> Form:
    """The form as it is before anything is filled in, with examples where it must be."""
    made = form(name)
    needed = {
        n: (one.examples or [""])[0] for n, one in made.model_fields.items() if one.is_required()
    }
    return made.model_validate(needed)


def _compiled(name: str, settings: Form, *, loaded: bool) -> Graph:
    return _kept(name, settings.model_dump_json(exclude={STREAM_SAMPLES}), loaded=loaded)


@lru_cache(_GRAPHS_KEPT)
def _kept(name: str, filled_in: str, *, loaded: bool) -> Graph:
    """The graph of a form.

    Args:
        name: of the assistant.
        filled_in: the form as JSON.
        loaded: its models and verifiers are; else they are only names.

    Raises:
        ValueError: in one line.
        OSError: when a file cannot be read.
        ImportError: when a package is not installed.
    """
    settings = form(name).model_validate_json(filled_in)
    graph = (_routed if name == "router" else _cooked)(name, settings, loaded=loaded)
    graph.context_schema = type(settings)
    return graph.compile()


def _cooked(name: str, settings: Form, *, loaded: bool) -> TechniqueGraph:
    recipe = Recipe(technique=name, arguments=settings.arguments, budget=settings.stated_budget)
    kitchen = Kitchen(REAL) if loaded else Kitchen(STAND_INS, model=STAND_INS.model(_UNNAMED))
    try:
        return kitchen.graph(recipe, ())
    except Unbuildable as error:
        told = error.problems[0].text.removeprefix(": ")
        raise ValueError(f"{name}: {told}") from error


def _routed(name: str, settings: Form, *, loaded: bool) -> TechniqueGraph:
    arguments = settings.arguments
    file = arguments.pop("policy", None)
    policy = Policy.default() if file is None else Policy.load(file)
    if loaded:
        return router(policy, budget=settings.stated_budget, **arguments)
    named = arguments.get("verifier")
    verifier = None if named is None else STAND_INS.verifier(named)
    kitchen = Kitchen(
        STAND_INS, model=STAND_INS.model(arguments.get("model", _UNNAMED)), verifier=verifier
    )
    return Router(policy, serve_classes(policy, kitchen), "rules", settings.stated_budget).graph()
