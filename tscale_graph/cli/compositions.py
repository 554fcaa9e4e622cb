"""Compositions of techniques as written at a terminal, with models that are only names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.techniques.named import (
    TECHNIQUES,
    TechniqueFunction,
    build_technique,
    named_technique,
    needs_verifier,
)
from tscale_graph.techniques.router import router
from tscale_graph.techniques.stand_ins import NamedModel, judge_by_name, unloaded_verifier
from tscale_graph.verifiers import VERIFIERS

_BEGINS = re.compile(r"\s*[\w-]+\s*(\(|$)")
_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_QUOTED = re.compile(r"""\s*("[^"]*"|'[^']*')\s*""")
_WORD = re.compile(r"[^()\[\],'\"]*")
_NUMBER = re.compile(r"-?\d[\d_]*(\.\d+)?")
_VERIFIES = ("verifier", "scorer", "value")
"""What arguments that take a verifier are called."""


def is_composition(text: str) -> bool:
    """Whether a text is the name of a technique, with or without what it is made of."""
    return _BEGINS.match(text) is not None


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
    reader = _Reader(text)
    read = reader.value()
    reader.expect_end()
    return _graph(read if isinstance(read, _Call) else _Call(str(read)))


@dataclass
class _Call:
    name: str
    arguments: list[Any] = field(default_factory=list[Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class _Reader:
    """Reads a composition from left to right."""

    text: str
    at: int = 0

    def value(self) -> Any:
        """A text, a call or a list."""
        if (quoted := _QUOTED.match(self.text, self.at)) is not None:
            self.at = quoted.end()
            return quoted[1][1:-1]
        if self._takes("["):
            listed: list[Any] = []
            self._until("]", lambda: listed.append(self.value()))
            return listed
        word = _WORD.match(self.text, self.at)
        name = word[0].strip() if word else ""
        if not name:
            raise self._wrong("a name")
        self.at += len(word[0]) if word else 0
        if not self._takes("("):
            return name
        call = _Call(name)
        self._until(")", lambda: self._argument(call))
        return call

    def expect_end(self) -> None:
        """Refuse what follows."""
        if self.text[self.at :].strip():
            raise self._wrong("nothing more")

    def _argument(self, call: _Call) -> None:
        keyword = _KEYWORD.match(self.text, self.at)
        if keyword is None:
            call.arguments.append(self.value())
        else:
            self.at = keyword.end()
            call.options[keyword[1]] = self.value()

    def _until(self, closing: str, read: Callable[[], None]) -> None:
        """Read what is between commas, up to a bracket."""
        if self._takes(closing):
            return
        read()
        while not self._takes(closing):
            if not self._takes(","):
                raise self._wrong(f"a comma or {closing}")
            read()

    def _takes(self, character: str) -> bool:
        rest = self.text[self.at :].lstrip()
        if not rest.startswith(character):
            return False
        self.at = len(self.text) - len(rest) + 1
        return True

    def _wrong(self, wanted: str) -> ValueError:
        rest = self.text[self.at :].strip()
        where = f"before {rest!r}" if rest else "at the end"
        return ValueError(f"{self.text!r} must have {wanted} {where}")


def _graph(call: _Call) -> TechniqueGraph:
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


def _by_name(call: _Call, names: list[str]) -> dict[str, Any]:
    """The arguments of a call, as what its technique takes."""
    if len(call.arguments) > len(names):
        raise ValueError(f"{call.name} takes at most {len(names)} arguments")
    told = dict(zip(names, call.arguments, strict=False))
    if twice := told.keys() & call.options.keys():
        raise ValueError(f"{call.name} is given {', '.join(sorted(twice))} more than once")
    given: dict[str, Any] = {}
    for name, value in {**told, **call.options}.items():
        if name in (names[0], "model"):
            given[name] = _model(value)
        else:
            given[name] = _verifier(value) if name in _VERIFIES else _setting(value)
    return given


def _model(value: Any) -> Any:
    if isinstance(value, list):
        return [_model(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, _Call):
        return _graph(value)
    known = value.replace("-", "_") in (*TECHNIQUES, "router")
    return _graph(_Call(value)) if known else NamedModel(name=value)


def _verifier(value: Any) -> Any:
    """A verifier by its name, of which nothing is loaded; "" is any."""
    if not isinstance(value, str):
        raise ValueError("a verifier must be a name: see tscale techniques")
    kind = value.partition(":")[0]
    known = dict.fromkeys(name.partition(":")[0] for name in VERIFIERS)
    if value and kind not in known:
        raise ValueError(f"verifier must be one of {', '.join(known)}, got {value!r}")
    return judge_by_name(value) or unloaded_verifier(value or "your verifier")


def _setting(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("only models can be techniques or lists")
    if _NUMBER.fullmatch(value) is None:
        return value
    return float(value) if "." in value else int(value)
