"""How much in parallel and how much in sequence, on recorded chains of the embedded model.

    python -m tests.benchmarks.ratio [--keep]

For three budgets, in tokens of a question, and each class of difficulty: the best ratio of chains
to revisions, and how often it is right on questions that had no part in choosing it, next to chains
without revisions and to one chain with revisions that cost as many tokens. Where two numbers of
chains lie around that cost, they are mixed; where even the most that was recorded costs less, it is
the most. Each answer pays for its prompt, as at a provider that gives one completion a request.
No model runs: the recording is kept, and `tests.recordings.revisions` makes it. `--keep` writes the
table to the manual.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from tests.benchmarks.results import between
from tests.recordings.revisions import FILE
from tscale_graph.recordings.chains import RecordedChains
from tscale_graph.recordings.cross_fitting import HeldOut, Table, held_out
from tscale_graph.recordings.files import read_chains
from tscale_graph.recordings.ratios import best_ratios
from tscale_graph.recordings.revising import Expected, Ratio, every_ratio

BUDGETS = (700, 1000, 1300)
PROBES, LEAST = 2, 12
MANUAL = Path(__file__).parents[2] / "docs" / "refining.md"
BEGIN, END = "<!-- ratios -->\n", "<!-- end of ratios -->\n"


@dataclass(frozen=True)
class Row:
    """One class of difficulty at one budget, or all classes together.

    Attributes:
        budget: tokens of a question, in the mean.
        name: of the class.
        ratio: what is chosen for new questions; None where it depends on the class.
        best: what choosing comes to on questions that had no part in it.
        parallel: the same questions with chains alone, at the mean tokens of `best`.
        sequential: the same with one chain.
    """

    budget: int
    name: str
    ratio: Ratio | None
    best: HeldOut
    parallel: HeldOut
    sequential: HeldOut

    def over(self, other: HeldOut) -> HeldOut:
        """By how much choosing is right more often than another way, paired by question."""
        pairs = zip(self.best.each, other.each, strict=True)
        gains = [Expected(accuracy=a - b, tokens=0, calls=0) for a, b in pairs]
        return held_out(gains, seed=0)


def measure(questions: Sequence[RecordedChains], budget: int) -> list[Row]:
    """A row for each class, from easy to hard; then, for several, all of them together."""
    found = best_ratios(
        questions, mean_tokens=budget, probes=PROBES, min_questions=LEAST, shared_prompt=False
    )
    tables = {
        question.id: every_ratio(question, but_first=PROBES, shared_prompt=False)
        for question in questions
    }
    rows: list[Row] = []
    everything: list[Table] = []
    for each in found.classes:
        own = [tables[one] for one in each.ids]
        everything += own
        rows.append(
            _row(budget, _named(each.begins, each.ends), each.chosen.ratio, each.held_out, own)
        )
    if len(rows) == 1:
        return rows
    return [
        *rows,
        _row(budget, "all, by difficulty", None, found.held_out, everything),
        _row(budget, "all, one ratio", None, found.one_for_all, everything),
    ]


def at_cost(tables: Sequence[Table], ratios: Sequence[Ratio], tokens: float) -> HeldOut:
    """Ratios mixed by a coin so that they cost so many tokens in the mean, or the nearest there is.

    Args:
        tables: of the questions.
        ratios: to mix two neighbours of, by their cost.
        tokens: of a question, in the mean.
    """
    costs = {ratio: fmean(table[ratio].tokens for table in tables) for ratio in ratios}
    ordered = sorted(ratios, key=lambda ratio: costs[ratio])
    below = max((r for r in ordered if costs[r] <= tokens), key=costs.get, default=ordered[0])
    above = min((r for r in ordered if costs[r] > tokens), key=costs.get, default=below)
    apart = costs[above] - costs[below]
    share = min(1.0, max(0.0, (tokens - costs[below]) / apart)) if apart > 0 else 0.0
    mixed = [
        Expected(
            accuracy=(1 - share) * table[below].accuracy + share * table[above].accuracy,
            tokens=(1 - share) * table[below].tokens + share * table[above].tokens,
            calls=(1 - share) * table[below].calls + share * table[above].calls,
        )
        for table in tables
    ]
    return held_out(mixed, seed=0)


def printed(rows: Sequence[Row]) -> str:
    """The rows as a table of the manual."""
    lines = [
        "| tokens | difficulty | questions | chains × revisions | right (95 % interval), tokens "
        "| in parallel, tokens | in sequence, tokens |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        best = row.best
        lines.append(
            f"| {row.budget} | {row.name} | {len(best.each)} | {row.ratio or '–'} "
            f"| {_percent(best.accuracy)} ({_percent(best.low)}–{_percent(best.high)}), "
            f"{best.tokens:.0f} | {_percent(row.parallel.accuracy)}, {row.parallel.tokens:.0f} "
            f"| {_percent(row.sequential.accuracy)}, {row.sequential.tokens:.0f} |"
        )
    return "\n".join(lines) + "\n"


def gains(rows: Sequence[Row]) -> str:
    """What choosing by difficulty, and choosing at all, gains at each budget."""
    lines: list[str] = []
    for row in rows:
        if not row.name.startswith(("all", "every")):
            continue
        said = []
        for name, other in (("parallel", row.parallel), ("sequence", row.sequential)):
            gain = row.over(other)
            said.append(
                f"{gain.accuracy * 100:+.1f} points over all in {name} "
                f"({gain.low * 100:+.1f} to {gain.high * 100:+.1f})"
            )
        lines.append(f"- {row.budget} tokens, {row.name}: {', '.join(said)}")
    return "\n".join(lines) + "\n"


def report(questions: Sequence[RecordedChains]) -> str:
    """All that the manual shows."""
    rows = [row for budget in BUDGETS for row in measure(questions, budget)]
    return f"{printed(rows)}\n{gains(rows)}"


def kept_in(manual: str, text: str) -> str:
    """The manual with this text where its figures are marked."""
    return between(BEGIN, END, text, page=manual)


def _row(budget: int, name: str, ratio: Ratio | None, best: HeldOut, own: Sequence[Table]) -> Row:
    parallel = [ratio for ratio in own[0] if ratio.revisions == 0]
    sequential = [ratio for ratio in own[0] if ratio.chains == 1]
    return Row(
        budget=budget,
        name=name,
        ratio=ratio,
        best=best,
        parallel=at_cost(own, parallel, best.tokens),
        sequential=at_cost(own, sequential, best.tokens),
    )


def _named(begins: float | None, ends: float | None) -> str:
    if begins is None:
        return "every" if ends is None else f"below {ends:.2f}"
    return f"from {begins:.2f}" if ends is None else f"{begins:.2f} to {ends:.2f}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write the table to the manual")
    asked = parser.parse_args()
    text = report(list(read_chains(FILE)))
    sys.stdout.write(text)
    if asked.keep:
        MANUAL.write_text(kept_in(MANUAL.read_text(), text))
