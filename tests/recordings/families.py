"""Families of questions with known or checkable answers, drawn from seeded generators.

Each question can be answered in a few tokens, and a small model is right now and then: often
enough that more samples help, seldom enough that they are needed. Voting helps with the letters;
of the others the most frequent answer is no better than any, but a verifier can tell. Letters and
equations are those that the demonstration asks.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples import on_this_machine
from examples.on_this_machine import equation_question, letter_question

Asked = dict[str, str]
Example = tuple[str, str]


@dataclass(frozen=True)
class Family:
    """Questions of one kind, and how the model is asked.

    Attributes:
        name: also the name of its recording.
        examples: questions with the answers that the model should imitate.
        draw: draws one question: its text, with a "gold" answer or a "verifier" or both.
        answer: how answers are read.
        in_one_message: show the examples as "Q: … A: …" in one message, not as turns.
        temperature: of sampling.
        max_output_tokens: what one answer needs.
    """

    name: str
    examples: Sequence[Example]
    draw: Callable[[random.Random], Asked]
    answer: str
    in_one_message: bool = False
    temperature: float = 0.8
    max_output_tokens: int = 16

    def questions(self, count: int) -> list[Asked]:
        """The first `count` different questions; none of them is one of the examples."""
        rng = random.Random(f"recordings/{self.name}")
        shown = {question for question, _ in self.examples}
        found: dict[str, Asked] = {}
        while len(found) < count:
            asked = self.draw(rng)
            if asked["question"] not in shown:
                found.setdefault(asked["question"], asked)
        return [{"id": f"{self.name}/{k}", **asked} for k, asked in enumerate(found.values())]


def _letters(rng: random.Random) -> Asked:
    question, gold = letter_question(rng)
    return {"question": question, "gold": gold}


def _equation(rng: random.Random) -> Asked:
    question, gold = equation_question(rng)
    return {"question": question, "gold": gold, "verifier": "equation"}


_FORMS: dict[str, Callable[[int, int, int], int]] = {
    "{} + {} + {}": lambda a, b, c: a + b + c,
    "{} + {} - {}": lambda a, b, c: a + b - c,
    "{} * {} + {}": lambda a, b, c: a * b + c,
    "{} * {} - {}": lambda a, b, c: a * b - c,
}


def _countdown(rng: random.Random) -> Asked:
    numbers = rng.sample(range(1, 11), 3)
    form = rng.choice(sorted(_FORMS))
    target = _FORMS[form](*numbers)
    shown = ", ".join(map(str, rng.sample(numbers, 3)))
    return {
        "question": f"Use the numbers {shown} to make {target}.",
        "verifier": "countdown",
    }


_NOUNS = (
    "river", "garden", "window", "teacher", "bread", "music", "winter", "doctor", "bridge",
    "letter", "horse", "kitchen", "island", "forest", "train", "clock", "farmer", "market",
    "candle", "mountain", "blanket", "school", "engine", "painter", "harbour",
)  # fmt: skip


def _sentence(rng: random.Random) -> Asked:
    words, noun = rng.randint(5, 9), rng.choice(_NOUNS)
    return {
        "question": f'Write one sentence of exactly {words} words with the word "{noun}".',
        "verifier": f"constraints:words={words},contains={noun}",
    }


LETTERS = Family(
    name="letters",
    examples=on_this_machine.LETTERS.examples,
    draw=_letters,
    answer="number",
    max_output_tokens=6,
)

EQUATIONS = Family(
    name="equations",
    examples=on_this_machine.EQUATIONS.examples,
    draw=_equation,
    answer="number",
    max_output_tokens=12,
)

COUNTDOWN = Family(
    name="countdown",
    examples=(
        ("Use the numbers 2, 3, 4 to make 10.", "2 * 3 + 4"),
        ("Use the numbers 5, 1, 7 to make 13.", "5 + 7 + 1"),
        ("Use the numbers 9, 6, 2 to make 13.", "9 + 6 - 2"),
        ("Use the numbers 3, 8, 5 to make 19.", "3 * 8 - 5"),
        ("Use the numbers 4, 10, 3 to make 17.", "4 + 10 + 3"),
        ("Use the numbers 7, 2, 6 to make 20.", "7 * 2 + 6"),
    ),
    draw=_countdown,
    answer="text",
    temperature=1.0,
    max_output_tokens=16,
)

SENTENCES = Family(
    name="sentences",
    examples=(
        (
            'Write one sentence of exactly 5 words with the word "dog".',
            "The dog slept all day.",
        ),
        (
            'Write one sentence of exactly 7 words with the word "rain".',
            "The rain fell softly on the roof.",
        ),
        (
            'Write one sentence of exactly 6 words with the word "ship".',
            "A ship sailed into the night.",
        ),
        (
            'Write one sentence of exactly 8 words with the word "king".',
            "The old king gave his crown to nobody.",
        ),
    ),
    draw=_sentence,
    answer="text",
    max_output_tokens=24,
)

FAMILIES = {f.name: f for f in (LETTERS, EQUATIONS, COUNTDOWN, SENTENCES)}
