"""The classes of a policy as graphs, and whether a policy can work at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.unsuitable import UnsuitableModel, UnsuitableVerifier
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.policy_files import Place, Problem
from tscale_graph.techniques.recipes import STAND_INS, Kitchen, Unbuildable
from tscale_graph.techniques.routing.state import NODES, RoutingState
from tscale_graph.techniques.stand_ins import NamedModel, unloaded_verifier

_TAKEN = (*NODES, *RoutingState.__annotations__)
"""What a class cannot be called: LangGraph wants nodes to be called unlike what is in the state."""


@dataclass(frozen=True)
class Served:
    """What can be done for each class.

    Attributes:
        graphs: of the classes that can be served, by name.
        missing: of the others, what is missing.
    """

    graphs: Mapping[str, TechniqueGraph]
    missing: Mapping[str, str]


class _Lacking(Exception):
    """What a class needs, and there is not."""


def check_policy(policy: Policy) -> None:
    """See that every class could be built, without loading a model.

    What needs a package that is not installed is left to whoever builds it.

    Raises:
        PolicyError: with everything that is wrong, each in its line of the file.
    """
    _built(policy, Kitchen(STAND_INS, model=NamedModel(name="your model")), _checked)


def serve_classes(policy: Policy, kitchen: Kitchen, *, budget: Any = None) -> Served:
    """The graphs of a policy's classes.

    A class that lacks a verifier, a suitable model or a package goes without if it has a fallback.

    Args:
        policy: whose classes.
        kitchen: builds them.
        budget: for requests that bring none, in place of the budgets of the classes.

    Raises:
        PolicyError: with everything that is wrong.
        ImportError: when a package is missing for the model or the verifier of a class.
    """
    served = _built(policy, kitchen, partial(_served, budget=budget))
    if not served.graphs:
        told = f"no class of the policy can be served: {'; '.join(served.missing.values())}"
        raise policy.source.error([Problem(("classes",), told)])
    return served


def _built(
    policy: Policy,
    kitchen: Kitchen,
    build: Callable[[Kitchen, ClassPolicy, Place], TechniqueGraph | None],
) -> Served:
    graphs: dict[str, TechniqueGraph] = {}
    missing: dict[str, str] = {}
    problems: list[Problem] = []
    for name, entry in policy.classes.items():
        place: Place = ("classes", name)
        if name in _TAKEN:
            told = f"a class cannot be called {name}: the router has a part of that name"
            problems.append(Problem(place, told))
            continue
        try:
            if (graph := build(kitchen, entry, place)) is not None:
                graphs[name] = graph
        except Unbuildable as error:
            problems += error.problems
        except _Lacking as error:
            missing[name] = str(error)
            if entry.fallback is None:
                told = f"class {name}: {error}, and the class has no fallback"
                problems.append(Problem((*place, "technique"), told))
    if problems and not graphs and len(problems) <= len(missing):
        told = f"no class of the policy can be served: {problems[0].text}"
        problems = [Problem(problems[0].place, told), *problems[1:]]
    if problems:
        raise policy.source.error(problems)
    return Served(graphs, missing)


def _served(kitchen: Kitchen, entry: ClassPolicy, place: Place, *, budget: Any) -> TechniqueGraph:
    """The graph of a class, to be run."""
    try:
        technique = kitchen.technique(entry, place)
    except ImportError as error:
        raise _Lacking(str(error)) from error
    if kitchen.lacks_verifier(entry, technique):
        raise _Lacking(f"{entry.technique_name} needs a verifier")
    try:
        return kitchen.graph(entry, place, budget=budget)
    except (UnsuitableModel, UnsuitableVerifier) as error:
        raise _Lacking(str(error)) from error


def _checked(kitchen: Kitchen, entry: ClassPolicy, place: Place) -> TechniqueGraph | None:
    """The graph of a class, to see that there is one: what it lacks is told last."""
    with_verifier = replace(kitchen, verifier=unloaded_verifier("your verifier"))
    try:
        graph = with_verifier.graph(entry, place)
        technique = kitchen.technique(entry, place)
    except ImportError:  # nothing is installed here for the sake of a check
        return None
    if kitchen.lacks_verifier(entry, technique):
        raise _Lacking(f"{entry.technique_name} needs a verifier")
    return graph
