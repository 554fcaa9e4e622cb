"""Watching a run: samples as they arrive, the vote so far, and the budget left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tscale_graph.answers import AnswerKind, pick_answer_kind
from tscale_graph.budget import LIMITS, Budget, Usage
from tscale_graph.candidates import Candidate, Result, Tally
from tscale_graph.votes import choose, read_answers

_ANSWERS_SHOWN = 6
_SAMPLES_SHOWN = 6
_BAR = 24


class Watcher(Protocol):
    """Somebody who watches a run."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def saw(self, candidate: Candidate) -> None:
        """A sample has arrived."""
        ...

    def conclude(self, result: Result) -> None:
        """The run is over."""
        ...


def watcher(
    question: str, budget: Budget | None, *, kind: AnswerKind | None = None, quiet: bool = False
) -> Watcher:
    """A live display on a terminal, plain lines elsewhere, nothing when quiet.

    Args:
        question: that is asked.
        budget: of the run; None where that is told later, by the class of the task.
        kind: how answers are read; None decides from the question and the samples.
        quiet: show nothing.
    """
    console = Console(stderr=True)
    if quiet:
        return Plain(Console(quiet=True))
    if console.is_terminal:
        return Terminal(question, budget, console=console, kind=kind)
    return Plain(console)


class Plain:
    """One line for each sample, on standard error; the answer on standard output."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to tidy up."""

    def saw(self, candidate: Candidate) -> None:
        """Print the sample in one line."""
        self._console.print(_line(candidate), soft_wrap=True)

    def conclude(self, result: Result) -> None:
        """Print the answer, how sure it is and what it cost."""
        print_result(result, self._console)


class Terminal:
    """A display that is redrawn as samples arrive."""

    def __init__(
        self,
        question: str,
        budget: Budget | None,
        *,
        console: Console,
        kind: AnswerKind | None = None,
    ) -> None:
        self._question = question
        self._budget = budget
        self._console = console
        self._kind = kind
        self._candidates: list[Candidate] = []
        self._began = time.monotonic()
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            refresh_per_second=8,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the display away again."""
        self._live.stop()

    def saw(self, candidate: Candidate) -> None:
        """Add the sample to the display."""
        self._candidates.append(candidate)

    def conclude(self, result: Result) -> None:
        """Print the vote, the answer, how sure it is and what it cost."""
        if len(result.votes) > 1:
            self._console.print(draw_votes(result.votes))
        print_result(result, self._console)

    def _draw(self) -> RenderableType:
        texts = [c.text for c in self._candidates if not c.error]
        kind = self._kind or pick_answer_kind(self._question, texts)
        candidates = read_answers(self._candidates, kind)
        choice = choose(candidates, kind, select="majority")
        spent = Usage.total(c.usage for c in candidates)
        seconds = time.monotonic() - self._began
        spent = spent.model_copy(update={"seconds": seconds})
        samples = [_line(candidate) for candidate in candidates[-_SAMPLES_SHOWN:]]
        waiting = Text("sampling …" if candidates else "asking the model …", style="dim")
        return Group(
            Text(_short(self._question, 400), style="bold", no_wrap=True, overflow="ellipsis"),
            *samples,
            waiting,
            draw_votes(choice.tallies),
            *([] if self._budget is None else [draw_budget(self._budget, spent)]),
        )


def draw_votes(tallies: Sequence[Tally]) -> Table:
    """A bar for each answer in the running, best first."""
    of = sum(tally.count for tally in tallies)
    table = Table(box=None, show_header=False, pad_edge=False)
    for place, tally in enumerate(tallies[:_ANSWERS_SHOWN]):
        filled = round(_BAR * tally.count / of)
        bar = Text("█" * filled + "·" * (_BAR - filled), style="green" if place == 0 else "dim")
        table.add_row(Text(_short(tally.answer, 30), no_wrap=True), bar, f"{tally.count} of {of}")
    if len(tallies) > _ANSWERS_SHOWN:
        table.add_row(Text(f"and {len(tallies) - _ANSWERS_SHOWN} more answers", style="dim"))
    return table


def draw_budget(budget: Budget, spent: Usage) -> Table:
    """What is left of each limit."""
    remaining = budget.remaining(spent)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name in LIMITS:
        limit, left = getattr(budget, name), getattr(remaining, name)
        if limit is None:
            continue
        filled = round(_BAR * left / limit)
        bar = Text("█" * filled + "·" * (_BAR - filled), style="cyan" if left else "red")
        table.add_row(f"{name} left", bar, f"{_amount(name, left)} of {_amount(name, limit)}")
    return table


def print_result(result: Result, console: Console) -> None:
    """The answer on standard output; how sure it is and what it cost beside it."""
    console.print()
    if result.answer is not None:
        # The answer alone goes to standard output, so that a shell can use it.
        print(result.answer, flush=True)
    elif result.text:
        console.print(Text(_printable(_short(result.text, 400))))
    for line in summary(result):
        console.print(Text(_printable(line), style="dim"), soft_wrap=True)


def summary(result: Result) -> list[str]:
    """How sure the answer is, what it cost against one pass, and what there is to note."""
    usage, count = result.usage, len(result.candidates)
    lines: list[str] = []
    if result.verdict is not None:
        passed = {True: "passed", False: "failed", None: "scored"}[result.verdict.passed]
        feedback = f": {result.verdict.feedback}" if result.verdict.feedback else ""
        lines.append(f"verdict: {passed}, {result.verdict.score:.2f}{feedback}")
    if result.agreement is not None:
        votes = sum(tally.count for tally in result.votes)
        asked = "rung" if result.technique == "cascade" else "sample"
        asked += "" if count == 1 else "s"
        lines.append(f"agreement: {result.agreement:.0%} of {votes} answers ({count} {asked})")
    cost = f"${usage.usd:.6f}, " if usage.usd else ""
    lines.append(
        f"cost: {usage.tokens:,} tokens in {usage.calls} calls, {cost}{usage.seconds:.1f} s"
        + _against_one_pass(result, count)
    )
    if result.status == "cut_off":
        lines.append(f"cut off by {result.cut_off_by}: this is the best answer so far")
    return lines + [f"note: {note}" for note in result.notes]


def _against_one_pass(result: Result, count: int) -> str:
    """How many times one pass that is, by the mean length of the samples."""
    if result.tree is not None:
        return f"; {len(result.tree.nodes) - 1} nodes"
    taken = [c for c in result.candidates if not c.error]
    if count < 2 or not taken:
        return ""
    prompts = [c.prompt_tokens for c in taken if c.prompt_tokens is not None]
    outputs = sum(c.usage.output_tokens for c in taken) / len(taken)
    prompt = max(prompts) if prompts else sum(c.usage.input_tokens for c in taken) / len(taken)
    one = outputs + prompt
    return f"; one pass is about {one:,.0f} tokens ({result.usage.tokens / one:.1f} x)"


def _line(candidate: Candidate) -> Text:
    """A sample in one line of the screen; what looks like rich's markup in it is text."""
    line = f"{candidate.index + 1:>3}  {_gist(candidate)}"
    return Text(line, no_wrap=True, overflow="ellipsis")


def _gist(candidate: Candidate) -> str:
    """A sample in one line."""
    if candidate.error:
        return f"failed: {candidate.error}"
    cut = " (cut short)" if candidate.truncated else ""
    return _short(candidate.text, 100) + cut


def _short(text: str, width: int) -> str:
    line = _printable(" ".join(text.split()))
    return line if len(line) <= width else line[: width - 1] + "…"


def _printable(text: str) -> str:
    """Without control characters: a model could write those that move a terminal's cursor."""
    return "".join(char for char in text if char.isprintable())


def _amount(name: str, value: float) -> str:
    return {"usd": f"${value:.4f}", "seconds": f"{value:.0f} s"}.get(name, f"{value:,.0f}")
