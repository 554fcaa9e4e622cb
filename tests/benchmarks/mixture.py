"""All recordings as one stream of requests: what tuning, and sharing a batch's budget, buy there.

    python -m tests.benchmarks.mixture [techniques] [batch] [--splits 4] [--replays 10]

techniques: the tuned policy beside every single technique at the same mean tokens, and at a little
more than half of the tokens of the best.
batch: samples go where they are worth most, beside as many for each, at the same total.

Half of the questions tune and the others test, both ways; intervals are bootstraps over questions,
of differences on the same questions. Families without a recording are left out.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.stopping import recording
from tests.benchmarks.tuning import Halves, carried_out, exams, halves
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import prepare
from tscale_graph.tuning.batches import rehearse, rehearse_uniform
from tscale_graph.tuning.measured import Measured
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.priors import class_prior
from tscale_graph.tuning.settings import Setting, default_settings
from tscale_graph.tuning.tuning import tune


@cache
def mixture() -> dict[str, list[RecordedQuestion]]:
    """Every recording there is, the exams apart, as one stream of requests."""
    found: dict[str, list[RecordedQuestion]] = {}
    for family in ("letters", "equations", "countdown", "sentences", "qwen", "codet", "game24"):
        asked = recording(family)
        if not isinstance(asked, str):
            found[family] = asked
    return {**found, **exams()}


SAVING = 0.6
SIZES = (1, 2, 4, 8, 16, 32)
VERIFIED = {"equations", "countdown", "sentences", "game24", "codet", "qwen"}


def singles() -> dict[str, list[tuple[Setting, Setting]]]:
    """Single techniques, each in several sizes: without a verifier, and with one."""
    prices = ("1e-5", "3e-6", "1e-6", "3e-7")
    untold = "value_of_information:{},a=1,b=1,gamma=1"
    found = {"vote": [(Setting.vote(n),) * 2 for n in SIZES]}
    for wave in (1, 4):
        for confidence in ("0.8", "0.88", "0.95"):
            stop = f"beta:{confidence}"
            capped = [Setting.vote(n, stop=stop, wave=wave) for n in SIZES[1:] if n > wave]
            told = f"vote {stop}, {wave} at a time"
            found[told] = [(s, s) for s in [Setting.vote(1), *capped]]
        valued = [Setting.vote(32, stop=untold.format(price), wave=wave) for price in prices]
        told = f"vote value_of_information, {wave} at a time"
        found[told] = [(s, s) for s in [Setting.vote(1), *valued]]
    found["best of N, else vote"] = [(Setting.vote(n), Setting.best_of(n)) for n in SIZES]
    found["best of N at once, else vote"] = [
        (Setting.vote(n), Setting.best_of(n, stop="fixed")) for n in SIZES
    ]
    return found


def single_columns(held: Measured, pair: tuple[Setting, Setting]) -> np.ndarray:
    """(n,) the column of each question; the largest of the kind that was recorded for it."""
    names = [setting.name for setting in held.settings]
    columns = np.zeros(len(held.ids), dtype=int)
    for row, name in enumerate(held.classes):
        wanted = pair[name in VERIFIED]
        column = names.index(wanted.name)
        if np.isnan(held.accuracy[row, column]):  # fewer samples than that were recorded
            smaller = [8 if key in ("max_samples", "n") else value
                       for key, value in wanted.arguments.items()]  # fmt: skip
            arguments = dict(zip(wanted.arguments, smaller, strict=True))
            column = next(
                k for k, one in enumerate(held.settings)
                if (one.technique, one.arguments) == (wanted.technique, arguments)
            )  # fmt: skip
        columns[row] = column
    return columns


@dataclass(frozen=True)
class Sized:
    """A single technique in one size on each question."""

    name: str
    right: np.ndarray
    tokens: np.ndarray


def sized(held: Measured) -> dict[str, list[Sized]]:
    """Every single technique in every size, the cheapest first."""
    rows = np.arange(len(held.ids))
    found = {}
    for name, pairs in singles().items():
        columns = [single_columns(held, pair) for pair in pairs]
        members = [Sized(f"{name}, {pair[1].name}", held.accuracy[rows, at], held.tokens[rows, at])
                   for pair, at in zip(pairs, columns, strict=True)]  # fmt: skip
        found[name] = sorted(members, key=lambda one: one.tokens.mean())
    return found


def at_tokens(members: Sequence[Sized], tokens: float) -> np.ndarray:
    """The accuracy on each question at that mean: between two neighbours, at random."""
    means = [one.tokens.mean() for one in members]
    place = int(np.clip(np.searchsorted(means, tokens), 1, len(means) - 1))
    low, high = members[place - 1], members[place]
    share = np.clip((tokens - means[place - 1]) / (means[place] - means[place - 1]), 0, 1)
    return (1 - share) * low.right + share * high.right


@dataclass(frozen=True)
class Beside:
    """Differences on each question, the mean over the splits; and ratios of tokens."""

    difference: np.ndarray
    tokens_ratio: float

    def interval(self) -> tuple[float, float, float]:
        rng = np.random.default_rng(0)
        drawn = rng.choice(self.difference, (2000, len(self.difference))).mean(axis=1)
        low, high = np.percentile(drawn, [2.5, 97.5])
        return float(self.difference.mean()), float(low), float(high)


def mixture_benchmark(console: Console, *, splits: int, replays: int, limit: float = 1500) -> dict:
    questions = mixture()
    checked = [s for s in default_settings("decides") if s.technique == "best_of_n"]
    scored = [s for s in default_settings("scores") if s.arguments.get("select") == "max"]
    settings = [*default_settings(), *checked, *scored]
    known = {setting.name for setting in settings}
    extra = [s for pairs in singles().values() for pair in pairs for s in pair]
    extra += [Setting.vote(8, stop=f"value_of_information:{p},a=1,b=1,gamma=1", wave=wave)
              for p in ("1e-5", "3e-6", "1e-6", "3e-7") for wave in (1, 4)]  # fmt: skip
    extra = list({s.name: s for s in extra if s.name not in known}.values())
    checks = {"verification": {"game24": "gold"}} if "game24" in questions else {}
    table = Halves(questions, settings, replays=replays, **checks)
    others = measure(questions, extra, replays=replays, **checks).beside(table.plain)
    rows = {key: k for k, key in enumerate(zip(others.classes, others.ids, strict=True))}
    differences: dict[str, list] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for tuning, testing in halves(questions, splits=splits):
        measured = table.on(tuning)
        held = table.on(testing, measured.priors)
        before, single = (sized(others.only([rows[key] for key in zip(m.classes, m.ids,
                                 strict=True)])) for m in (measured, held))  # fmt: skip
        tuned = tune(measured, mean_tokens=limit)
        right, _, tokens = carried_out(tuned, held)
        keys = list(zip(held.classes, held.ids, strict=True))
        for name, members in single.items():
            less = right - at_tokens(members, tokens.mean())
            differences[name].append(dict(zip(keys, less, strict=True)))
            ratios[name].append(tokens.mean())
        _, name = max((one.right.mean(), one.name) for each in before.values() for one in each)
        spent = next(one.tokens.mean() for each in before.values() for one in each
                     if one.name == name)  # fmt: skip
        best = next(one for each in single.values() for one in each if one.name == name)
        for caution in (0.0, 0.5):
            thrifty = tune(measured, mean_tokens=SAVING * spent, caution=caution)
            right, _, tokens = carried_out(thrifty, held)
            name = f"best single, at its tokens × {SAVING}, caution {caution:g}"
            differences[name].append(dict(zip(keys, right - best.right, strict=True)))
            ratios[name].append(tokens.mean() / best.tokens.mean())
    found = {
        name: Beside(np.array([np.mean([one[key] for one in each if key in one]) for key in rows]),
                     float(np.mean(ratios[name])))
        for name, each in differences.items()
    }  # fmt: skip
    shown = Table("beside", "points", "95 %", "tokens", title=f"all recordings mixed, "
                  f"{len(rows)} questions, {len(questions)} classes, limit {limit:g} tokens, "
                  f"{splits} splits", box=None, title_justify="left")  # fmt: skip
    for name, one in found.items():
        mean, low, high = one.interval()
        shown.add_row(name, f"{100 * mean:+.2f}", f"{100 * low:+.2f} to {100 * high:+.2f}",
                      f"{one.tokens_ratio:,.2f}")  # fmt: skip
    console.print(shown)
    for choice in tuned.classes:
        cost = choice.expected.cost.mean
        console.print(f"  {choice.name}: {choice.setting.name}, {cost:.0f} tokens")
    console.print()
    return found


def batch_differences(*, samples: float, replays: int, mixed: bool = True) -> np.ndarray:
    """(n,) what sharing gains on each question over as many samples for each, at the same total.

    Half of the questions show the priors, and the others are the batch; both ways.
    """
    questions = mixture() if mixed else exams()
    # Their answers are no votes that can be right or wrong, or too few were recorded.
    questions = {name: asked for name, asked in questions.items() if name not in ("qwen", "codet")}
    gained: dict[tuple[str, str], float] = {}
    for tuning, testing in halves(questions, splits=2):
        keys = [(name, one.id) for name, asked in testing.items() for one in asked]
        decks = [prepare(one) for asked in testing.values() for one in asked]
        known = {name: class_prior([prepare(one) for one in asked])
                 for name, asked in tuning.items()}  # fmt: skip
        output = {name: float(np.mean([s.output_tokens for one in asked for s in one.samples]))
                  for name, asked in tuning.items()}  # fmt: skip
        outputs = [output[name] for name, _ in keys]
        total = samples * sum(
            deck.question.prompt_size + o for deck, o in zip(decks, outputs, strict=True)
        )
        found = np.zeros(len(decks))
        for seed in range(replays):
            how = {"tokens": total, "seed": seed, "verified": [n in VERIFIED for n, _ in keys]}
            priors = [known[name] for name, _ in keys]
            found += np.array(rehearse(decks, priors, outputs=outputs, **how).right)
            found -= np.array(rehearse_uniform(decks, **how).right)
        gained.update(zip(keys, found / replays, strict=True))
    return np.array(list(gained.values()))


def batch_benchmark(console: Console, *, replays: int) -> None:
    table = Table("batch", "samples each", "points over as many for each", "95 %", box=None,
                  title="one budget for a batch", title_justify="left")  # fmt: skip
    for name, mixed in (("exams", False), ("all mixed", True)):
        if not (exams() or mixed):
            continue
        for samples in (2, 4, 8):
            gain = batch_differences(samples=samples, replays=replays, mixed=mixed)
            mean, low, high = Beside(gain, 1.0).interval()
            table.add_row(name, str(samples), f"{100 * mean:+.2f}",
                          f"{100 * low:+.2f} to {100 * high:+.2f}")  # fmt: skip
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=["techniques", "batch"])
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--replays", type=int, default=10)
    asked = parser.parse_args(arguments)
    console = Console(width=140)
    if "techniques" in asked.parts:
        mixture_benchmark(console, splits=asked.splits, replays=asked.replays)
    if "batch" in asked.parts:
        batch_benchmark(console, replays=max(1, asked.replays // 5))


if __name__ == "__main__":
    main()
