"""What test-time compute buys on the embedded model: no key, no network once it is installed.

    python examples/on_this_machine.py [questions of each kind]

A handful of questions are answered in one pass, and then with more compute: letters are counted by
self-consistency, equations solved by best-of-N with a verifier. The model is small and often wrong;
see what the same model does with 16 samples.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tscale_graph import Budget, Result, best_of_n, self_consistency
from tscale_graph.answers import answer_kind, same_answer

BUDGET = Budget(tokens=60_000, seconds=120)
SAMPLES = 16
NUMBER = answer_kind("number")


@dataclass(frozen=True)
class Family:
    """Questions of one kind, worked examples to show the model, and the right answers.

    Attributes:
        name: what the questions are about.
        technique: "self_consistency" or "best_of_n", whichever suits them.
        max_output_tokens: what one answer needs.
        examples: questions with the answers that the model should imitate.
        draw: draws a question and its right answer.
        in_one_message: show the examples as "Q: … A: …" in one message, not as turns.
    """

    name: str
    technique: str
    max_output_tokens: int
    examples: Sequence[tuple[str, str]]
    draw: Callable[[random.Random], tuple[str, str]]
    in_one_message: bool = False

    def questions(self, count: int, *, rng: random.Random) -> list[tuple[str, str]]:
        """So many different questions with their right answers; none of them is an example."""
        shown = {question for question, _ in self.examples}
        found: dict[str, str] = {}
        while len(found) < count:
            question, right = self.draw(rng)
            if question not in shown:
                found[question] = right
        return [*found.items()]

    def messages(self, question: str) -> list[BaseMessage]:
        """The worked examples, then the question."""
        if self.in_one_message:
            shown = "".join(f"Q: {asked}\nA: {answered}\n" for asked, answered in self.examples)
            return [HumanMessage(f"{shown}Q: {question}\nA:")]
        turns: list[BaseMessage] = []
        for asked, answered in self.examples:
            turns += [HumanMessage(asked), AIMessage(answered)]
        return [*turns, HumanMessage(question)]


WORDS = (
    "pepper", "balloon", "committee", "mississippi", "strawberry", "coffee", "apple", "summer",
    "butter", "hammer", "bottle", "rabbit", "carrot", "cheese", "tomato", "cookie", "dinner",
    "yellow", "pillow", "lesson", "mirror", "tunnel", "valley", "cotton", "pattern", "village",
    "hidden", "supper", "gallery", "missing", "success", "address", "bubble", "ladder", "parrot",
)  # fmt: skip


def count_letter(word: str, letter: str) -> tuple[str, str]:
    """The question how often a word has a letter, and the answer."""
    return f"How many times does the letter {letter} appear in {word}?", str(word.count(letter))


def letter_question(rng: random.Random) -> tuple[str, str]:
    """A letter to count in a word that has it."""
    word = rng.choice(WORDS)
    return count_letter(word, rng.choice(sorted(set(word))))


def equation_question(rng: random.Random) -> tuple[str, str]:
    """A linear equation with a whole solution."""
    factor, root, offset = rng.randint(2, 9), rng.randint(1, 9), rng.randint(1, 20)
    return f"Solve {factor}x + {offset} = {factor * root + offset} for x.", str(root)


LETTERS = Family(
    name="counting letters",
    technique="self_consistency",
    max_output_tokens=20,
    examples=[
        count_letter(word, letter)
        for word, letter in (
            ("banana", "a"),
            ("window", "o"),
            ("kitten", "t"),
            ("letter", "e"),
            ("puzzle", "p"),
            ("garden", "g"),
            ("orange", "o"),
            ("sleeve", "e"),
            ("planet", "n"),
            ("silver", "v"),
            ("happen", "p"),
            ("market", "k"),
        )
    ],
    draw=letter_question,
    in_one_message=True,
)

EQUATIONS = Family(
    name="linear equations",
    technique="best_of_n",
    max_output_tokens=12,
    examples=[
        ("Solve 2x + 3 = 11 for x.", "x = 4"),
        ("Solve 5x + 1 = 16 for x.", "x = 3"),
        ("Solve 3x + 4 = 10 for x.", "x = 2"),
        ("Solve 4x + 2 = 34 for x.", "x = 8"),
        ("Solve 7x + 6 = 41 for x.", "x = 5"),
        ("Solve 2x + 9 = 21 for x.", "x = 6"),
    ],
    draw=equation_question,
)


async def passes(family: Family, question: str, *, samples: int, seed: int) -> Result:
    """Answer by a plain vote of so many passes, each taken whatever the others say."""
    graph = self_consistency("local", max_samples=samples, stop="fixed", **_settings(family, seed))
    return await _asked(graph, family, question)


async def with_technique(family: Family, question: str, *, seed: int) -> Result:
    """Answer by the family's technique with at most `SAMPLES` samples."""
    if family.technique == "self_consistency":
        return await passes(family, question, samples=SAMPLES, seed=seed)
    graph = best_of_n("local", "equation", n=SAMPLES, **_settings(family, seed))
    return await _asked(graph, family, question)


def _settings(family: Family, seed: int) -> dict[str, Any]:
    return {
        "answer": "number",
        "temperature": 0.8,
        "max_output_tokens": family.max_output_tokens,
        "seed": seed,
        "on_exceeded": "return",
    }


async def _asked(graph: Any, family: Family, question: str) -> Result:
    asked = {"messages": family.messages(question), "budget": BUDGET}
    return (await graph.compile().ainvoke(asked))["result"]


def is_right(answer: str | None, right: str) -> bool:
    """Whether the answer is the right number."""
    return answer is not None and NUMBER is not None and same_answer(answer, right, NUMBER)


def shown(answer: str | None, right: str) -> Text:
    """An answer and whether it is right; a dash where no answer could be read."""
    correct = is_right(answer, right)
    mark = ("✓", "green") if correct else ("✗", "red")
    return Text.assemble("—" if answer is None else answer, " ", mark)


def table_of(family: Family) -> Table:
    """An empty table for the family's questions, 80 columns wide at most."""
    title = f"{family.name}: {family.technique.replace('_', '-')}"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.width = 80
    table.add_column("question", ratio=1)
    for heading in ("right", "one pass", f"{SAMPLES} samples"):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


async def demonstrate(family: Family, console: Console, *, questions: int) -> None:
    """Print each question with its answers as they come, then how many were right at what cost."""
    table, right_answers, tokens = table_of(family), [0, 0], [0, 0]
    with Live(table, console=console):
        drawn = family.questions(questions, rng=random.Random(f"demo/{family.name}"))
        for seed, (question, right) in enumerate(drawn):
            once = await passes(family, question, samples=1, seed=seed)
            more = await with_technique(family, question, seed=seed)
            for place, result in enumerate((once, more)):
                right_answers[place] += is_right(result.answer, right)
                tokens[place] += result.usage.tokens
            answers = (shown(result.answer, right) for result in (once, more))
            table.add_row(question, right, *answers)
        table.add_section()
        totals = (f"{count} of {questions}" for count in right_answers)
        table.add_row(Text("right", style="bold"), "", *totals)
        table.add_row(Text("tokens", style="bold"), "", *(f"{count:,}" for count in tokens))
    console.print()


async def main(questions: int = 6) -> None:
    """Answer so many questions of each family."""
    console = Console()
    for family in (LETTERS, EQUATIONS):
        await demonstrate(family, console, questions=questions)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
