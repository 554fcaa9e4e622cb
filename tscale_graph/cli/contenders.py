"""What a benchmark is told to try: compositions as written at a terminal, and policy files."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tscale_graph.cli.calls import Call, arguments_by_name, plain_setting, read_call
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.techniques.named import TECHNIQUES, named_technique
from tscale_graph.techniques.recipes import SEVERAL, VERIFIES

_POLICY_FILES = (".yaml", ".yml", ".json")


def contenders(texts: Iterable[str]) -> dict[str, Recipe | Policy]:
    """Who is to run, by name.

    Args:
        texts: each a composition such as "self-consistency(max_samples=16)", or a policy file;
            "NAME=…" gives it a name, else it is called as it is written.

    Raises:
        ValueError: in one line, for what is neither, and for a name that comes twice.
        OSError: when a policy file cannot be read.
        ImportError: when a technique needs a package that is not installed.
    """
    found: dict[str, Recipe | Policy] = {}
    for text in texts:
        name, what = _named(text)
        if name in found:
            raise ValueError(f"--try names {name!r} more than once")
        is_file = Path(what).suffix.lower() in _POLICY_FILES
        found[name] = Policy.load(what) if is_file else recipe(what)
    return found


def recipe(text: str) -> Recipe:
    """A composition as data.

    >>> written = recipe("best-of-n(extended-thinking(openai:gpt-5-mini), equation, n=4)")
    >>> written.verifier, written.arguments, written.model.model
    ('equation', {'n': 4}, 'openai:gpt-5-mini')

    Raises:
        ValueError: when it is none, in one line.
        ImportError: when a technique needs a package that is not installed.
    """
    return _recipe(read_call(text))


def _named(text: str) -> tuple[str, str]:
    """The name and what it names: an equals sign in parentheses is of an option."""
    head, equals, rest = text.partition("=")
    if equals and "(" not in head and head.strip() and rest.strip():
        return head.strip(), rest.strip()
    return text.strip(), text.strip()


def _recipe(call: Call) -> Recipe:
    technique = named_technique(call.name)
    if technique is None:
        names = ", ".join(name.replace("_", "-") for name in TECHNIQUES)
        raise ValueError(f"technique must be one of {names}, got {call.name!r}")
    takes = list(inspect.signature(technique).parameters)
    first = takes[0]
    given: dict[str, Any] = {"technique": call.name.replace("-", "_"), "arguments": {}}
    for name, value in arguments_by_name(call, takes).items():
        if name not in (*takes, "model"):
            raise ValueError(f"{call.name} takes no {name!r}: it takes {', '.join(takes)}")
        if name in (first, "model"):
            models = [_model(one) for one in (value if isinstance(value, list) else [value])]  # pyright: ignore[reportUnknownVariableType]
            several = first if first in SEVERAL else None
            if several is None and len(models) > 1:
                raise ValueError(f"{call.name} takes one {first}, got {len(models)}")
            given |= {several: models} if several else {"model": models[0]}
        elif name in VERIFIES:
            given["verifier"] = _verifier(value)
        else:
            given["arguments"][name] = plain_setting(value)
    return Recipe.model_validate(given)


def _model(value: Any) -> str | Recipe:
    if isinstance(value, Call):
        return _recipe(value)
    if not isinstance(value, str):
        raise ValueError("a list of models must not hold another list")
    return _recipe(Call(value)) if value.replace("-", "_") in TECHNIQUES else value


def _verifier(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a verifier must be a name: see tscale techniques")
    return value
