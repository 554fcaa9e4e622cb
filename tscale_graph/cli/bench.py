"""`tscale bench`: techniques and policies on a file of questions, side by side."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tscale_graph.bench import Benched, abench
from tscale_graph.bench.learning import as_question
from tscale_graph.budget import Budget
from tscale_graph.classifying import check_classifier
from tscale_graph.cli.contenders import contenders
from tscale_graph.cli.finishing import complain, finished
from tscale_graph.cli.main import COMPLETE, CUT_OFF, FAILED, WRONG_USE
from tscale_graph.cli.record import QuestionsBar
from tscale_graph.cli.solve import read_budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.classes import ClassFile, read_classes, read_recorded_classes
from tscale_graph.recordings.questions import Question, read_examples

_OPTIONS = (
    "runs",
    "max_parallel",
    "temperature",
    "max_output_tokens",
    "answer",
    "system",
    "seed",
)


def bench_command(asked: argparse.Namespace) -> int:
    """Run what was asked for; returns the exit status."""
    try:
        questions, model = asked_questions(asked)
        given: dict[str, Any] = {
            **asked_options(asked, _OPTIONS),
            "contenders": contenders(asked.tried),
            "budget": read_budget(asked.budget),
            "request": asked_request(asked),
            "classifier": asked.classify and check_classifier(asked.classify),
        }
    except (ValueError, OSError, ImportError) as error:
        return complain(error, WRONG_USE)
    with QuestionsBar("running", timed=True, of="runs") as bar:

        def show(state: Benched) -> None:
            failed = f", {state.failed} failed" if state.failed else ""
            bar.show(state.done, state.wanted, f"{state.usage.tokens:,} tokens{failed}")

        done = finished(
            lambda: abench(questions, out=asked.out, model=model, on_progress=show, **given),
            model=model,
        )
    if isinstance(done, int):
        return done
    print(_summary(done, asked.out), file=sys.stderr)
    if done.error is not None:
        return complain(f"{done.failed} runs failed, the last: {done.error}", FAILED)
    return CUT_OFF if done.cut_off_by else COMPLETE


def asked_questions(asked: argparse.Namespace) -> tuple[list[Question], str | Askable]:
    """The questions, and the model that is asked them: with --replay, what it said already.

    Raises:
        ValueError: in one line, for a file that does not hold them.
        OSError: when one cannot be read.
    """
    files = [ClassFile.of(text) for text in asked.questions]
    if not asked.replay:
        return read_classes(files, field=asked.class_field), asked.model or "local"
    if asked.model is not None:
        raise ValueError("--replay plays the recorded model, so give no --model")
    recorded = read_recorded_classes(files, field=asked.class_field)
    if not recorded:
        raise ValueError(f"{asked.questions[0]}: no questions")
    questions = [as_question(question) for question in recorded]
    return questions, ReplayModel(questions=tuple(recorded))


def asked_request(asked: argparse.Namespace) -> Budget | None:
    """The budget of each request, where one is given.

    Raises:
        ValueError: in one line, when it is no budget.
    """
    if asked.request is None:
        return None
    try:
        return read_budget(asked.request)
    except ValueError as error:
        raise ValueError(str(error).replace("--budget", "--request")) from None


def asked_options(asked: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """What was given of some options, the verifier and the examples among them.

    Raises:
        ValueError: for a file of examples that holds something else.
        OSError: when it cannot be read.
    """
    given = {name: getattr(asked, name) for name in names}
    given |= {
        "verifier": asked.verify,
        "shown": asked.shown,
        "examples": read_examples(asked.examples) if asked.examples else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _summary(done: Benched, out: str) -> str:
    cut = f", cut off by {done.cut_off_by}" if done.cut_off_by else ""
    spent = f"{done.usage.tokens:,} tokens, ${done.usage.usd:.4f}"
    return f"{out}: {done.done} of {done.wanted} runs{cut}; this time: {spent}"
