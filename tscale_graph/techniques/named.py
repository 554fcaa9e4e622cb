"""Techniques by name: for policies, command lines and `solve`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.verifiers import Verifier

TechniqueFunction = Callable[..., TechniqueGraph]

TECHNIQUES: tuple[str, ...] = (
    "self_consistency",
    "best_of_n",
    "beam_search",
    "ab_mcts",
    "lats",
    "refine",
    "aggregate_recursively",
    "extended_thinking",
    "cascade",
)
"""Every technique that can be named; each is the function of that name in its own module."""

WITH_TREE: tuple[str, ...] = ("beam_search", "ab_mcts", "lats", "refine")
"""Those whose result has a tree."""


def named_technique(name: str) -> TechniqueFunction | None:
    """The function of a technique's name, written with "-" or "_"; None for an unknown one.

    Raises:
        ImportError: when it needs a package that is not installed.
    """
    plain = name.replace("-", "_")
    if plain not in TECHNIQUES:
        return None
    return getattr(import_module(f"tscale_graph.techniques.{plain}"), plain)


def needs_verifier(technique: TechniqueFunction) -> bool:
    """Whether it cannot do without a verifier: its second parameter has no default."""
    return _verifier_parameter(technique) is not None


def build_technique(
    technique: TechniqueFunction,
    arguments: dict[str, Any],
    *,
    model: str | Askable,
    verifier: Verifier | str | None,
) -> TechniqueGraph:
    """The graph of a technique.

    Args:
        technique: its function.
        arguments: by name. What they say of models and verifiers comes first.
        model: for arguments that name none.
        verifier: the same, for a technique that takes one.

    Raises:
        ValueError: for an argument that the technique does not take, or a bad one.
    """
    first, wanted = next(iter(_parameters(technique))), _verifier_parameter(technique)
    given = dict(arguments)
    named = given.pop("model", None) or given.pop(first, None) or model
    if wanted is not None:
        if wanted in given and wanted != "verifier" and given.get("verifier") is not None:
            raise ValueError(f"give {technique.__name__} a {wanted} or a verifier, not both")
        given.setdefault(wanted, given.pop("verifier", None) or verifier)
        if given[wanted] is None:
            raise ValueError(f"{technique.__name__} needs a {wanted}")
    elif verifier is not None and "verifier" in _parameters(technique):
        given.setdefault("verifier", verifier)
    try:
        return technique(named, **given)
    except TypeError as error:
        raise ValueError(str(error).replace("()", "")) from error


def _parameters(technique: TechniqueFunction) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(technique).parameters)


def _verifier_parameter(technique: TechniqueFunction) -> str | None:
    second = list(_parameters(technique).values())[1:2]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return next((p.name for p in second if p.kind == positional and p.default is p.empty), None)
