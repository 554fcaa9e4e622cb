"""What one run made of one question: for runs on a real model, whatever the technique.

A benchmark writes one line a run, so that it can be stopped and go on; `tscale_graph.tuning` puts
the lines beside what was replayed from recorded samples. A line that says who ran comes before
the first of its runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.files import append_line, json_lines
from tscale_graph.validation import first_problem

_Name = Annotated[str, Field(min_length=1)]


class Contender(BaseModel):
    """Who ran under the name of a setting, and how it was asked.

    Attributes:
        setting: the name.
        recipe: a technique with what it is given, or None.
        policy: what is done with each class, or None; of a graph of the user's own both are None.
        model: the name of the model that was given to the whole.
        request: the budget of each request, or None where each brought its own.
        sampling: what else the whole was given, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: _Name
    recipe: Recipe | None = None
    policy: Policy | None = None
    model: str = ""
    request: Budget | None = None
    sampling: dict[str, Any] = {}


class Outcome(BaseModel):
    """One run of one setting on one question.

    Attributes:
        id: names the question in its file.
        task_class: the class of task that the question stands for.
        setting: the name of the setting: a technique with its arguments.
        run: 0, 1, 2, … where the same setting ran on the same question more than once.
        question: what was asked, or "" where only the id is kept.
        gold: the right answer, where it is known.
        answer: what the run answered, or None when it came to none.
        correct: the answer is right: the gold answer, or passed by the question's verifier.
        status: "complete"; "cut_off" by the budget; "failed" when the run raised.
        cut_off_by: the limit that cut it off, or None.
        usage: what the run cost, `seconds` by the clock.
        route: the class that a router served it as, or None without one.
        votes: how many samples gave each answer, most first; empty where that is not known.
        error: one line when the run raised, or None.
        notes: what the run said of itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Name
    task_class: _Name
    setting: _Name
    run: int = Field(default=0, ge=0)
    question: str = ""
    gold: str | None = None
    answer: str | None = None
    correct: bool
    status: Literal["complete", "cut_off", "failed"] = "complete"
    cut_off_by: Limit | None = None
    usage: Usage
    route: str | None = None
    votes: dict[str, int] = {}
    error: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What it is an outcome of: class, question, setting and run."""
        return self.task_class, self.id, self.setting, self.run


def read_outcomes(path: str | os.PathLike[str]) -> Iterator[Outcome]:
    """The outcomes of a file, one after the other.

    Args:
        path: a file of JSON lines, gzipped if its name ends in ".gz".

    Raises:
        ValueError: for a line that is no outcome, or one that was there before; in one line, with
            file and number.
        OSError: when the file cannot be read.
    """
    seen: set[tuple[str, str, str, int]] = set()
    for where, line in _lines(path):
        if isinstance(line, Contender):
            continue
        outcome = line
        if outcome.key in seen:
            raise ValueError(
                f"{where}: {outcome.setting!r} on question {outcome.id!r} of {outcome.task_class}, "
                f"run {outcome.run}, was there before"
            )
        seen.add(outcome.key)
        yield outcome


def read_contenders(path: str | os.PathLike[str]) -> dict[str, Contender]:
    """Who ran, by the names of their settings.

    Raises:
        ValueError: for a line that is neither that nor an outcome.
        OSError: when the file cannot be read.
    """
    lines = (line for _, line in _lines(path) if isinstance(line, Contender))
    return {contender.setting: contender for contender in lines}


def append_outcome(path: str | os.PathLike[str], outcome: Outcome) -> None:
    """Add an outcome to the end of a file, and make sure that it is on the disk.

    `files.drop_unfinished_line` cuts off what a killed run left half-written, and the keys of
    `read_outcomes` say what need not run again.
    """
    append_line(path, outcome)


def append_contender(path: str | os.PathLike[str], contender: Contender) -> None:
    """Add who is about to run to the end of a file."""
    append_line(path, _Line(contender=contender))


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contender: Contender


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[str, Outcome | Contender]]:
    """Each line with where it stands."""
    for number, line in json_lines(Path(path)):
        where = f"{path}, line {number}"
        try:
            if line.startswith('{"contender":'):
                yield where, _Line.model_validate_json(line).contender
            else:
                yield where, Outcome.model_validate_json(line)
        except ValidationError as error:
            raise ValueError(f"{where}: {first_problem(error)}") from None
