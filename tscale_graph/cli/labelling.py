"""`tscale prm label`: what the steps of solutions are worth, by rollouts."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from tscale_graph.budget import Usage
from tscale_graph.cli.main import COMPLETE, CUT_OFF, FAILED
from tscale_graph.cli.record import QuestionsBar, run_on_questions
from tscale_graph.recordings.labeller import LabelledSoFar, alabel

_OPTIONS = (
    "model", "solutions", "labels", "steps", "continuation", "temperature", "max_output_tokens",
    "max_parallel", "answer", "system", "seed",
)  # fmt: skip


def label_command(asked: argparse.Namespace) -> int:
    """Label; returns the exit status."""
    with QuestionsBar("labelling") as bar:

        def show(state: LabelledSoFar) -> None:
            tokens, left = state.usage.tokens, expected(state.left)
            bar.show(state.questions, state.wanted, f"{tokens:,} tokens{left}")

        labelled = run_on_questions(asked, alabel, _OPTIONS, show)
    if isinstance(labelled, int):
        return labelled
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
