"""`tscale report`: a benchmark to be looked at."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tscale_graph.cli.finishing import complain
from tscale_graph.cli.main import COMPLETE, FAILED, WRONG_USE
from tscale_graph.recordings.outcomes import Outcome, read_outcomes
from tscale_graph.reporting.writing import write_report


def report_command(asked: argparse.Namespace) -> int:
    """Write the report that was asked for; returns the exit status."""
    try:
        outcomes = list(_outcomes(asked.outcomes))
    except (ValueError, OSError) as error:
        return complain(error, WRONG_USE)
    given = {"title": asked.title} if asked.title else {}
    try:
        summary = write_report(
            outcomes, asked.out, highlight=asked.highlight or (), seed=asked.seed, **given
        )
    except ValueError as error:
        return complain(error, WRONG_USE)
    except OSError as error:
        return complain(error, FAILED)
    for finding in summary.findings:
        print(f"- {finding}")
    print(Path(asked.out) / "report.html", file=sys.stderr)
    return COMPLETE


def _outcomes(files: Sequence[str]) -> Iterator[Outcome]:
    """The outcomes of all files; ValueError where two have the same."""
    seen: dict[tuple[str, str, str, int], str] = {}
    for file in files:
        for one in read_outcomes(file):
            if one.key in seen:
                raise ValueError(
                    f"{file}: {one.setting!r} on question {one.id!r} of {one.task_class}, run "
                    f"{one.run}, is in {seen[one.key]} too"
                )
            seen[one.key] = file
            yield one
