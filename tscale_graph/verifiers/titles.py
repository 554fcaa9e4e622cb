"""What a verifier is called in a drawing."""

from __future__ import annotations

import re
from functools import partial
from typing import cast

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def title_of(verifier: object) -> str:
    """A few words for a verifier: its function's or class's name, and the model that it asks.

    >>> from tscale_graph.verifiers import equation
    >>> title_of(equation)
    'equation'

    Args:
        verifier: anything that judges answers, one by one or in comparison.
    """
    while isinstance(verifier, partial):
        verifier = cast("partial[object]", verifier).func
    name = getattr(verifier, "__name__", None) or _HUMPS.sub(" ", type(verifier).__name__).lower()
    if name in ("<lambda>", "function"):
        return "verifier"
    asker = getattr(verifier, "asker", None)
    title = str(name).replace("_", " ").strip()
    return title if asker is None else f"{title}: {asker.endpoint.name}"
