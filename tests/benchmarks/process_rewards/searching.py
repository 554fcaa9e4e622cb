"""Beam search with the process reward model, beside best-of-N with it at the same tokens.

    python -m tests.benchmarks.process_rewards.searching [--questions 50] [--tokens 4000] [--keep]

The embedded model, the held-out test questions of each family, the worked examples that the model
was trained with. Each search may spend `--tokens` on a question; best-of-N then gets, question by
question, what the first search has spent, and chooses by the score of the whole solution; and, in
another row, as many samples as make up what that search has written: a search pays for the prompt
at every step, best-of-N once. `--keep` writes the table to `searching.md` beside this file.
"""

import argparse
import asyncio
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from tests.benchmarks.process_rewards.families import FAMILIES, Family, Problem, problems
from tests.benchmarks.searching import difference, wilson
from tscale_graph import Budget, Result, beam_search, best_of_n

KEPT = Path(__file__).with_name("searching.md")
Build = Callable[[int], Any]


def _common(seed: int) -> dict[str, Any]:
    return {
        "temperature": 0.8, "seed": seed, "on_exceeded": "return", "answer": "number",
        "max_output_tokens": 64,
    }  # fmt: skip


def _beam(beams: int, width: int) -> Build:
    def build(seed: int) -> Any:
        return beam_search(
            "local", "prm", beams=beams, width=width, steps="line",
            step_tokens=24, max_steps=6, **_common(seed),
        )  # fmt: skip

    return build


SEARCHES: dict[str, Build] = {
    "beam search, 4 beams of 4": _beam(4, 4),
}


def best(seed: int, *, n: int = 1000) -> Any:
    return best_of_n("local", "prm", n=n, select="max", stop="fixed", **_common(seed))


TOKENS_OF_A_SOLUTION = 25
"""What the embedded model writes on a question of these families."""


WHY = """With as much written, searching and sampling are equal within their intervals. At the same
tokens best-of-N is ahead: its samples share one prompt, with six worked examples, in each request,
and a search pays for that prompt again for every solution that it goes on from. Where prompts are
short beside solutions, or cached ones cost little, that is different."""
AS_MUCH_WRITTEN = "best-of-N, as much written"


@dataclass
class Row:
    """How one technique did: for each question whether it was right, and what it spent."""

    right: list[bool] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    output_tokens: list[int] = field(default_factory=list)

    def add(self, result: Result, answer: int) -> None:
        self.right.append(result.answer == str(answer))
        self.tokens.append(result.usage.tokens)
        self.output_tokens.append(result.usage.output_tokens)


def messages(shown: list[Problem], asked: str) -> list[Any]:
    turns: list[Any] = []
    for one in shown:
        turns += [HumanMessage(one.question), AIMessage(one.solution)]
    return [*turns, HumanMessage(asked)]


async def measure(family: Family, questions: int, tokens: int) -> dict[str, Row]:
    shown, _, test = problems(family)
    rows = {name: Row() for name in (*SEARCHES, "best-of-N", AS_MUCH_WRITTEN)}
    for place, problem in enumerate(test[:questions]):
        seed = 10_000 * place

        async def run(graph: Any, budget: int, asked: str = problem.question) -> Result:
            state = {"messages": messages(shown, asked), "budget": Budget(tokens=budget)}
            return (await graph.compile().ainvoke(state))["result"]

        spent = written = 0
        for name, build in SEARCHES.items():
            result = await run(build(seed), tokens)
            rows[name].add(result, problem.answer)
            spent = spent or result.usage.tokens
            written = written or result.usage.output_tokens
        rows["best-of-N"].add(await run(best(seed), spent), problem.answer)
        samples = max(1, written // TOKENS_OF_A_SOLUTION)
        rows[AS_MUCH_WRITTEN].add(await run(best(seed, n=samples), 10 * tokens), problem.answer)
        print(".", end="", flush=True)
    print()
    return rows


def table(family: str, rows: dict[str, Row]) -> str:
    lines = [
        f"| {family} | right (95 %) | against best-of-N (95 %) | tokens | generated |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        count = len(row.right)
        low, high = wilson(sum(row.right), count)
        against = ""
        if name != "best-of-N":
            more, least, most = difference(row.right, rows["best-of-N"].right)
            against = f"{more:+.0%} ({least:+.0%} to {most:+.0%})"
        lines.append(
            f"| {name} | {sum(row.right) / count:.0%} ({low:.0%}–{high:.0%}) | {against} | "
            f"{sum(row.tokens) / count:,.0f} | {sum(row.output_tokens) / count:,.0f} |"
        )
    return "\n".join(lines)


async def main(questions: int, tokens: int, only: str, *, keeping: bool) -> None:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    told = [
        f"The embedded model, {questions} held-out questions of each family, at most {tokens:,} "
        f"tokens each, measured on {date.today()} on {machine} by "
        "`python -m tests.benchmarks.process_rewards.searching`."
    ]
    for family in FAMILIES:
        if only in family.name and family.train:
            told.append(table(family.name, await measure(family, questions, tokens)))
            print(told[-1], flush=True)
    if keeping:
        KEPT.write_text("\n\n".join([*told, WHY]) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--only", default="", help="families whose name has this")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    asyncio.run(main(asked.questions, asked.tokens, asked.only, keeping=asked.keep))
