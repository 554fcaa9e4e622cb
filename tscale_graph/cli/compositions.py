"""Compositions of techniques as written at a terminal, with models that are only names."""

from __future__ import annotations

import inspect
from typing import Any

from tscale_graph.cli.calls import Call, arguments_by_name, plain_setting, read_call
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.techniques.named import (
    TECHNIQUES,
    TechniqueFunction,
    build_technique,
    named_technique,
    needs_verifier,
)
from tscale_graph.techniques.recipes import VERIFIES
from tscale_graph.techniques.router import router
from tscale_graph.techniques.stand_ins import NamedModel, judge_by_name, unloaded_verifier
from tscale_graph.verifiers import VERIFIERS


def composed(text: str) -> TechniqueGraph:
    """The graph of a composition, to be looked at: its models cannot be asked.

    `name(argument, …)`, where an argument is the name of a model or a verifier, a composition in
    turn, a list of these in brackets, or `option=value`. A text with commas or parentheses in it
    stands in quotes. What is left out is called "your model" and "your verifier".

    >>> graph = composed("best-of-n(extended-thinking(openai:gpt-5-mini), equation, n=4)")
    >>> graph.technique.name, graph.technique.asks[0].name
    ('best_of_n', 'extended_thinking(openai:gpt-5-mini)')

    Raises:
        ValueError: when it is none, in one line.
        ImportError: when a technique needs a package that is not installed.
    """
    return _graph(read_call(text))


def _graph(call: Call) -> TechniqueGraph:
    if call.name.replace("-", "_") == "router":
        given = _by_name(call, ["model", "verifier"])
        named: dict[str, Any] = {"model": NamedModel(name="your model"), "verifier": _verifier("")}
        try:
            return router(**(named | given))
        except TypeError as error:
            raise ValueError(str(error).replace("()", "")) from error
    technique = named_technique(call.name)
    if technique is None:
        names = ", ".join(name.replace("_", "-") for name in (*TECHNIQUES, "router"))
        raise ValueError(f"technique must be one of {names}, got {call.name!r}")
    given = _by_name(call, list(inspect.signature(technique).parameters))
    return build_technique(
        technique,
        given,
        model=_anything(technique),
        verifier=_verifier("") if needs_verifier(technique) else None,
    )


def _anything(technique: TechniqueFunction) -> Any:
    """What stands for the models that a technique is given, where it is given none."""
    if next(iter(inspect.signature(technique).parameters)).endswith("s"):
        return [NamedModel(name="your first model"), NamedModel(name="your second model")]
    return NamedModel(name="your model")


def _by_name(call: Call, names: list[str]) -> dict[str, Any]:
    """The arguments of a call, as what its technique takes."""
    given: dict[str, Any] = {}
    for name, value in arguments_by_name(call, names).items():
        if name in (names[0], "model"):
            given[name] = _model(value)
        else:
            given[name] = _verifier(value) if name in VERIFIES else plain_setting(value)
    return given


def _model(value: Any) -> Any:
    if isinstance(value, list):
        return [_model(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Call):
        return _graph(value)
    known = value.replace("-", "_") in (*TECHNIQUES, "router")
    return _graph(Call(value)) if known else NamedModel(name=value)


def _verifier(value: Any) -> Any:
    """A verifier by its name, of which nothing is loaded; "" is any."""
    if not isinstance(value, str):
        raise ValueError("a verifier must be a name: see tscale techniques")
    kind = value.partition(":")[0]
    known = dict.fromkeys(name.partition(":")[0] for name in VERIFIERS)
    if value and kind not in known:
        raise ValueError(f"verifier must be one of {', '.join(known)}, got {value!r}")
    return judge_by_name(value) or unloaded_verifier(value or "your verifier")
