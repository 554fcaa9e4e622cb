"""Plain data as YAML or JSON that reads back as the same."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import yaml

from tscale_graph.policy_files.scalars import Dumper


def write_text(data: dict[str, Any], *, as_json: bool) -> str:
    """A policy's data as text, its keys in their order."""
    if as_json:
        return json.dumps(data, indent=2, allow_nan=False) + "\n"
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=99)


def plain(value: Any, *, told: str) -> Any:
    """A value if it is plain data all through.

    Args:
        value: whatever.
        told: what it is, for the message.

    Raises:
        ValueError: when a part of it is none, such as a chat model or a function, or no number.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{told} must be finite to be saved, got {value}")
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, dict):
        items = cast(dict[Any, Any], value).items()
        return {plain(key, told=told): plain(part, told=f"{told}.{key}") for key, part in items}
    if isinstance(value, list):
        parts = enumerate(cast(list[Any], value))
        return [plain(part, told=f"{told}[{index}]") for index, part in parts]
    raise ValueError(f"{told} must be plain data to be saved, got a {type(value).__name__}")
