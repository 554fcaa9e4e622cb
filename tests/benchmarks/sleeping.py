"""What sleeping buys: contexts come first, questions on them later, on the embedded model.

    python -m tests.benchmarks.sleeping [--contexts 12] [--keep]

In the manner of Stateful GSM-Symbolic (Lin et al. 2025, arXiv:2504.13171): each context has some
words and worked examples, and five questions how often a letter is in one of its words. Every
question is answered from scratch, by a vote over samples that read the whole context; and after a
sleep that was told some of them (all, four or two of five: how predictable they are), by the same
technique behind `wake`. Accuracy, tokens and seconds of answering, paired by question; and what a
question costs with its part of the sleep, over 1, 2, 5 and 10 questions on a context, which are
asked again where there are more than five. `--keep` writes the table into docs/sleep-time.md.
"""

import argparse
import asyncio
import os
import platform
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean

from langgraph.store.memory import InMemoryStore
from rich.console import Console

from examples.on_this_machine import LETTERS, WORDS, count_letter, is_right
from tests.benchmarks.results import between
from tests.benchmarks.stopping import interval
from tscale_graph import Budget, self_consistency, sleep_time, wake
from tscale_graph.models.nested import TechniqueGraph

MANUAL = Path(__file__).parents[2] / "docs/sleep-time.md"
BEGIN, END = "<!-- sleeping: begin -->\n", "<!-- sleeping: end -->"
QUESTIONS = 5
KNOWN = (5, 4, 2)
SPREAD = (1, 2, 5, 10)
PLENTY = Budget(tokens=1_000_000)
SHOWN = "".join(f"Q: {question}\nA: {answer}\n" for question, answer in LETTERS.examples)


@dataclass(frozen=True)
class Context:
    """A standing context, with questions and their right answers."""

    text: str
    asked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answered:
    """What became of one question."""

    right: float
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One way to answer every question of every context.

    Attributes:
        answers: by context and question.
        slept: tokens of sleep, by context; nothing from scratch.
    """

    answers: Sequence[Sequence[Answered]]
    slept: Sequence[int]

    def flat(self, name: str) -> list[float]:
        """One figure of every answer, in order."""
        return [float(getattr(one, name)) for each in self.answers for one in each]

    def amortised(self, questions: int) -> float:
        """Tokens of a question, its part of the sleep included, over so many on each context."""
        return fmean(self.slept) / questions + fmean(self.flat("tokens"))


def contexts(count: int) -> list[Context]:
    """So many contexts of three words each, and their questions."""
    found: list[Context] = []
    for place in range(count):
        rng = random.Random(f"benchmark/sleeping/{place}")
        words = rng.sample(WORDS, 3)
        pairs = [(word, letter) for word in words for letter in sorted(set(word))]
        asked = tuple(count_letter(*pair) for pair in rng.sample(pairs, QUESTIONS))
        found.append(Context(f"Words: {', '.join(words)}.\n\n{SHOWN}", asked))
    return found


def technique(seed: int) -> TechniqueGraph:
    """The same before and after."""
    return self_consistency(
        "local", max_samples=16, answer="number", temperature=0.8, max_output_tokens=20, seed=seed
    )


async def measure(found: Sequence[Context], *, known: int | None) -> Measured:
    """Answer every question, after a sleep that was told so many of each context; None: without."""
    answers: list[list[Answered]] = []
    slept: list[int] = []
    for place, context in enumerate(found):
        store = InMemoryStore()
        if known is None:
            slept.append(0)
        else:
            slept.append(await _sleep(context, store, known=known, seed=10_000 + place))
        answers.append([
            await _ask(context, store, question, right, seed=20_000 + 10 * place + k)
            for k, (question, right) in enumerate(context.asked)
        ])  # fmt: skip
        print(".", end="", flush=True)
    print()
    return Measured(answers, slept)


async def _sleep(context: Context, store: InMemoryStore, *, known: int, seed: int) -> int:
    graph = sleep_time(
        "local",
        technique=technique(seed),
        questions=known,
        support=0.01,  # the vote stands, as it does from scratch
        max_output_tokens=128,
        seed=seed,
    )
    expected = [question for question, _ in context.asked[:known]]
    given = {"context": context.text, "questions": expected, "budget": PLENTY}
    slept = (await graph.compile(store=store).ainvoke(given))["slept"]
    return slept.usage.tokens


async def _ask(
    context: Context, store: InMemoryStore, question: str, right: str, *, seed: int
) -> Answered:
    graph = wake(technique(seed), context=context.text, remember=False).compile(store=store)
    out = await graph.ainvoke({"messages": [("user", question)], "budget": PLENTY})
    usage = out["result"].usage
    return Answered(float(is_right(out["result"].answer, right)), usage.tokens, usage.seconds)


def table(scratch: Measured, after: dict[int, Measured]) -> str:
    """The figures as Markdown."""
    several = " / ".join(str(count) for count in SPREAD)
    lines = [
        f"`python -m tests.benchmarks.sleeping`, {date.today()}, {_machine()}: the embedded model, "
        f"{len(scratch.answers)} contexts with {QUESTIONS} questions each.",
        "",
        "| | right | beside from scratch, points (95 %) | tokens | seconds | "
        f"tokens with sleep, over {several} |",
        "| --- | --- | --- | --- | --- | --- |",
        _row("from scratch", scratch, scratch),
    ]
    for known, measured in after.items():
        lines.append(_row(f"{known} of {QUESTIONS} expected", measured, scratch))
    return "\n".join(lines) + "\n"


def _row(name: str, measured: Measured, scratch: Measured) -> str:
    right, before = measured.flat("right"), scratch.flat("right")
    gains = [one - other for one, other in zip(right, before, strict=True)]
    beside = "–"
    if measured is not scratch:
        low, high = interval(gains)
        beside = f"{100 * fmean(gains):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    tokens, seconds = fmean(measured.flat("tokens")), fmean(measured.flat("seconds"))
    spread = " / ".join(f"{measured.amortised(count):,.0f}" for count in SPREAD)
    cells = (
        name,
        f"{100 * fmean(right):.1f} %",
        beside,
        f"{tokens:,.0f}",
        f"{seconds:.2f}",
        spread,
    )
    return f"| {' | '.join(cells)} |"


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()})"


async def run(count: int) -> str:
    """Measure all of it; the table."""
    found = contexts(count)
    scratch = await measure(found, known=None)
    after = {known: await measure(found, known=known) for known in KNOWN}
    return table(scratch, after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--contexts", type=int, default=12)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    text = asyncio.run(run(asked.contexts))
    Console(soft_wrap=True).print(text, markup=False)
    if asked.keep:
        page = MANUAL.read_text(encoding="utf-8")
        MANUAL.write_text(between(BEGIN, END, text, page=page), encoding="utf-8")


if __name__ == "__main__":
    main()
