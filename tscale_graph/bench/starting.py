"""What is settled before the first run: who runs, with which budgets, and what is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tscale_graph.bench.building import Graph, own_budget
from tscale_graph.bench.purse import COUNTED
from tscale_graph.budget import Budget
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.files import check_place, drop_unfinished_line
from tscale_graph.recordings.outcomes import (
    Contender,
    append_contender,
    read_contenders,
    read_outcomes,
)
from tscale_graph.recordings.questions import Question

ALL = "all"
"""The class of questions that name none."""
Job = tuple[Question, str, int]
"""A question, the name of a setting, and the repetition."""


def key_of(job: Job) -> tuple[str, str, str, int]:
    """What its outcome is an outcome of: class, question, setting and run."""
    question, setting, repetition = job
    return question.task_class or ALL, question.id, setting, repetition


def begin(out: Path, who: Sequence[Contender]) -> set[tuple[str, str, str, int]]:
    """Make a file ready, and say what it has: class, question, setting and run of each outcome.

    Raises:
        ValueError: when it cannot be written, or another contender of the same name ran.
    """
    check_place(out)
    drop_unfinished_line(out)
    there: set[tuple[str, str, str, int]] = set()
    known: dict[str, Contender] = {}
    if out.exists():
        known = read_contenders(out)
        there = {outcome.key for outcome in read_outcomes(out)}
    for one in who:
        before = known.get(one.setting)
        if before is None:
            append_contender(out, one)
        elif before.model_dump(mode="json") != one.model_dump(mode="json"):
            raise ValueError(
                f"{out} has outcomes of another {one.setting!r}: give this one another name, or "
                f"another file (it differs in {', '.join(_differing(before, one))})"
            )
    return there


def _differing(one: Contender, other: Contender) -> list[str]:
    first, second = one.model_dump(mode="json"), other.model_dump(mode="json")
    return [name for name in first if first[name] != second[name]]


def request_budgets(
    contenders: Mapping[str, Recipe | Policy | Graph], request: Budget | None, whole: Budget
) -> dict[str, Budget]:
    """The budget of a request, by the names of the settings.

    Raises:
        ValueError: when there is none.
    """
    if request is not None:
        return dict.fromkeys(contenders, request)
    found: dict[str, Budget] = {}
    for setting, what in contenders.items():
        own = own_budget(what)
        if own is None:
            raise ValueError(
                f"{setting} has no budget of its own: say what each request may cost "
                "(request=, or --request)"
            )
        for limit in COUNTED:
            if getattr(whole, limit) is not None and getattr(own, limit) is None:
                raise ValueError(
                    f"the whole has a limit on {limit} and the requests of {setting} have none: "
                    "say what each request may cost (request=, or --request)"
                )
        found[setting] = own
    return found


def check_arguments(
    questions: Sequence[Question],
    contenders: Mapping[str, Recipe | Policy | Graph],
    *,
    runs: int,
    max_parallel: int,
) -> None:
    """Refuse numbers that are too small, and nothing to run.

    Raises:
        ValueError: in one line.
    """
    for name, value in (("runs", runs), ("max_parallel", max_parallel)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    for name, given in (("questions", questions), ("contenders", contenders)):
        if not given:
            raise ValueError(f"{name} must hold at least one, got none")
    if (none := next((name for name in contenders if not name), None)) is not None:
        raise ValueError(f"each contender must have a name, got {none!r}")
