"""`tscale prm label`: what the steps of solutions are worth, by rollouts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import timedelta
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import SamplingError
from tscale_graph.cli.main import COMPLETE, CUT_OFF, FAILED, WRONG_USE
from tscale_graph.cli.record import QuestionsBar, complain
from tscale_graph.cli.solve import fetch_weights, read_budget
from tscale_graph.models.failures import one_line
from tscale_graph.models.weights import LocalModelError
from tscale_graph.recordings.labeller import LabelledSoFar, alabel
from tscale_graph.recordings.questions import read_examples, read_questions

_OPTIONS = (
    "model", "solutions", "labels", "steps", "continuation", "temperature", "max_output_tokens",
    "max_parallel", "answer", "system", "seed",
)  # fmt: skip


def label_command(asked: argparse.Namespace) -> int:
    """Label; returns the exit status."""
    try:
        questions = read_questions(asked.questions)
        budget = read_budget(asked.budget)
        examples = read_examples(asked.examples) if asked.examples else []
    except (ValueError, OSError) as error:
        return complain(error, WRONG_USE)
    try:
        fetch_weights(asked.model or "local")
    except LocalModelError as error:
        return complain(error, FAILED)
    given = {name: getattr(asked, name) for name in _OPTIONS}
    arguments: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    with QuestionsBar("labelling") as bar:

        def show(state: LabelledSoFar) -> None:
            tokens, left = state.usage.tokens, expected(state.left)
            bar.show(state.questions, state.wanted, f"{tokens:,} tokens{left}")

        labelling = alabel(
            questions,
            asked.out,
            budget=budget,
            verifier=asked.verify,
            examples=examples,
            shown=asked.shown,
            on_progress=show,
            **arguments,
        )
        try:
            labelled = asyncio.run(labelling)
        except SamplingError as error:
            return complain(error, FAILED)
        except (ValueError, ImportError, OSError) as error:
            return complain(error, WRONG_USE)
        except Exception as error:  # noqa: BLE001 - a person at a terminal gets a line, not a trace
            return complain(one_line(error), FAILED)
    for note in labelled.notes:
        print(f"tscale: {note}", file=sys.stderr)
    print(_summary(labelled, asked.out), file=sys.stderr)
    if labelled.cut_off_by:
        return CUT_OFF
    return COMPLETE if labelled.questions == labelled.wanted else FAILED


def expected(left: Usage | None) -> str:
    """What is left to spend, in words; nothing before anything is known.

    >>> expected(Usage(input_tokens=800_000, output_tokens=200_000, usd=1.5, seconds=90))
    ', about 0:01:30, 1,000,000 tokens and $1.50 left'
    """
    if left is None:
        return ""
    time = timedelta(seconds=round(left.seconds))
    money = f" and ${left.usd:.2f}" if left.usd else ""
    return f", about {time}, {left.tokens:,} tokens{money} left"


def _summary(labelled: LabelledSoFar, out: str) -> str:
    cut = f", cut off by {labelled.cut_off_by}" if labelled.cut_off_by else ""
    return (
        f"{out}: {labelled.questions} of {labelled.wanted} questions{cut}; this run: "
        f"{labelled.completions} completions, {labelled.usage.tokens:,} tokens, "
        f"${labelled.usage.usd:.4f}"
    )
