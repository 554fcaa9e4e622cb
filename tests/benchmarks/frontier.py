"""Is the value of information on the frontier of accuracy and samples? On recorded samples.

    python -m tests.benchmarks.frontier [--replays 200] [--families letters exams …]

For each family: adaptive consistency (`beta`) over its thresholds and `window` over its sizes, and
`value_of_information` over prices, its prior fitted on the other half of the questions. Beside each
of its points stands what the frontier of the others, between its points, reaches with as many
samples; the difference has a 95 % interval, a bootstrap over questions in which all rules play the
same orders. The last column is the samples spent on questions that are never answered right.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks.stopping import DRAWS, mean, recording
from tests.recordings.families import FAMILIES
from tests.recordings.shared_data import FILES
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import Deck, prepare, simulate
from tscale_graph.stopping import AnswerPrior, Beta, StoppingRule, ValueOfInformation, Window

PRICES = (0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.004)
"""What one sample of mean length must be worth, in probability of a right answer."""


@dataclass(frozen=True)
class Point:
    """What a rule made of each question: means over replays."""

    name: str
    right: tuple[float, ...]
    samples: tuple[float, ...]


def play(
    name: str, decks: Sequence[Deck], rule_of: Callable[[int], StoppingRule], *, replays: int
) -> Point:
    """One rule, sampling one at a time; it may differ between halves of the questions."""
    right, samples = [], []
    for place, deck in enumerate(decks):
        played = [
            simulate(deck, rule_of(place), seed=seed, max_samples=40, max_parallel=1)
            for seed in range(replays)
        ]
        right.append(mean([one.right for one in played]))
        samples.append(mean([one.samples for one in played]))
    return Point(name, tuple(right), tuple(samples))


def fitted(questions: Sequence[RecordedQuestion]) -> tuple[AnswerPrior, AnswerPrior]:
    """For questions at even and odd places, the prior fitted on the others."""
    counted = [_counts(question) for question in questions]
    return AnswerPrior.fit(counted[1::2]), AnswerPrior.fit(counted[0::2])


def _counts(question: RecordedQuestion) -> tuple[int, list[int]]:
    """How many samples are right, and how many gave each wrong answer."""
    wrong = Counter(s.answer for s in question.samples if s.answer is not None and not s.correct)
    return sum(1 for s in question.samples if s.correct), sorted(wrong.values(), reverse=True)


def mean_tokens(deck: Deck) -> float:
    """What one more sample costs, its prompt included."""
    outputs = mean([sample.output_tokens for sample in deck.question.samples])
    return deck.question.prompt_size + outputs


def reached(frontier: Sequence[tuple[float, float]], samples: float) -> float:
    """What the upper concave hull of points (samples, accuracy) reaches with so many samples."""
    best = 0.0
    for x1, y1 in frontier:
        if x1 <= samples:
            best = max(best, y1)
        for x2, y2 in frontier:
            if x1 <= samples < x2:
                best = max(best, y1 + (y2 - y1) * (samples - x1) / (x2 - x1))
    return best


def over_the_frontier(point: Point, others: Sequence[Point], drawn: Sequence[int] | range) -> float:
    """How much more accurate a point is than the frontier, on these questions."""
    frontier = [
        (mean([p.samples[k] for k in drawn]), mean([p.right[k] for k in drawn])) for p in others
    ]
    samples = mean([point.samples[k] for k in drawn])
    return mean([point.right[k] for k in drawn]) - reached(frontier, samples)


def interval(point: Point, others: Sequence[Point]) -> tuple[float, float]:
    """The middle 95 % of that over bootstrap draws of the questions."""
    rng, count = random.Random(0), len(point.right)
    draws = sorted(
        over_the_frontier(point, others, rng.choices(range(count), k=count))
        for _ in range(DRAWS // 4)
    )
    return draws[len(draws) // 40], draws[-len(draws) // 40 - 1]


def benchmark(family: str, *, replays: int, console: Console) -> None:
    """Print the table of one family."""
    questions = recording(family)
    if isinstance(questions, str):
        console.print(f"{family}: skipped, {questions}\n")
        return
    decks = [prepare(question) for question in questions]
    never = [k for k, q in enumerate(questions) if not any(s.correct for s in q.samples)]
    priors = fitted(questions)
    others = [
        play(f"beta {t}", decks, lambda _, t=t: Beta(t), replays=replays)
        for t in (0.6, 0.7, 0.8, 0.85, 0.88, 0.9, 0.95, 0.99)
    ]
    others += [
        play(f"window {w}", decks, lambda _, w=w: Window(w), replays=replays) for w in (2, 3, 4, 5)
    ]
    tokens = mean([mean_tokens(deck) for deck in decks])
    ours = [
        play(
            f"value_of_information {price:g} a sample",
            decks,
            lambda place, price=price: ValueOfInformation(price / tokens, priors[place % 2]),
            replays=replays,
        )
        for price in PRICES
    ]
    table = Table(
        "rule", "accuracy %", "samples", "less frontier %", "on never right",
        title=f"{family}: {len(questions)} questions, {replays} replays, at most 40 samples; "
        f"priors {priors[0]} and {priors[1]}",
        title_justify="left", box=None,
    )  # fmt: skip
    for point in [*others, *ours]:
        beside = ""
        if point in ours:
            low, high = interval(point, others)
            difference = over_the_frontier(point, others, range(len(questions)))
            beside = f"{100 * difference:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
        lost = mean([point.samples[k] for k in never]) if never else float("nan")
        table.add_row(
            point.name,
            f"{100 * mean(point.right):.2f}",
            f"{mean(point.samples):.2f}",
            beside,
            f"{lost:.2f}",
        )
    console.print(table)
    console.print()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--families", nargs="+", default=[*FAMILIES, *FILES])
    asked = parser.parse_args(arguments)
    for family in asked.families:
        benchmark(family, replays=asked.replays, console=Console(width=120))


if __name__ == "__main__":
    main()
