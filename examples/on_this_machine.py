"""What test-time compute buys on the embedded model: no key, no network once it is installed.

    python examples/on_this_machine.py

A handful of questions are answered three ways: in one pass, by self-consistency, and by best-of-N
with a verifier. The model is small and often wrong; see what the same model does with more compute.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from rich.console import Console
from rich.table import Table

from tscale_graph import Budget, Result, best_of_n, self_consistency
from tscale_graph.answers import answer_kind, same_answer

BUDGET = Budget(tokens=60_000, seconds=120)
SAMPLES = 16


@dataclass(frozen=True)
class Family:
    """Questions of one kind, worked examples to show the model, and the right answers.

    Attributes:
        name: what the questions are about.
        technique: "self_consistency" or "best_of_n", whichever suits them.
        max_output_tokens: what one answer needs.
        examples: questions with the answers that the model should imitate.
        in_one_message: show the examples as "Q: … A: …" in one message, not as turns.
        question: draws a question and its right answer.
    """

    name: str
    technique: str
    max_output_tokens: int
    examples: Sequence[tuple[str, str]]
    question: Callable[[random.Random], tuple[str, str]]
    in_one_message: bool = False

    def messages(self, question: str) -> list[BaseMessage]:
        """The worked examples, then the question."""
        if self.in_one_message:
            shown = "".join(f"Q: {asked}\nA: {answered}\n" for asked, answered in self.examples)
            return [HumanMessage(f"{shown}Q: {question}\nA:")]
        turns: list[BaseMessage] = []
        for asked, answered in self.examples:
            turns += [HumanMessage(asked), AIMessage(answered)]
        return [*turns, HumanMessage(question)]


def _count(word: str, letter: str) -> tuple[str, str]:
    return f"How many times does the letter {letter} appear in {word}?", str(word.count(letter))


_WORDS = [
    "pepper", "balloon", "committee", "mississippi", "strawberry", "coffee", "apple",
    "summer", "butter", "hammer", "bottle", "rabbit", "carrot", "cheese",
    "tomato", "cookie", "dinner", "yellow", "pillow",
]  # fmt: skip


def _letters(rng: random.Random) -> tuple[str, str]:
    word = rng.choice(_WORDS)
    letter = rng.choice(sorted(set(word)))
    return _count(word, letter)


def _equation(rng: random.Random) -> tuple[str, str]:
    factor, root, offset = rng.randint(2, 9), rng.randint(1, 9), rng.randint(1, 20)
    return f"Solve {factor}x + {offset} = {factor * root + offset} for x.", str(root)


LETTERS = Family(
    name="counting letters",
    technique="self_consistency",
    max_output_tokens=20,
    examples=[
        _count(word, letter)
        for word, letter in (
            ("banana", "a"),
            ("window", "w"),
            ("kitten", "z"),
            ("letter", "e"),
            ("puzzle", "z"),
            ("garden", "g"),
        )
    ],
    question=_letters,
    in_one_message=True,
)

EQUATIONS = Family(
    name="linear equations",
    technique="best_of_n",
    max_output_tokens=24,
    examples=[
        ("Solve 2x + 3 = 11 for x.", "x = 4"),
        ("Solve 5x + 1 = 16 for x.", "x = 3"),
        ("Solve 3x + 4 = 10 for x.", "x = 2"),
        ("Solve 4x + 2 = 34 for x.", "x = 8"),
        ("Solve 7x + 6 = 41 for x.", "x = 5"),
        ("Solve 2x + 9 = 21 for x.", "x = 6"),
    ],
    question=_equation,
)


async def answer(family: Family, question: str, *, samples: int, seed: int) -> Result:
    """Answer one question: by one pass, or by the family's technique with `samples` samples."""
    settings = {
        "answer": "number",
        "temperature": 0.8,
        "max_output_tokens": family.max_output_tokens,
        "seed": seed,
        "on_exceeded": "return",
    }
    if family.technique == "best_of_n" and samples > 1:
        graph = best_of_n("local", "equation", n=samples, **settings)
    else:
        graph = self_consistency("local", max_samples=samples, stop="fixed", **settings)
    asked = {"messages": family.messages(question), "budget": BUDGET}
    return (await graph.compile().ainvoke(asked))["result"]


def is_right(result: Result, right: str) -> bool:
    """Whether the answer is the right number."""
    number = answer_kind("number")
    return (
        result.answer is not None
        and number is not None
        and same_answer(result.answer, right, number)
    )


async def main(questions: int = 4) -> None:
    """Print each question with its answers, what was right, and what it cost."""
    console = Console()
    table = Table("question", "right", "one pass", "with more compute", "tokens", box=None)
    rng = random.Random(3)
    for family in (LETTERS, EQUATIONS):
        scores, tokens = [0, 0], [0, 0]
        table.add_row(f"[bold]{family.name}: {family.technique.replace('_', '-')}")
        for number in range(questions):
            question, right = family.question(rng)
            row: list[str] = []
            for place, samples in enumerate((1, SAMPLES)):
                result = await answer(family, question, samples=samples, seed=number)
                correct = is_right(result, right)
                scores[place] += correct
                tokens[place] += result.usage.tokens
                row.append(f"{result.answer} [{'green]right' if correct else 'red]wrong'}[/]")
            table.add_row(question, right, *row, f"{result.usage.tokens:,}")
            console.print(f"[dim]{question} {row[0]} → {row[1]}[/]", highlight=False)
        one, more = (f"{score} of {questions}" for score in scores)
        table.add_row("", "", one, more, f"{tokens[0]:,} → {tokens[1]:,}", end_section=True)
    console.print()
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
