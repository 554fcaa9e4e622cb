"""What thinking buys on the embedded model, beside as many tokens spent on votes.

    python -m tests.benchmarks.thinking [--questions 60] [--family equations] [--thoughts 16 64]

One pass, a thought of at most so many tokens before the answer, and a vote of as many samples as
the mean tokens of that pay for, all on the same questions, each question under its own seed. For
each: the share that was right, with a bootstrap interval over questions; the difference from one
pass question by question, with its interval; and the mean tokens, prompts included.
"""

import argparse
import asyncio
import math
import os
import platform
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from tests.recordings.families import FAMILIES, Asked, Family
from tscale_graph import Budget, Result, extended_thinking, self_consistency
from tscale_graph.answers import answer_kind, same_answer
from tscale_graph.models.embedded import SLOTS

DRAWS = 2000
AT_ONCE = 8
BUDGET = Budget(tokens=60_000)


@dataclass(frozen=True)
class Row:
    """How one technique did.

    Attributes:
        name: what it was.
        right: [questions] whether its answer was right.
        results: [questions] what came of it.
    """

    name: str
    right: Sequence[bool]
    results: Sequence[Result]

    @property
    def tokens(self) -> float:
        """Mean tokens of a question."""
        return sum(result.usage.tokens for result in self.results) / len(self.results)


def samples_for(tokens: float, *, prompt: float, output: float) -> int:
    """The most samples of one vote that so many tokens pay for, at least 1.

    Args:
        tokens: to spend on a question.
        prompt: tokens of the prompt, which each request for up to `SLOTS` samples pays for.
        output: mean tokens of a sample.

    >>> samples_for(300, prompt=100, output=10)
    16
    """
    count = 1
    while math.ceil((count + 1) / SLOTS) * prompt + (count + 1) * output <= tokens:
        count += 1
    return count


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of a value of each question, and the middle 95 % of it over bootstrap draws."""
    rng = random.Random(0)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(DRAWS))
    return sum(values) / len(values), means[round(0.025 * DRAWS)], means[round(0.975 * DRAWS) - 1]


async def row(name: str, family: Family, drawn: Sequence[Asked], build: Any) -> Row:
    """Ask every question, several side by side."""
    room, kind = asyncio.Semaphore(AT_ONCE), answer_kind(family.answer)

    async def ask(place: int, question: str) -> Result:
        turns: list[Any] = []
        for asked, answered in family.examples:
            turns += [HumanMessage(asked), AIMessage(answered)]
        state = {"messages": [*turns, HumanMessage(question)], "budget": BUDGET}
        async with room:
            return (await build(1000 * place).compile().ainvoke(state))["result"]

    results = await asyncio.gather(*(ask(k, one["question"]) for k, one in enumerate(drawn)))
    right = [
        result.answer is not None and same_answer(result.answer, one["gold"], kind)
        for result, one in zip(results, drawn, strict=True)
    ]
    print(".", end="", flush=True)
    return Row(name, right, results)


async def measure(family: Family, questions: int, thoughts: Sequence[int]) -> list[Row]:
    """One pass, then for each length of a thought the thought and the vote that costs as much."""
    common: dict[str, Any] = {
        "answer": family.answer,
        "temperature": family.temperature,
        "max_output_tokens": family.max_output_tokens,
    }
    drawn = family.questions(questions)

    def vote(samples: int) -> Any:
        return lambda seed: self_consistency(
            "local", max_samples=samples, stop="fixed", seed=seed, **common
        )

    def thought(tokens: int) -> Any:
        return lambda seed: extended_thinking("local", thinking_tokens=tokens, seed=seed, **common)

    rows = [await row("one pass", family, drawn, vote(1))]
    used = [result.usage for result in rows[0].results]
    prompt = sum(usage.input_tokens for usage in used) / questions
    output = sum(usage.output_tokens for usage in used) / questions
    for tokens in thoughts:
        name = f"extended_thinking, thinking_tokens={tokens}"
        rows.append(await row(name, family, drawn, thought(tokens)))
        samples = samples_for(rows[-1].tokens, prompt=prompt, output=output)
        name = f"self_consistency, {samples} samples"
        rows.append(await row(name, family, drawn, vote(samples)))
    return rows


def table(family: Family, rows: Sequence[Row]) -> str:
    """The rows as a markdown table, each beside one pass."""
    lines = [
        f"| {family.name} | right (95 %) | against one pass (95 %) | mean tokens |",
        "| --- | --- | --- | --- |",
    ]
    for one in rows:
        share, low, high = interval([float(right) for right in one.right])
        more, least, most = interval(
            [right - alone for right, alone in zip(one.right, rows[0].right, strict=True)]
        )
        against = "" if one is rows[0] else f"{more:+.0%} ({least:+.0%} to {most:+.0%})"
        lines.append(
            f"| {one.name} | {share:.0%} ({low:.0%}–{high:.0%}) | {against} | {one.tokens:,.0f} |"
        )
    return "\n".join(lines)


async def main(names: Sequence[str], questions: int, thoughts: Sequence[int]) -> None:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    print(f"The embedded model, {questions} questions, measured on {date.today()} on {machine}:")
    for name in names:
        rows = await measure(FAMILIES[name], questions, thoughts)
        print(f"\n{table(FAMILIES[name], rows)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument(
        "--family", nargs="+", choices=["equations", "letters"], default=["equations"]
    )
    parser.add_argument("--thoughts", type=int, nargs="+", default=[16, 64])
    asked = parser.parse_args()
    asyncio.run(main(asked.family, asked.questions, asked.thoughts))
