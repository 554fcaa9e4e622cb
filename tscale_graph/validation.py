"""What a model of pydantic refused, in one line."""

from __future__ import annotations

from pydantic import ValidationError


def first_problem(error: ValidationError, *, whole: str = "") -> str:
    """The first thing that was wrong, and where.

    Args:
        error: of pydantic.
        whole: what to call the place when it is everything that was given.

    >>> from tscale_graph.budget import Budget
    >>> try:
    ...     Budget(calls="many")
    ... except ValidationError as error:
    ...     print(first_problem(error))
    calls: Input should be a valid integer, unable to parse string as an integer, got 'many'
    """
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"])) or whole
    return f"{place}{': ' if place else ''}{problem['msg']}, got {problem['input']!r:.60}"
