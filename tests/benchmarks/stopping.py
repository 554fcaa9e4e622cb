"""What stopping rules buy on recorded samples: accuracy, samples, tokens and rounds.

    python -m tests.benchmarks.stopping [--replays 200] [--most 40] [--families letters exams]
        [--rules fixed beta beta:confidence=0.8 …]

Every rule plays the same orders of the same samples, so rules are compared in pairs. Intervals are
bootstraps over questions, 2,000 draws: the replays of one question are not independent, so
questions are drawn, not replays. A family whose recording is not there is skipped, with the reason.
"""

import argparse
import ast
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.recordings.families import FAMILIES
from tests.recordings.make import path
from tests.recordings.shared_data import FILES, SHARED, shared
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import Deck, Verification, prepare, simulate
from tscale_graph.stopping import RULES, StoppingRule, stopping_rule

DRAWS = 2000
TARGETS = {
    "letters": "beta: at most half of fixed's samples, accuracy at most 1 point lower; "
    "waves: at most 10 % more samples, at most a third of the rounds",
    "exams": "one rule: fixed's mean accuracy less at most 0.5 point with at most 9.5 samples",
}
NEED_A_VERIFIER = {"first_pass", "sprt"}


@dataclass(frozen=True)
class Outcome:
    """What a rule made of each question: means over the replays."""

    right: tuple[float, ...]
    samples: tuple[float, ...]
    tokens: tuple[float, ...]
    rounds: tuple[float, ...]


def rule(name: str) -> StoppingRule:
    """A rule from "beta" or "beta:confidence=0.8"."""
    plain, _, settings = name.partition(":")
    found: Any = stopping_rule(plain)
    given = (setting.partition("=") for setting in filter(None, settings.split(",")))
    return replace(found, **{key: ast.literal_eval(value) for key, _, value in given})


def recording(family: str) -> list[RecordedQuestion] | str:
    """The questions of a family, or why there are none."""
    if family in FILES:
        return shared(family) if SHARED.is_dir() else f"{SHARED} is not there"
    if family not in FAMILIES:
        return f"family must be one of {', '.join([*FAMILIES, *FILES])}"
    file = path(FAMILIES[family])
    return list(read_recording(file)) if file.exists() else f"{file.name} was not made yet"


def verification(family: str, rule_name: str) -> Verification:
    """Rules that live on verdicts get the recorded ones; the game of 24 is checked exactly."""
    if rule_name.partition(":")[0] not in NEED_A_VERIFIER:
        return "none"
    return "gold" if family == "game24" else "recorded"


def measure(
    decks: Sequence[Deck],
    stop: StoppingRule,
    *,
    replays: int,
    most: int,
    max_parallel: int | None = None,
) -> Outcome:
    """Play every question `replays` times; the orders depend on question and replay only."""
    rows = []
    for deck in decks:
        played = [
            simulate(deck, stop, seed=seed, max_samples=most, max_parallel=max_parallel)
            for seed in range(replays)
        ]
        rows.append(
            [
                sum(getattr(one, what) for one in played) / replays
                for what in ("right", "samples", "tokens", "rounds")
            ]
        )
    return Outcome(*map(tuple, zip(*rows, strict=True)))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the mean over bootstrap draws of the questions."""
    rng, count = random.Random(0), len(values)
    means = sorted(sum(rng.choices(values, k=count)) / count for _ in range(DRAWS))
    return means[DRAWS // 40], means[-DRAWS // 40 - 1]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def row(outcome: Outcome, single: Outcome, fixed: Outcome, hopeless: Sequence[int]) -> list[str]:
    """One line of the table."""
    low, high = interval(outcome.right)
    differences = [a - b for a, b in zip(outcome.right, fixed.right, strict=True)]
    worse, better = interval(differences)
    lost = [outcome.samples[k] for k in hopeless]
    return [
        f"{100 * mean(outcome.right):.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{100 * mean(differences):+.2f} [{100 * worse:+.2f}, {100 * better:+.2f}]",
        f"{mean(outcome.samples):.2f}",
        f"{mean(single.samples):.2f}",
        f"{mean(lost):.2f}" if lost else "-",
        f"{mean(outcome.tokens):,.0f}",
        f"{mean(outcome.rounds):.2f}",
        f"{mean(single.rounds):.2f}",
    ]


def benchmark(
    families: Sequence[str], rules: Sequence[str], *, replays: int, most: int, console: Console
) -> dict[tuple[str, str], tuple[Outcome, Outcome]]:
    """Print a table for each family; returns, for each family and rule, waves and one at a time."""
    found: dict[tuple[str, str], tuple[Outcome, Outcome]] = {}
    for family in families:
        questions = recording(family)
        if isinstance(questions, str):
            console.print(f"{family}: skipped, {questions}\n")
            continue
        table = Table(
            "rule", "accuracy %", "less fixed", "samples", "one by one", "never right", "tokens",
            "rounds", "one by one", title=f"{family}: {len(questions)} questions, "
            f"{replays} replays, at most {most} samples", title_justify="left", box=None,
        )  # fmt: skip
        hopeless = [k for k, q in enumerate(questions) if not any(s.correct for s in q.samples)]
        decks = {
            checked: [prepare(question, verification=checked) for question in questions]
            for checked in {verification(family, name) for name in rules} | {"none"}
        }
        limits = {"replays": replays, "most": most}
        fixed = measure(decks["none"], rule("fixed"), **limits)
        for name in rules:
            checked = verification(family, name)
            # A recording with scores and no verdicts has nothing for these rules to go by.
            if checked == "recorded" and not any(
                c.verdict and c.verdict.passed is not None
                for deck in decks[checked]
                for c in deck.candidates
            ):
                continue
            waves = measure(decks[checked], rule(name), **limits)
            single = measure(decks[checked], rule(name), max_parallel=1, **limits)
            found[family, name] = waves, single
            table.add_row(name, *row(waves, single, fixed, hopeless))
        console.print(table)
        if family in TARGETS:
            console.print(f"target: {TARGETS[family]}")
        console.print()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--families", nargs="+", default=[*FAMILIES, *FILES])
    parser.add_argument("--rules", nargs="+", default=RULES)
    asked = parser.parse_args(arguments)
    console = Console(width=140)
    benchmark(asked.families, asked.rules, replays=asked.replays, most=asked.most, console=console)


if __name__ == "__main__":
    main()
