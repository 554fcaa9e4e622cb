"""What tree search buys on the embedded model, at the same budget of tokens.

    python -m tests.benchmarks.searching [--questions 30] [--tokens 2000] [--only NAME] [--keep]

Countdown with three and with four numbers, solved in steps ("2 * 3 = 6", "6 + 4 = 10"), with the
verifier; every technique sees the same worked examples, may spend the same tokens, and stops at the
first solution. For each: how many questions it solved, with Wilson's interval; the difference from
best-of-N question by question, with a bootstrap interval; and what it spent. The scorer "reachable"
knows whether the target can still be reached, as an ideal process reward model would; "sound" knows
only whether a step is right. `--keep` writes the table to `searching.md` beside this file.
"""

import argparse
import asyncio
import math
import os
import platform
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from tscale_graph import Budget, ab_mcts, beam_search, best_of_n
from tscale_graph.verifiers import Countdown

KEPT = Path(__file__).with_name("searching.md")
DRAWS = 2000
EXAMPLES = {
    3: [
        ("2, 3, 4", 10, ["2 * 3 = 6", "6 + 4 = 10"]),
        ("5, 1, 7", 13, ["5 + 7 = 12", "12 + 1 = 13"]),
        ("9, 6, 2", 13, ["9 + 6 = 15", "15 - 2 = 13"]),
        ("3, 8, 5", 19, ["3 * 8 = 24", "24 - 5 = 19"]),
    ],
    4: [
        ("2, 3, 4, 1", 11, ["2 * 3 = 6", "6 + 4 = 10", "10 + 1 = 11"]),
        ("5, 1, 7, 3", 16, ["5 + 7 = 12", "12 + 1 = 13", "13 + 3 = 16"]),
        ("9, 6, 2, 4", 9, ["9 + 6 = 15", "15 - 2 = 13", "13 - 4 = 9"]),
        ("3, 8, 5, 2", 21, ["3 * 8 = 24", "24 - 5 = 19", "19 + 2 = 21"]),
    ],
}


def question(numbers: str, target: int) -> str:
    return f"Use the numbers {numbers} to make {target}."


def draw(rng: random.Random, count: int) -> str:
    """A puzzle that can be solved: numbers combined at random, to a result from 1 to 60."""
    while True:
        numbers = rng.sample(range(1, 11), count)
        left = list(numbers)
        while len(left) > 1:
            rng.shuffle(left)
            a, b = max(left[:2]), min(left[:2])
            left = [rng.choice([a + b, a - b, a * b, a + b]), *left[2:]]
        if 1 <= left[0] <= 60:
            return question(", ".join(map(str, numbers)), left[0])


def messages(asked: str, count: int) -> list[Any]:
    turns: list[Any] = []
    for numbers, target, steps in EXAMPLES[count]:
        turns += [HumanMessage(question(numbers, target)), AIMessage("\n".join(steps))]
    return [*turns, HumanMessage(asked)]


Build = Callable[[int], Any]


def _common(seed: int) -> dict[str, Any]:
    return {"temperature": 1.0, "seed": seed, "on_exceeded": "return", "answer": "text"}


def _beam(variant: str, step_scores: str = "reachable") -> Build:
    def build(seed: int) -> Any:
        scorer = Countdown(step_scores=step_scores)
        return beam_search(
            "local", scorer, variant=variant, beams=2, width=4, steps="line", step_tokens=16,
            max_steps=4, max_output_tokens=48, **_common(seed),
        )  # fmt: skip

    return build


def _adaptive(variant: str) -> Build:
    def build(seed: int) -> Any:
        return ab_mcts(
            "local", "countdown", variant=variant, max_nodes=1000, batch=8, max_output_tokens=48,
            **_common(seed),
        )  # fmt: skip

    return build


def _best_of_n(seed: int) -> Any:
    return best_of_n(
        "local", "countdown", n=1000, speculate=7, max_output_tokens=48, **_common(seed)
    )


TECHNIQUES: dict[str, Build] = {
    "best_of_n": _best_of_n,
    "ab_mcts, beta": _adaptive("beta"),
    "ab_mcts, mixed": _adaptive("mixed"),
    "beam_search, beam": _beam("beam"),
    "beam_search, rebase": _beam("rebase"),
    "beam_search, particles": _beam("particles"),
    "beam_search, beam, sound": _beam("beam", "sound"),
}


@dataclass
class Row:
    """How one technique did: for each question whether it was solved, and the tokens spent."""

    solved: list[bool] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


async def measure(count: int, questions: int, tokens: int, only: str) -> dict[str, Row]:
    rng = random.Random(f"searching/{count}")
    puzzles: dict[str, None] = {}
    while len(puzzles) < questions:
        puzzles[draw(rng, count)] = None
    rows = {name: Row() for name in TECHNIQUES if only in name}
    for seed, asked in enumerate(puzzles):
        for name, row in rows.items():
            graph = TECHNIQUES[name](10_000 * seed).compile()
            state = {"messages": messages(asked, count), "budget": Budget(tokens=tokens)}
            result = (await graph.ainvoke(state))["result"]
            row.solved.append(bool(result.verdict and result.verdict.passed))
            row.tokens.append(result.usage.tokens)
        print(".", end="", flush=True)
    print()
    return rows


def wilson(solved: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, solved / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = (bound / (1 + z * z / count) for bound in (centre - spread, centre + spread))
    return max(0.0, low), min(1.0, high)


def difference(these: list[bool], those: list[bool]) -> tuple[float, float, float]:
    """How many more of the questions are solved, with its bootstrap interval over questions."""
    pairs = [a - b for a, b in zip(these, those, strict=True)]
    rng = random.Random(0)
    means = sorted(sum(rng.choices(pairs, k=len(pairs))) / len(pairs) for _ in range(DRAWS))
    return sum(pairs) / len(pairs), means[round(0.025 * DRAWS)], means[round(0.975 * DRAWS) - 1]


def table(count: int, rows: dict[str, Row]) -> str:
    lines = [
        f"| countdown, {count} numbers | solved (95 %) | against best-of-N (95 %) | tokens |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        low, high = wilson(sum(row.solved), len(row.solved))
        share = sum(row.solved) / len(row.solved)
        against = ""
        if name != "best_of_n" and "best_of_n" in rows:
            more, least, most = difference(row.solved, rows["best_of_n"].solved)
            against = f"{more:+.0%} ({least:+.0%} to {most:+.0%})"
        spent = sum(row.tokens) / len(row.tokens)
        lines.append(f"| {name} | {share:.0%} ({low:.0%}–{high:.0%}) | {against} | {spent:,.0f} |")
    return "\n".join(lines)


async def main(questions: int, tokens: int, only: str, *, keeping: bool) -> None:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    told = [
        f"The embedded model, {questions} questions of each kind, at most {tokens:,} tokens each, "
        f"measured on {date.today()} on {machine} by `python -m tests.benchmarks.searching`.",
    ]
    for count in EXAMPLES:
        told.append(table(count, await measure(count, questions, tokens, only)))
        print(told[-1])
    if keeping:
        KEPT.write_text("\n\n".join(told) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--only", default="", help="techniques whose name has this")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    asyncio.run(main(asked.questions, asked.tokens, asked.only, keeping=asked.keep))
