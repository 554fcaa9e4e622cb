"""`tscale tune`: a policy learnt from a file of questions, and what to expect of it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tscale_graph.bench.learning import Learning, Learnt, alearn
from tscale_graph.cli.bench import asked_options, asked_questions, asked_request
from tscale_graph.cli.contenders import contenders
from tscale_graph.cli.finishing import complain, finished
from tscale_graph.cli.main import COMPLETE, CUT_OFF, FAILED, WRONG_USE
from tscale_graph.cli.record import QuestionsBar
from tscale_graph.cli.solve import read_budget
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.files import check_place
from tscale_graph.tuning.results import ClassChoice, Tuned

_OPTIONS = (
    "samples",
    "max_parallel",
    "temperature",
    "max_output_tokens",
    "answer",
    "system",
    "seed",
    "default_class",
)
_AIM = ("mean_tokens", "mean_calls", "mean_usd", "accuracy", "cost", "caution")
_COUNTED = {"sampling": "questions", "running": "runs", "measuring": "classes"}


def tune_command(asked: argparse.Namespace) -> int:
    """Learn the policy that was asked for; returns the exit status."""
    out = Path(asked.out)
    try:
        check_place(out)
        questions, model = asked_questions(asked)
        given: dict[str, Any] = {
            **asked_options(asked, _OPTIONS),
            "contenders": _techniques(asked.tried or ()),
            "request": asked_request(asked),
            "budget": None if asked.replay else read_budget(asked.budget),
            "aim": _aim(asked),
            **({"waves": _waves(asked.waves)} if asked.waves else {}),
        }
    except (ValueError, OSError, ImportError) as error:
        return complain(error, WRONG_USE)
    keep = Path(asked.keep) if asked.keep else out.with_suffix(".runs")
    with _Stages() as stages:
        learnt = finished(
            lambda: alearn(questions, keep, model=model, on_progress=stages.show, **given),
            model=model,
        )
    if isinstance(learnt, int):
        return learnt
    try:
        _save(learnt, out, keep, questions=len(questions))
    except OSError as error:
        return complain(error, FAILED)
    if asked.json:
        print(learnt.tuned.model_dump_json(indent=2))
    else:
        _show(learnt, out)
    return CUT_OFF if learnt.cut_off_by else COMPLETE


def _techniques(tried: Any) -> dict[str, Recipe]:
    found = contenders(tried)
    for name, what in found.items():
        if isinstance(what, Policy):
            raise ValueError(f"--try {name}: tune takes techniques; tscale bench takes policies")
    return {name: what for name, what in found.items() if isinstance(what, Recipe)}


def _aim(asked: argparse.Namespace) -> dict[str, Any]:
    aim = {name: getattr(asked, name) for name in _AIM}
    aim["shares"] = _shares(asked.shares) if asked.shares else None
    return {name: value for name, value in aim.items() if value is not None}


def _waves(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--waves takes whole numbers joined by commas, got {text!r}") from None


def _shares(text: str) -> dict[str, float]:
    """The traffic's shares from "easy=3,hard=1".

    >>> _shares("easy=3, hard=1")
    {'easy': 3.0, 'hard': 1.0}
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition("=")
        try:
            found[name] = float(share)
        except ValueError:
            raise ValueError(
                f"--shares takes CLASS=NUMBER joined by commas, got {part!r}"
            ) from None
    return found


class _Stages:
    """A bar for one stage after the other."""

    def __init__(self) -> None:
        self._bar: QuestionsBar | None = None
        self._stage = ""

    def __enter__(self) -> _Stages:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def show(self, state: Learning) -> None:
        """Show how far it is."""
        if state.stage != self._stage or self._bar is None:
            self.__exit__()
            self._stage = state.stage
            self._bar = QuestionsBar(state.stage, timed=True, of=_COUNTED[state.stage])
            self._bar.__enter__()
        spent = f"{state.usage.tokens:,} tokens" if state.usage.tokens else ""
        self._bar.show(state.done, state.wanted, spent)


def _save(learnt: Learnt, out: Path, keep: Path, *, questions: int) -> None:
    """Write the policy, and beside what was measured all that was found."""
    text = learnt.policy.text(as_json=out.suffix.lower() == ".json")
    if out.suffix.lower() != ".json":
        expected = learnt.tuned.expected
        head = [
            f"Learnt by tscale tune on {datetime.now(UTC):%Y-%m-%d} from {questions} questions.",
            f"On new questions like them: {_percent(expected.accuracy)} right, "
            f"{_amount(expected.cost, learnt.tuned.cost)} {learnt.tuned.cost} a request.",
        ]
        text = "".join(f"# {line}\n" for line in head) + text
    out.write_text(text, encoding="utf-8", newline="\n")
    (keep / "tuned.json").write_text(learnt.tuned.model_dump_json(indent=2), encoding="utf-8")


def _show(learnt: Learnt, out: Path) -> None:
    """What was chosen, where the cost goes, and what may be claimed."""
    tuned = learnt.tuned
    console = Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("class", overflow="fold")
    table.add_column("questions", justify="right", no_wrap=True)
    table.add_column("setting", overflow="fold")
    for name in ("right", tuned.cost, "of all"):
        table.add_column(name, justify="right", no_wrap=True)
    for choice in tuned.classes:
        table.add_row(
            choice.name,
            str(choice.questions),
            choice.setting.name,
            f"{100 * choice.expected.accuracy.mean:.1f} %",
            _amount(choice.expected.cost, tuned.cost),
            f"{_share(choice, tuned):.0%}",
        )
    console.print(table)
    console.print()
    for note in (*tuned.notes, *learnt.notes):
        console.print(f"- {note}", highlight=False, markup=False)
    spent = f", {learnt.usage.tokens:,} tokens spent" if learnt.usage.tokens else ""
    cut = f", cut off by {learnt.cut_off_by}" if learnt.cut_off_by else ""
    print(f"{out}: {len(tuned.classes)} classes{spent}{cut}", file=sys.stderr)


def _share(choice: ClassChoice, tuned: Tuned) -> float:
    """Of the cost of all traffic, what this class takes."""
    total = tuned.expected.cost.mean
    return choice.share * choice.expected.cost.mean / total if total else 0.0


def _percent(of: Any) -> str:
    return f"{100 * of.mean:.1f} % ({100 * of.low:.1f} to {100 * of.high:.1f})"


def _amount(of: Any, cost: str) -> str:
    return (
        f"${of.mean:.4g}"
        if cost == "usd"
        else f"{of.mean:,.0f}"
        if of.mean >= 100
        else f"{of.mean:.1f}"
    )
