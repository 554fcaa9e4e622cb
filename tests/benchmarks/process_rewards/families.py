"""Families of questions whose solutions have steps, each with examples of how to write them.

    python -m tests.benchmarks.process_rewards.families FOLDER

Writes `NAME-train.jsonl`, `NAME-test.jsonl` and `NAME-examples.jsonl` for each family. The numbers
are such that the embedded model is right in one pass about one time in three: where it is always
right or always wrong, completions tell nothing about steps.
"""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TRAIN, TEST = 100, 50
SEED = 20261126


@dataclass(frozen=True)
class Problem:
    """A question with its right solution.

    Attributes:
        question: what is asked.
        lines: of the solution, each an equation.
        answer: the number asked for.
    """

    question: str
    lines: tuple[str, ...]
    answer: int

    @property
    def solution(self) -> str:
        return "\n".join([*self.lines, f"The answer is {self.answer}."])


@dataclass(frozen=True)
class Family:
    """A kind of question.

    Attributes:
        name: of its files.
        draw: one problem at random.
        train: how many to learn from; 0 for one that is only tested on.
    """

    name: str
    draw: Callable[[random.Random], Problem]
    train: int = TRAIN


def equation(rng: random.Random) -> Problem:
    a, x, b = rng.randint(2, 5), rng.randint(2, 10), rng.randint(1, 9)
    if a * x > 20:
        return equation(rng)
    c = a * x + b
    lines = (f"{c} - {b} = {a * x}", f"{a * x} / {a} = {x}")
    return Problem(f"Solve {a}x + {b} = {c} for x.", lines, x)


def chain(rng: random.Random) -> Problem:
    return _chained("Compute {} from left to right.", [rng.randint(1, 9) for _ in range(3)], rng)


def total(rng: random.Random) -> Problem:
    a, b, c, d = numbers = [rng.randint(1, 5) for _ in range(4)]
    lines = (
        f"{a} + {b} = {a + b}",
        f"{a + b} + {c} = {a + b + c}",
        f"{a + b + c} + {d} = {sum(numbers)}",
    )
    return Problem(f"Add the numbers {a}, {b}, {c} and {d}.", lines, sum(numbers))


def story(rng: random.Random) -> Problem:
    name, thing = rng.choice(_NAMES), rng.choice(_THINGS)
    a, b = rng.randint(1, 5), rng.randint(1, 5)
    c = rng.randint(1, min(5, a + b))
    gains, loses = rng.choice(_GAINS), rng.choice(_LOSSES)
    asked = f"{name} has {a} {thing}. {name} {gains} {b} and then {loses} {c}."
    lines = (f"{a} + {b} = {a + b}", f"{a + b} - {c} = {a + b - c}")
    return Problem(f"{asked} How many {thing} does {name} have now?", lines, a + b - c)


_GAINS, _LOSSES = ("finds", "buys", "gets"), ("loses", "sells", "eats")
_NAMES = ("Anna", "Ben", "Carla", "David", "Emma", "Frank")
_THINGS = ("apples", "cookies", "nuts", "pears", "plums", "buns")

FAMILIES = (
    Family("equations", equation),
    Family("chains", chain),
    Family("stories", story),
    Family("sums", total, train=0),
)


def _chained(asked: str, numbers: list[int], rng: random.Random) -> Problem:
    value, told, lines = numbers[0], str(numbers[0]), list[str]()
    for number in numbers[1:]:
        sign = rng.choice("+-") if value >= number else "+"
        result = value + number if sign == "+" else value - number
        lines.append(f"{value} {sign} {number} = {result}")
        told, value = f"{told} {sign} {number}", result
    return Problem(asked.format(told), tuple(lines), value)


def problems(family: Family) -> tuple[list[Problem], list[Problem], list[Problem]]:
    """To show, to train on and to test on; no question is there twice."""
    rng = random.Random(f"{SEED}/{family.name}")
    found: dict[str, Problem] = {}
    while len(found) < 6 + family.train + TEST:
        problem = family.draw(rng)
        found.setdefault(problem.question, problem)
    drawn = list(found.values())
    return drawn[:6], drawn[6 : 6 + family.train], drawn[6 + family.train :]


def write(folder: Path) -> None:
    """Write the files of all families."""
    folder.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        shown, train, test = problems(family)
        examples = [{"question": one.question, "answer": one.solution} for one in shown]
        _lines(folder / f"{family.name}-examples.jsonl", examples)
        for part, drawn in (("train", train), ("test", test)):
            asked = [
                {
                    "id": f"{family.name}-{part}-{k:03}",
                    "question": one.question,
                    "gold": str(one.answer),
                }
                for k, one in enumerate(drawn)
            ]
            if asked:
                _lines(folder / f"{family.name}-{part}.jsonl", asked)


def _lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
