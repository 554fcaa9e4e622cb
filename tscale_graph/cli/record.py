"""`tscale record`: many samples of each of many questions, for evaluation without a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tscale_graph.cli.finishing import Done, complain, finished
from tscale_graph.cli.main import COMPLETE, CUT_OFF, WRONG_USE
from tscale_graph.cli.solve import read_budget
from tscale_graph.recordings.questions import read_examples, read_questions
from tscale_graph.recordings.recorder import Recorded, arecord

_LINES = 20
"""About so many lines at most say how far it is, where there is no terminal."""
_OPTIONS = ("model", "samples", "temperature", "max_output_tokens", "answer", "system", "seed")


def record_command(asked: argparse.Namespace) -> int:
    """Record; returns the exit status."""
    with QuestionsBar("recording", timed=True) as bar:

        def show(recorded: Recorded) -> None:
            bar.show(recorded.questions, recorded.wanted, f"{recorded.usage.tokens:,} tokens")

        recorded = run_on_questions(asked, arecord, _OPTIONS, show)
    if isinstance(recorded, int):
        return recorded
    print(_summary(recorded, asked.out), file=sys.stderr)
    return CUT_OFF if recorded.cut_off_by else COMPLETE


def run_on_questions(
    asked: argparse.Namespace,
    run: Callable[..., Coroutine[Any, Any, Done]],
    options: Sequence[str],
    show: Callable[[Any], None],
) -> Done | int:
    """Do something with every question of a file, within a budget.

    Args:
        asked: on the command line.
        run: does it: `arecord` or `alabel`.
        options: of these, what was given is passed on.
        show: is told how it stands.

    Returns:
        What it came to, or the exit status where it came to nothing; why was told.
    """
    try:
        questions = read_questions(asked.questions)
        budget = read_budget(asked.budget)
        examples = read_examples(asked.examples) if asked.examples else []
    except (ValueError, OSError) as error:
        return complain(error, WRONG_USE)
    given = {name: getattr(asked, name) for name in options}
    return finished(
        lambda: run(
            questions,
            asked.out,
            budget=budget,
            verifier=asked.verify,
            examples=examples,
            shown=asked.shown,
            on_progress=show,
            **{name: value for name, value in given.items() if value is not None},
        ),
        model=asked.model or "local",
    )


class QuestionsBar:
    """A bar at a terminal, a line now and then elsewhere.

    Args:
        doing: what is done.
        timed: say how long it may still take.
        of: what is counted.
    """

    def __init__(self, doing: str, *, timed: bool = False, of: str = "questions") -> None:
        self._of = of
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            *([TimeRemainingColumn()] if timed else []),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, told="")
        self._shown = False
        self._lines = 0
        self._told = -1

    def __enter__(self) -> QuestionsBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, total: int, told: str) -> None:
        """Show how far it is.

        Args:
            done: questions.
            total: questions that there are.
            told: what it has cost, and what is left.
        """
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total, told=told)
        elif done != self._told and (done or self._shown):
            # Not a line for each of thousands.
            step = done * _LINES // max(1, total)
            if done == total or total <= _LINES or step > self._lines:
                told = f", {told}" if told else ""
                print(f"{done} of {total} {self._of}{told}", file=sys.stderr, flush=True)
                self._told = done
            self._lines = step
        self._shown = True


def _summary(recorded: Recorded, out: str) -> str:
    cut = f", cut off by {recorded.cut_off_by}" if recorded.cut_off_by else ""
    return (
        f"{out}: {recorded.questions} of {recorded.wanted} questions{cut}; this run: "
        f"{recorded.samples} samples, {recorded.usage.tokens:,} tokens, ${recorded.usage.usd:.4f}"
    )
