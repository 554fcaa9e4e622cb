"""What tuning buys, and whether it keeps its promises: on recorded samples.

    python -m tests.benchmarks.tuning [exams] [mixture] [promises] [batch] [--splits 20]

exams: ten exams are ten classes of task; half of the questions tune, the others test, both ways.
mixture: the recordings of the embedded model and of larger ones as one stream of requests; the tuned
policy beside every single technique at the same mean tokens.
promises: how often the mean over the other half is within what was promised.
batch: samples for many requests under one budget, to whom they are worth most, beside as many for
each.

Never is anything chosen on a question that it is tested on. What is not there is skipped.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

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


class Table2:
    """Measures settings on any half: what needs no prior is measured once for all of them."""

    def __init__(self, questions: Questions, settings: Sequence[Setting], *, replays: int) -> None:
        self._replays = replays
        self._priced = [setting for setting in settings if needs_prior(setting)]
        plain = [setting for setting in settings if not needs_prior(setting)]
        self._known = measure(questions, plain, replays=replays)
        self._rows = {
            key: row
            for row, key in enumerate(zip(self._known.classes, self._known.ids, strict=True))
        }

    def on(self, half: Questions, priors: Mapping | None = None) -> Measured:
        """The settings on some of the questions; with these priors, or those that they show."""
        rows = [self._rows[name, one.id] for name, asked in half.items() for one in asked]
        plain = self._known.only(rows)
        if not self._priced:
            return plain
        priced = measure(half, self._priced, replays=max(1, self._replays // 2), priors=priors)
        return plain.beside(priced)


def tested(tuned: Tuned, held: Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy, calls and tokens of each question by a tuned policy that has no mixed class."""
    columns = {setting.name: place for place, setting in enumerate(held.settings)}
    chosen = {choice.name: columns[choice.setting.name] for choice in tuned.classes}
    rows, at = np.arange(len(held.ids)), np.array([chosen[name] for name in held.classes])
    return held.accuracy[rows, at], held.calls[rows, at], held.tokens[rows, at]


def exam_splits(*, splits: int, replays: int, caution: float, limit: float = EXAMS_LIMIT):
    """Tune on half of the exams' questions, test on the others."""
    # Samples one at a time: where requests wait for each other anyway, that takes the fewest.
    settings = default_settings(max_parallel=1)
    table = Table2(exams(), settings, replays=replays)
    full = [setting.name for setting in settings].index("vote 40")
    for tuning, testing in halves(exams(), splits=splits):
        tuned = tune(table.on(tuning), mean_calls=limit, caution=caution)
        held = table.on(testing, tuned.priors)
        order = {s.name: place for place, s in enumerate(held.settings)}
        right, calls, _ = tested(tuned, held)
        all_samples = held.accuracy[:, order[settings[full].name]]
        yield Tested(tuned, float(right.mean()), float(calls.mean()), float(all_samples.mean()))


def exams_benchmark(console: Console, *, splits: int, replays: int) -> None:
    if not exams():
        console.print(f"exams: skipped, {recording('exams')}")
        return
    table = Table("caution", "less 40 samples, points", "sd of splits", "samples", "promise kept",
                  title=f"ten exams, limit {EXAMS_LIMIT} samples in the mean, {splits} splits "
                  "into halves", box=None, title_justify="left")  # fmt: skip
    for caution in (0.0, 0.5, 1.0):
        found = list(exam_splits(splits=splits, replays=replays, caution=caution))
        less = [100 * (one.accuracy - one.all_samples) for one in found]
        kept = [one.tuned.expected.accuracy.holds(one.accuracy) for one in found]
        table.add_row(f"{caution:g}", f"{np.mean(less):+.2f}", f"{np.std(less):.2f}",
                      f"{np.mean([one.calls for one in found]):.2f}",
                      f"{sum(kept)} of {len(kept)}")  # fmt: skip
    console.print(table)
    console.print("target: at most 0.5 point less with at most 7 samples\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=["exams", "mixture", "promises", "batch"])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--replays", type=int, default=20)
    asked = parser.parse_args(arguments)
    console = Console(width=140)
    if "exams" in asked.parts:
        exams_benchmark(console, splits=asked.splits, replays=asked.replays)


if __name__ == "__main__":
    main()
