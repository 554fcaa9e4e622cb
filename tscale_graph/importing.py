"""Names of a module that are imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def imported_late(module: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """A `__getattr__` for a module whose names live in other ones.

    Args:
        module: its name, for the error.
        homes: the module that each name is in.
    """

    def attribute(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return attribute
