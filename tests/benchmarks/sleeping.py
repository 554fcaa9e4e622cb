"""What sleeping buys: contexts come first, questions on them later.

    python -m tests.benchmarks.sleeping [--contexts 24] [--keep]

In the manner of Stateful GSM-Symbolic (Lin et al. 2025, arXiv:2504.13171): every question is
answered from scratch, by a vote over samples that read the whole context; and after a sleep, by
the same technique behind `wake`. Accuracy, tokens and seconds of answering, paired by question; and
what a question costs with its part of the sleep, over 1, 2, 5 and 10 questions on a context.

- Words: each context has some words and worked examples, and five questions how often a letter is
  in one of its words, for the embedded model, which is too small to think of questions or to
  rewrite a text: the sleep is told all, four or two of the five, so predictable they are.
- Stories: each context has a chain of statements on who has how many apples, among others, and five
  questions on people late in the chain, for a scripted model that works out a step at a time and
  slips in one of 25. It thinks of the questions and rewrites the story by itself; people
  ask them in its words, or in others, for which there is the dense context alone.

`--keep` writes the tables into docs/sleep-time.md.
"""

import argparse
import asyncio
import os
import platform
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from langgraph.store.memory import InMemoryStore
from rich.console import Console

from examples.on_this_machine import LETTERS, WORDS, count_letter
from tests.benchmarks.results import between
from tests.benchmarks.stopping import interval
from tests.reasoner import Reasoner
from tscale_graph import Budget, self_consistency, sleep_time, wake
from tscale_graph.answers import answer_kind, same_answer
from tscale_graph.models.nested import TechniqueGraph

MANUAL = Path(__file__).parents[2] / "docs/sleep-time.md"
BEGIN, END = "<!-- sleeping: begin -->\n", "<!-- sleeping: end -->"
QUESTIONS = 5
KNOWN = (5, 4, 2)
SPREAD = (1, 2, 5, 10)
PLENTY = Budget(tokens=1_000_000)
NUMBER = answer_kind("number")
SHOWN = "".join(f"Q: {question}\nA: {answer}\n" for question, answer in LETTERS.examples)
PEOPLE = ("Ann", "Bob", "Cem", "Dana", "Eve", "Finn", "Gina", "Hugo", "Ida", "Jon")
ASIDES = (
    "The market opens early, and most of the stalls are full by eight o'clock.",
    "It had rained in the night, so the baskets were brought in under the roof.",
    "Nobody remembers who had the idea of counting everything that was sold that day.",
    "A dog slept beside the scales and could not be moved by anybody.",
)


@dataclass(frozen=True)
class Context:
    """A standing context, with questions and their right answers."""

    text: str
    asked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Subject:
    """Who is asked, and how.

    Attributes:
        technique: by a seed, the same before and after.
        model: by a seed, works ahead.
        sleeping: more arguments of `sleep_time`.
        known: questions of each context that the sleep is told; None: it thinks of them by itself.
        worded: what people make of a question's words.
    """

    technique: Callable[[int], TechniqueGraph]
    model: Callable[[int], Any]
    sleeping: dict[str, Any] = field(default_factory=dict)
    known: int | None = None
    worded: Callable[[str], str] = str


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


def words(count: int) -> list[Context]:
    """So many contexts of three words each, and their questions."""
    found: list[Context] = []
    for place in range(count):
        rng = random.Random(f"benchmark/sleeping/{place}")
        chosen = rng.sample(WORDS, 3)
        pairs = [(word, letter) for word in chosen for letter in sorted(set(word))]
        asked = tuple(count_letter(*pair) for pair in rng.sample(pairs, QUESTIONS))
        found.append(Context(f"Words: {', '.join(chosen)}.\n\n{SHOWN}", asked))
    return found


def stories(count: int) -> list[Context]:
    """So many contexts with a chain of ten people, and questions on the last five."""
    found: list[Context] = []
    for place in range(count):
        rng = random.Random(f"benchmark/stories/{place}")
        people = rng.sample(PEOPLE, len(PEOPLE))
        apples = rng.randint(2, 9)
        told, counts = [f"{people[0]} has {apples} apples."], {people[0]: apples}
        for before, name in pairwise(people):
            how = rng.choice(["times as many", "more", "more", "fewer"])
            if how == "fewer" and apples < 3:
                how = "more"
            by = rng.randint(2, 3 if how == "times as many" else min(9, max(2, apples - 1)))
            apples = {"times as many": apples * by, "more": apples + by, "fewer": apples - by}[how]
            than = "as" if how == "times as many" else "than"
            told.append(f"{name} has {by} {how} apples {than} {before}.")
            counts[name] = apples
        sentences = [*told, *ASIDES]
        rng.shuffle(sentences)
        asked = [(f"How many apples does {name} have?", str(counts[name])) for name in people[5:]]
        found.append(Context(" ".join(sentences), tuple(asked)))
    return found


def embedded(seed: int) -> TechniqueGraph:
    """A vote of the embedded model's samples."""
    return self_consistency(
        "local", max_samples=16, answer="number", temperature=0.8, max_output_tokens=20, seed=seed
    )


def reasoner(seed: int) -> Reasoner:
    """The scripted model, which slips in one step of 25."""
    return Reasoner(slip=0.04, rng=random.Random(seed))


def reasoning(seed: int) -> TechniqueGraph:
    """A vote of its samples."""
    return self_consistency(reasoner(seed), max_samples=8, answer="number", max_output_tokens=400)


OF_WORDS = Subject(
    embedded,
    lambda _: "local",
    # The vote stands as it does from scratch, whatever its share.
    {"questions": QUESTIONS, "support": 0.01, "max_output_tokens": 128},
)
OF_STORIES = Subject(reasoning, reasoner, {"max_output_tokens": 400})


async def measure(found: Sequence[Context], subject: Subject, *, sleeps: bool = True) -> Measured:
    """Answer every question, after a sleep or from scratch."""
    answers: list[list[Answered]] = []
    slept: list[int] = []
    for place, context in enumerate(found):
        store, seed = InMemoryStore(), 10_000 + 100 * place
        slept.append(await _sleep(context, store, subject, seed=seed) if sleeps else 0)
        answers.append([
            await _ask(context, store, subject, asked, seed=seed + k + 1)
            for k, asked in enumerate(context.asked)
        ])  # fmt: skip
        print(".", end="", flush=True)
    print()
    return Measured(answers, slept)


async def _sleep(context: Context, store: InMemoryStore, subject: Subject, *, seed: int) -> int:
    given: dict[str, Any] = {"context": context.text, "budget": PLENTY}
    more = dict(subject.sleeping)
    if subject.known is not None:
        more["questions"] = subject.known
        given["questions"] = [question for question, _ in context.asked[: subject.known]]
    graph = sleep_time(
        subject.model(seed), technique=subject.technique(seed), seed=seed, **more
    ).compile(store=store)
    return (await graph.ainvoke(given))["slept"].usage.tokens


async def _ask(
    context: Context, store: InMemoryStore, subject: Subject, asked: tuple[str, str], *, seed: int
) -> Answered:
    question, right = asked
    graph = wake(subject.technique(seed), context=context.text).compile(store=store)
    messages = [("user", subject.worded(question))]
    result = (await graph.ainvoke({"messages": messages, "budget": PLENTY}))["result"]
    good = result.answer is not None and same_answer(result.answer, right, NUMBER)
    return Answered(float(good), result.usage.tokens, result.usage.seconds)


def otherwise(question: str) -> str:
    """A question on apples in words that no model here thinks of."""
    name = question.split()[-2]
    return f"What is the number of apples that {name} has?"


def table(scratch: Measured, after: dict[str, Measured]) -> str:
    """The figures as Markdown."""
    several = " / ".join(str(count) for count in SPREAD)
    lines = [
        "| | right | beside from scratch, points (95 %) | tokens | fewer | seconds | "
        f"tokens with sleep, over {several} |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        _row("from scratch", scratch, scratch),
        *(_row(name, measured, scratch) for name, measured in after.items()),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, measured: Measured, scratch: Measured) -> str:
    right, tokens = fmean(measured.flat("right")), fmean(measured.flat("tokens"))
    beside = fewer = "–"
    if measured is not scratch:
        pairs = zip(measured.flat("right"), scratch.flat("right"), strict=True)
        gains = [one - other for one, other in pairs]
        low, high = interval(gains)
        beside = f"{100 * fmean(gains):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        fewer = f"{fmean(scratch.flat('tokens')) / tokens:.1f} ×" if tokens else "all"
    seconds = fmean(measured.flat("seconds"))
    spread = " / ".join(f"{measured.amortised(count):,.0f}" for count in SPREAD)
    cells = (
        name,
        f"{100 * right:.1f} %",
        beside,
        f"{tokens:,.0f}",
        fewer,
        f"{seconds:.2f}",
        spread,
    )
    return re.sub(r"-(?=\d)", "−", f"| {' | '.join(cells)} |")


async def run(count: int) -> str:
    """Measure all of it; the tables."""
    found = words(count)
    of_words = table(
        await measure(found, OF_WORDS, sleeps=False),
        {
            f"{known} of {QUESTIONS} expected": await measure(found, replace(OF_WORDS, known=known))
            for known in KNOWN
        },
    )
    told = stories(4 * count)
    of_stories = table(
        await measure(told, OF_STORIES, sleeps=False),
        {
            "asked as anticipated": await measure(told, OF_STORIES),
            "asked in other words": await measure(told, replace(OF_STORIES, worded=otherwise)),
        },
    )
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return (
        f"`python -m tests.benchmarks.sleeping`, {date.today()}, {machine}. Questions on words, "
        f"which the embedded model reads ({count} contexts, {QUESTIONS} questions each):\n\n"
        f"{of_words}\nQuestions on stories, which a scripted model works out a step at a time, "
        f"slipping in one of 25 ({4 * count} contexts, {QUESTIONS} questions each):\n\n{of_stories}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--contexts", type=int, default=24)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    text = asyncio.run(run(asked.contexts))
    Console(soft_wrap=True).print(text, markup=False)
    if asked.keep:
        page = MANUAL.read_text(encoding="utf-8")
        MANUAL.write_text(between(BEGIN, END, text, page=page), encoding="utf-8")


if __name__ == "__main__":
    main()
