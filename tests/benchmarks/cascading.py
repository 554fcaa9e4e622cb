"""What a cascade saves: thresholds learnt on one half of the questions, measured on the other.

    python -m tests.benchmarks.cascading [--replays 20]

Two rungs of the embedded model on words to be sorted into kinds: a short prompt that shows one
example for each kind, with 3 samples, and a long one with four examples for each, with 12. The
recordings beside `tests.recordings.sorting` are played back, so it takes seconds. Costs are tokens,
prompts included; a wave of samples pays for its prompt once. Intervals are bootstraps over
questions, paired, 2,000 draws.
"""

import argparse
import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rich.console import Console
from rich.table import Table

from tests.recordings.sorting import SORTINGS, path
from tscale_graph import Budget, Result, cascade, self_consistency
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.climbs import Climb, climb_of
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import Deck, Played, prepare, simulate
from tscale_graph.recordings.thresholds import LearntThresholds, learn_thresholds
from tscale_graph.stopping import Fixed

SAMPLES = {"short": 3, "long": 12}
REPLAYS, DRAWS, SPLITS = 20, 2000, 30
TOLERANCE, SHARE = 0.01, 0.6
TARGET = "the cascade's accuracy at most 1 point below the long prompt's, at most 60 % of its cost"


@dataclass(frozen=True)
class Halves:
    """The questions, every other one of each sort to learn from, by their ids."""

    learning: tuple[str, ...]
    testing: tuple[str, ...]

    @property
    def swapped(self) -> "Halves":
        """The other way round."""
        return Halves(self.testing, self.learning)


@dataclass(frozen=True)
class Outcome:
    """What one way to answer made of each question: means over the replays."""

    right: tuple[float, ...]
    tokens: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)

    @property
    def cost(self) -> float:
        return sum(self.tokens) / len(self.tokens)


@dataclass(frozen=True)
class Measured:
    """The learnt thresholds, and what they and each rung alone come to on the other half.

    `more` is the short prompt with as many samples as the long one: what samples alone buy.
    """

    learnt: LearntThresholds
    short: Outcome
    more: Outcome
    long: Outcome
    cascade: Outcome

    @property
    def gain(self) -> float:
        """Accuracy beyond that of the long prompt."""
        return self.cascade.accuracy - self.long.accuracy

    @property
    def cost_ratio(self) -> float:
        """Cost over that of the long prompt."""
        return self.cascade.cost / self.long.cost

    @property
    def kept(self) -> bool:
        """Whether the target is."""
        return self.gain >= -TOLERANCE and self.cost_ratio <= SHARE


@cache
def recorded(prompt: str) -> dict[str, RecordedQuestion]:
    """Every recorded question of a prompt, by its id."""
    places = range(len(SORTINGS))
    return {q.id: q for place in places for q in read_recording(path(prompt, place))}


@cache
def deck(prompt: str, question: str) -> Deck:
    return prepare(recorded(prompt)[question])


def halves() -> Halves:
    """Every other question to learn from."""
    ids = tuple(recorded("short"))
    return Halves(ids[::2], ids[1::2])


def random_halves(count: int) -> list[Halves]:
    """Halves that are drawn with a seed instead."""
    ids, rng, found = list(recorded("short")), random.Random(0), list[Halves]()
    for _ in range(count):
        rng.shuffle(ids)
        found.append(Halves(tuple(ids[::2]), tuple(ids[1::2])))
    return found


@cache
def played(prompt: str, question: str, seed: int, samples: int | None = None) -> Played:
    """One replay of one rung on a question, with its own number of samples or another."""
    most = samples or SAMPLES[prompt]
    return simulate(deck(prompt, question), Fixed(), seed=seed, max_samples=most)


def climbs(questions: Sequence[str], *, replays: int) -> list[Climb]:
    """What both rungs made of each question, so many times."""
    return [
        climb_of(question, [played(prompt, question, seed) for prompt in SAMPLES])
        for question in questions
        for seed in range(replays)
    ]


def outcome(
    questions: Sequence[str], accept: float, *, replays: int, alone: bool = False
) -> Outcome:
    """The cascade with a threshold; or the long prompt alone."""
    right, tokens = list[float](), list[float]()
    for question in questions:
        ends = [ended(question, accept, seed, alone=alone) for seed in range(replays)]
        right.append(sum(one.right for one, _ in ends) / replays)
        tokens.append(sum(cost for _, cost in ends) / replays)
    return Outcome(tuple(right), tuple(tokens))


def ended(question: str, accept: float, seed: int, *, alone: bool = False) -> tuple[Played, int]:
    """The rung that answers in one replay, and what all that were asked cost."""
    short, long = (played(prompt, question, seed) for prompt in SAMPLES)
    if alone:
        return long, long.tokens
    if short.rating is not None and short.rating >= accept:
        return short, short.tokens
    # Where the last rung has no answer, that of the rung below stands.
    return short if long.answer is None else long, short.tokens + long.tokens


def measure(split: Halves, *, replays: int, draws: int = 500) -> Measured:
    """Learn on one half, measure on the other."""
    learnt = learn_thresholds(
        climbs(split.learning, replays=replays), tolerance=TOLERANCE, draws=draws
    )
    testing = split.testing
    return Measured(
        learnt,
        short=outcome(testing, 0.0, replays=replays),
        more=more_samples(testing, replays=replays),
        long=outcome(testing, 0.0, replays=replays, alone=True),
        cascade=outcome(testing, learnt.accept[0], replays=replays),
    )


def more_samples(questions: Sequence[str], *, replays: int) -> Outcome:
    """The short prompt alone, with the samples of the long one."""
    several = [
        [played("short", question, seed, SAMPLES["long"]) for seed in range(replays)]
        for question in questions
    ]
    return Outcome(
        tuple(sum(one.right for one in ends) / replays for ends in several),
        tuple(sum(one.tokens for one in ends) / replays for ends in several),
    )


async def by_graph(questions: Sequence[str], accept: Sequence[float], *, seed: int) -> list[Result]:
    """What the cascade itself makes of the recordings, one replay of each question."""
    rungs = [
        self_consistency(
            ReplayModel(questions=recorded(prompt).values(), seed=seed, model_name=prompt),
            max_samples=samples,
            stop="fixed",
            answer="text",
            seed=0,
        )
        for prompt, samples in SAMPLES.items()
    ]
    graph = cascade(rungs, accept=accept).compile()
    results: list[Result] = []
    for question in questions:
        asked = [("user", recorded("short")[question].question)]
        out = await graph.ainvoke({"messages": asked, "budget": Budget(tokens=1_000_000)})
        results.append(out["result"])
    return results


def interval(first: Outcome, second: Outcome) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle 95 % of the difference in accuracy, and of the ratio of costs."""
    rng, count = random.Random(0), len(first.right)
    gains, ratios = list[float](), list[float]()
    for _ in range(DRAWS):
        drawn = rng.choices(range(count), k=count)
        gains.append(sum(first.right[k] - second.right[k] for k in drawn) / count)
        ratios.append(sum(first.tokens[k] for k in drawn) / sum(second.tokens[k] for k in drawn))
    low, high = DRAWS // 40, -DRAWS // 40 - 1
    gains.sort()
    ratios.sort()
    return (gains[low], gains[high]), (ratios[low], ratios[high])


def table_of(measured: Measured, *, title: str) -> Table:
    """Each way to answer beside the long prompt alone."""
    table = Table("", "accuracy %", "less long", "tokens", "of long's %", title=title, box=None)
    table.title_justify = "left"
    for name, one in (
        (f"short × {SAMPLES['short']}", measured.short),
        (f"short × {SAMPLES['long']}", measured.more),
        (f"long × {SAMPLES['long']}", measured.long),
        ("cascade", measured.cascade),
    ):
        (worse, better), (less, more) = interval(one, measured.long)
        gain, ratio = one.accuracy - measured.long.accuracy, one.cost / measured.long.cost
        table.add_row(
            name,
            f"{100 * one.accuracy:.1f}",
            f"{100 * gain:+.1f} [{100 * worse:+.1f}, {100 * better:+.1f}]",
            f"{one.cost:.0f}",
            f"{100 * ratio:.1f} [{100 * less:.1f}, {100 * more:.1f}]",
        )
    return table


def frontier_of(learnt: LearntThresholds) -> Table:
    """Every threshold that no other beats, on the questions that it was learnt from."""
    table = Table("accept", "accuracy %", "tokens", title="frontier, learning half", box=None)
    table.title_justify = "left"
    for point in learnt.frontier:
        [accept] = point.accept
        table.add_row(f"{accept:.3f}", f"{100 * point.accuracy:.1f}", f"{point.cost:.0f}")
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replays", type=int, default=REPLAYS)
    asked = parser.parse_args(arguments)
    console = Console(width=120)
    split = halves()
    for title, half in (("learnt on one half", split), ("learnt on the other half", split.swapped)):
        measured = measure(half, replays=asked.replays)
        [accept] = measured.learnt.accept
        told = f"{title} ({len(half.learning)} questions): accept={accept:.3f}"
        console.print(table_of(measured, title=f"{told}, tested on {len(half.testing)}"))
        console.print(frontier_of(measured.learnt))
        (worse, better), (less, dearer) = interval(measured.cascade, measured.more)
        gain = measured.cascade.accuracy - measured.more.accuracy
        ratio = measured.cascade.cost / measured.more.cost
        console.print(
            f"cascade beside short × {SAMPLES['long']}: {100 * gain:+.1f} "
            f"[{100 * worse:+.1f}, {100 * better:+.1f}] points at {ratio:.2f} "
            f"[{less:.2f}, {dearer:.2f}] times its cost"
        )
        console.print(f"target: {TARGET}: {'kept' if measured.kept else 'missed'}\n")
    kept = [measure(half, replays=asked.replays, draws=20).kept for half in random_halves(SPLITS)]
    console.print(f"random halves: the target is kept on {sum(kept)} of {SPLITS}")
    accept = measure(split, replays=asked.replays).learnt.accept
    results = asyncio.run(by_graph(split.testing, accept, seed=0))
    same = sum(
        (result.answer, result.usage.tokens) == (expected.answer, tokens)
        for result, (expected, tokens) in zip(
            results, (ended(question, accept[0], 0) for question in split.testing), strict=True
        )
    )
    told = f"{same} of {len(results)} questions end with the same answer for the same tokens"
    console.print(f"the graph itself, one replay: {told}")


if __name__ == "__main__":
    main()
