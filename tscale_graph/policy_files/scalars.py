"""Single values of YAML: what people mean by them, and what JSON calls the same."""

from __future__ import annotations

import re
from typing import Any, cast

import yaml

_PREFIX = "tag:yaml.org,2002:"
_TEXTS = ("str", "timestamp", "value", "merge")
_BREAKS = re.compile(r"[\x85\u2028\u2029]")
_EXPONENT = re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+")


class Loader(yaml.SafeLoader):
    """Reads nodes, and knows numbers such as 1e-3, which YAML 1.1 takes for text."""


class Dumper(yaml.SafeDumper):
    """Writes what `Loader` reads."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write what occurs twice twice: anchors are for people."""
        return True


def _text(dumper: Dumper, text: str) -> yaml.Node:
    """Text, in double quotes where it has what YAML would take for the end of a line."""
    style = '"' if _BREAKS.search(text) else None
    return dumper.represent_scalar(f"{_PREFIX}str", text, style=style)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


Dumper.add_representer(str, _text)
for _kind in (Loader, Dumper):
    _kind.add_implicit_resolver(f"{_PREFIX}float", _EXPONENT, list("-+0123456789"))


def scalar(node: yaml.ScalarNode) -> Any:
    """The text, number, truth or nothing that a node stands for.

    Raises:
        ValueError: for a tag of any other kind, and a number that is none.
    """
    text = cast(str, node.value)
    kind = node.tag.removeprefix(_PREFIX) if node.tag.startswith(_PREFIX) else ""
    if kind in _TEXTS or (kind in ("int", "float") and ":" in text):  # 1:30 is no number
        return _whole(text)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    plain = text.replace("_", "")
    try:
        if kind == "float":
            return float(plain.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if kind == "int":
            return int(plain) if re.fullmatch(r"[-+]?\d+", plain) else int(plain, 0)
    except ValueError:
        raise ValueError(f"must be a number, got {text}") from None
    raise ValueError(f"takes no tags, got {node.tag}")


def _whole(text: str) -> str:
    """A text whose pairs of surrogates, as JSON writes them, are the characters they stand for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
