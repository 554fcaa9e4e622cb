"""What tuning buys, and whether it keeps its promises: on recorded samples.

    python -m tests.benchmarks.tuning [exams] [promises] [--splits 20] [--replays 20]

exams: ten exams are ten classes of task; half of the questions tune, the others test, both ways.
promises: how often the means over the other half are within what was promised, in five times as
many splits.

Never is anything chosen on a question that it is tested on. What is not there is skipped.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.stopping import recording
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.tuning.measured import Measured
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.promises import in_folds
from tscale_graph.tuning.results import Tuned
from tscale_graph.tuning.settings import Setting, default_settings, needs_prior
from tscale_graph.tuning.tuning import tune

Questions = Mapping[str, Sequence[RecordedQuestion]]
EXAMS_LIMIT = 7


@dataclass(frozen=True)
class Tested:
    """What a tuned policy came to on the questions that took no part."""

    tuned: Tuned
    accuracy: float
    calls: float
    all_samples: float


@cache
def exams() -> dict[str, list[RecordedQuestion]]:
    """The ten exams, each a class."""
    found = recording("exams")
    if isinstance(found, str):
        return {}
    classes: dict[str, list[RecordedQuestion]] = defaultdict(list)
    for question in found:
        classes[question.id.rsplit("/", 1)[0]].append(question)
    return dict(classes)


def halves(questions: Questions, *, splits: int) -> Iterator[tuple[dict, dict]]:
    """So many splits into questions to tune with and to test on; each half is both in turn."""
    names = [name for name, asked in questions.items() for _ in asked]
    every = [one for asked in questions.values() for one in asked]
    for split in range(splits):
        rng = np.random.default_rng(split // 2)
        folds = in_folds(names, folds=2, rng=rng)
        both: tuple[dict, dict] = ({}, {})
        for name, one, fold in zip(names, every, folds, strict=True):
            both[fold ^ (split % 2)].setdefault(name, []).append(one)
        yield both


class Halves:
    """Measures settings on any half: what needs no prior is measured once for all of them."""

    def __init__(
        self, questions: Questions, settings: Sequence[Setting], *, replays: int, **how: Any
    ) -> None:
        self._replays = replays
        self._how = how
        self._priced = [setting for setting in settings if needs_prior(setting)]
        plain = [setting for setting in settings if not needs_prior(setting)]
        self.plain = measure(questions, plain, replays=replays, **how)
        self._rows = {
            key: row for row, key in enumerate(zip(self.plain.classes, self.plain.ids, strict=True))
        }

    def on(self, half: Questions, priors: Mapping | None = None) -> Measured:
        """The settings on some of the questions; with these priors, or those that they show."""
        rows = [self._rows[name, one.id] for name, asked in half.items() for one in asked]
        plain = self.plain.only(rows)
        if not self._priced:
            return plain
        priced = measure(half, self._priced, replays=max(1, self._replays // 3), priors=priors,
                         **self._how)  # fmt: skip
        return plain.beside(priced)


def carried_out(tuned: Tuned, held: Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy, calls and tokens of each question by a tuned policy that has no mixed class."""
    columns = {setting.name: place for place, setting in enumerate(held.settings)}
    chosen = {choice.name: columns[choice.setting.name] for choice in tuned.classes}
    rows, at = np.arange(len(held.ids)), np.array([chosen[name] for name in held.classes])
    return held.accuracy[rows, at], held.calls[rows, at], held.tokens[rows, at]


def exam_splits(
    *, splits: int, replays: int, cautions: Sequence[float], limit: float = EXAMS_LIMIT
) -> Iterator[list[Tested]]:
    """Tune on half of the exams' questions, test on the others; once for each caution."""
    # Samples one at a time: where requests wait for each other anyway, that takes the fewest.
    table = Halves(exams(), default_settings(waves=(1,)), replays=replays)
    for tuning, testing in halves(exams(), splits=splits):
        measured = table.on(tuning)
        held = table.on(testing, measured.priors)
        names = [setting.name for setting in held.settings]
        found = []
        for caution in cautions:
            tuned = tune(measured, mean_calls=limit, caution=caution)
            right, calls, _ = carried_out(tuned, held)
            all_samples = float(held.accuracy[:, names.index("vote 40")].mean())
            found.append(Tested(tuned, float(right.mean()), float(calls.mean()), all_samples))
        yield found


def exams_benchmark(console: Console, *, splits: int, replays: int) -> None:
    if not exams():
        console.print(f"exams: skipped, {recording('exams')}")
        return
    table = Table("caution", "less 40 samples, points", "sd of splits", "samples", "promise kept",
                  title=f"ten exams, limit {EXAMS_LIMIT} samples in the mean, {splits} splits "
                  "into halves", box=None, title_justify="left")  # fmt: skip
    cautions = (0.0, 0.5, 1.0)
    every = list(exam_splits(splits=splits, replays=replays, cautions=cautions))
    for caution, found in zip(cautions, zip(*every, strict=True), strict=True):
        less = [100 * (one.accuracy - one.all_samples) for one in found]
        kept = [one.tuned.expected.accuracy.holds(one.accuracy) for one in found]
        table.add_row(f"{caution:g}", f"{np.mean(less):+.2f}", f"{np.std(less):.2f}",
                      f"{np.mean([one.calls for one in found]):.2f}",
                      f"{sum(kept)} of {len(kept)}")  # fmt: skip
    console.print(table)
    console.print("target: at most 0.5 point less with at most 7 samples")
    last = every[-1][-1].tuned
    went = Table("exam", "setting", "right %", "samples", title="where the samples go, last split",
                 box=None, title_justify="left")  # fmt: skip
    for choice in last.classes:
        went.add_row(choice.name, choice.setting.name,
                     f"{100 * choice.expected.accuracy.mean:.1f}",
                     f"{choice.expected.cost.mean:.1f}")  # fmt: skip
    console.print(went)
    console.print(*last.notes, "", sep="\n")


def promises(*, splits: int, replays: int, limit: float = EXAMS_LIMIT) -> tuple[int, int]:
    """Of so many splits of the exams, how often accuracy and cost were as promised."""
    settings = [setting for setting in default_settings(waves=(1,)) if not needs_prior(setting)]
    table = Halves(exams(), settings, replays=replays)
    right = spent = 0
    for tuning, testing in halves(exams(), splits=splits):
        tuned = tune(table.on(tuning), mean_calls=limit)
        accuracy, calls, _ = carried_out(tuned, table.on(testing))
        right += tuned.expected.accuracy.holds(float(accuracy.mean()))
        spent += tuned.expected.cost.holds(float(calls.mean()))
    return right, spent


def promises_benchmark(console: Console, *, splits: int, replays: int) -> None:
    if not exams():
        console.print("promises: skipped, there are no exams")
        return
    right, spent = promises(splits=splits, replays=replays)
    console.print(f"promises kept on the other half of the exams, of {splits} splits: accuracy "
                  f"{right}, cost {spent}")  # fmt: skip
    console.print("target: at least 90 %\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=["exams", "promises"])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--replays", type=int, default=20)
    asked = parser.parse_args(arguments)
    console = Console(width=140)
    if "exams" in asked.parts:
        exams_benchmark(console, splits=asked.splits, replays=asked.replays)
    if "promises" in asked.parts:
        promises_benchmark(console, splits=5 * asked.splits, replays=asked.replays)


if __name__ == "__main__":
    main()
