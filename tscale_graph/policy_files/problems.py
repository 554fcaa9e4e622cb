"""What is wrong with a policy file: one line for each thing, with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from tscale_graph.policy_files.reading import Place

PROBLEMS = "policy"
"""The type of pydantic's errors that carry problems with places of their own."""


class PolicyError(ValueError):
    """A policy, or the file of one, that cannot work.

    Attributes:
        problems: what is wrong, a line for each, such as "policy.yaml:12:5: class simple: …".
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        more = len(self.problems) - 1
        return self.problems[0] + (f" (and {more} more)" if more else "")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: where, from the outside in.
        text: what, what was got, and what would be right.
    """

    place: Place
    text: str


def told(place: Place) -> str:
    """A place in words.

    >>> told(("classes", "simple", "budget", "tokens"))
    'class simple: budget.tokens'
    >>> told(("default_class",))
    'default_class'
    """
    if len(place) > 1 and place[0] == "classes":
        return f"class {place[1]}: {told(place[2:])}"
    words = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return "".join(words).removeprefix(".")


def close_to(name: str, known: Iterable[str]) -> str:
    """Which of the names was meant, if one is like it; else all of them."""
    names = list(known)
    like = difflib.get_close_matches(name, names, 1)
    return f"did you mean {like[0]}?" if like else f"it must be one of {', '.join(names)}"


def problems_in(
    error: ValidationError, *, fields: Callable[[Place], Sequence[str]], tags: Sequence[str]
) -> list[Problem]:
    """What pydantic found wrong, as problems.

    Args:
        error: pydantic's.
        fields: what may stand at a place, by name.
        tags: what pydantic puts into places to tell the members of a union apart.
    """
    found: list[Problem] = []
    for one in error.errors(include_url=False):
        place = tuple(key for key in one["loc"] if key not in tags)
        context = one.get("ctx") or {}
        if one["type"] == PROBLEMS:
            where = f"{told(place).rstrip(': ')}: " if place else ""
            found += [Problem((*place, *at), where + text) for at, text in context["problems"]]
        else:
            found.append(Problem(place, _in_words(one, place, fields)))
    return [one for one in found if not _is_misspelt(one, found)]


def _is_misspelt(missing: Problem, found: Sequence[Problem]) -> bool:
    """Whether what is missing is there, but for a letter, as another problem says."""
    wanted = f"did you mean {missing.place[-1]}?" if missing.place else ""
    around = [one for one in found if one.place[:-1] == missing.place[:-1] and one is not missing]
    gone = missing.text.endswith(" is missing")
    return gone and any(one.text.endswith(wanted) for one in around)


def _in_words(one: Any, place: Place, fields: Callable[[Place], Sequence[str]]) -> str:
    kind, got, where = one["type"], one["input"], told(place)
    if kind == "extra_forbidden":
        around = told(place[:-1]) or "the policy"
        known = close_to(str(place[-1]), fields(place[:-1]))
        return f"{around.rstrip(': ')} has no {place[-1]!r}: {known}"
    if kind == "missing":
        return f"{where} is missing"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        known = ", ".join(fields(place))
        return f"{where or 'the policy'} must be a mapping{known and f' of {known}'}, got {got!r}"
    if kind == "too_short":
        return f"{where} must not be empty"
    if kind == "union_tag_not_found":
        return f"{where} must be the name of a model, or a technique with its model, got {got!r}"
    if kind == "value_error":
        return f"{where.rstrip(': ')}: {str(one['msg']).removeprefix('Value error, ')}"
    reason = str(one["msg"]).removeprefix("Input ").replace("should ", "must ", 1)
    reason = reason.replace(
        "a valid integer, unable to parse string as an integer", "a whole number"
    )
    return f"{where} {reason}, got {got!r}"
