"""The JSON schema of policy files, for editors: what each technique takes, and what that is."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.recipe import Recipe
from tscale_graph.techniques.named import TECHNIQUES, TechniqueFunction, named_technique
from tscale_graph.techniques.recipes import VERIFIES

_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
_ANYTHING: dict[str, Any] = {}
_BESIDE = ("model", "models", "rungs", "budget", *VERIFIES)
"""Arguments that a policy has beside the others."""


def policy_schema() -> dict[str, Any]:
    """The schema that a policy file keeps to.

    Raises:
        ImportError: when a technique needs a package that is not installed.
    """
    made = Policy.model_json_schema()
    definitions: dict[str, Any] = made.pop("$defs")
    functions = {name: technique_of(name) for name in TECHNIQUES}
    told = told_of(Recipe, "Attributes") | told_of(ClassPolicy, "Attributes")
    for kind in ("ClassPolicy", "Recipe"):
        definition = definitions[kind]
        spellings = [way for name in TECHNIQUES for way in _spellings(name)]
        properties = definition["properties"]
        properties["technique"] = {"enum": spellings}
        for name, said in told.items():
            if name in properties:
                properties[name] = {**properties[name], "description": said}
        definition["allOf"] = [
            {
                "if": {"properties": {"technique": {"enum": _spellings(name)}}},
                "then": {"properties": {"arguments": {"$ref": f"#/$defs/{name}"}}},
            }
            for name in TECHNIQUES
        ]
    definitions |= {name: _arguments(function) for name, function in functions.items()}
    for definition in (made, *definitions.values()):
        definition["description"] = _first_sentence(definition.get("description", ""))
    made["properties"] = {"$schema": {"type": "string"}, **made["properties"]}
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    return {**title, "title": "A policy of tscale-graph", "$defs": definitions}


def technique_of(name: str) -> TechniqueFunction:
    """The function of a technique that is known to be one."""
    technique = named_technique(name)
    if technique is None:
        raise ValueError(f"technique must be one of {', '.join(TECHNIQUES)}, got {name!r}")
    return technique


def told_of(documented: object, title: str) -> dict[str, str]:
    """What a section of a docstring, such as "Args", says of each name."""
    text = (inspect.getdoc(documented) or "") + "\n"
    section = re.search(rf"^{title}:\n((?:[ ].*\n|\n)+)", text, re.MULTILINE)
    if section is None:
        return {}
    found = re.findall(r"^    (\w+): ((?:.*\n)(?:     +.*\n?)*)", section[1], re.MULTILINE)
    return {name: " ".join(said.split()) for name, said in found}


def _spellings(name: str) -> list[str]:
    return list(dict.fromkeys((name, name.replace("_", "-"))))


def _arguments(technique: TechniqueFunction) -> dict[str, Any]:
    """What a technique takes, by name; what only Python can give is left out."""
    hints, told = get_type_hints(technique), told_of(technique, "Args")
    properties: dict[str, Any] = {}
    for name, parameter in inspect.signature(technique).parameters.items():
        if name in _BESIDE:
            continue
        properties[name] = _schema_of(hints[name]) | {"description": told.get(name, "")}
        if type(parameter.default) in (int, float, str, bool):
            properties[name]["default"] = parameter.default
    return {
        "type": "object",
        "description": inspect.getdoc(technique) or "",
        "properties": properties,
        "additionalProperties": False,
    }


def _schema_of(hint: Any) -> dict[str, Any]:
    """The schema of the part of a type that a file can hold."""
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(parts)}
    if origin in (Union, types.UnionType):
        several = [one for part in parts if (one := _schema_of(part)) != {}]
        return {"anyOf": several} if len(several) > 1 else (several or [_ANYTHING])[0]
    if origin in (tuple, list, Sequence):
        return {"type": "array", "items": _schema_of(parts[0])}
    return {}


def _first_sentence(text: str) -> str:
    return next(iter(text.splitlines()), "")
