"""What more compute buys on the embedded model, over many questions.

    python -m tests.benchmarks.real_model [questions]

Prints, for each family of questions, how often one pass is right, how often the technique with 16
samples is, the ratio of the two, and its interval: a bootstrap over questions, 2,000 draws. One
pass is measured on every one of the samples, so it is the mean of 16 passes.
"""

import asyncio
import random
import sys

from examples.on_this_machine import EQUATIONS, LETTERS, SAMPLES, Family, answer, is_right
from tscale_graph.answers import answer_kind
from tscale_graph.verifiers import equation

TARGETS = {LETTERS.name: 1.5, EQUATIONS.name: 2.5}


async def measure(family: Family, questions: int) -> tuple[list[float], list[float], list[int]]:
    """For each question: the share of passes that were right, whether the technique was, tokens."""
    rng = random.Random(f"benchmark/{family.name}")
    shares, rights, tokens = [], [], []
    number = answer_kind("number")
    for place in range(questions):
        question, right = family.question(rng)
        # All samples are taken, so that the same ones tell what one pass would have done.
        whole = Family(**{**vars(family), "technique": "self_consistency"})
        result = await answer(whole, question, samples=SAMPLES, seed=1000 * place)
        passes = [c.answer is not None and number.key(c.answer) == right for c in result.candidates]
        shares.append(sum(passes) / SAMPLES)
        if family.technique == "best_of_n":
            checked = [equation(question, c.answer).passed for c in result.candidates if c.answer]
            rights.append(float(any(checked)))
        else:
            rights.append(float(is_right(result, right)))
        tokens.append(result.usage.tokens)
        print(".", end="", flush=True)
    print()
    return shares, rights, tokens


def interval(shares: list[float], rights: list[float]) -> tuple[float, float]:
    """The middle 95 % of the ratio over bootstrap draws of the questions."""
    rng, ratios = random.Random(0), []
    for _ in range(2000):
        drawn = rng.choices(range(len(shares)), k=len(shares))
        one = sum(shares[k] for k in drawn)
        ratios.append(sum(rights[k] for k in drawn) / one if one else float("inf"))
    ratios.sort()
    return ratios[50], ratios[1949]


async def main(questions: int = 50) -> dict[str, float]:
    """Measure both families and print the table."""
    ratios = {}
    for family in (LETTERS, EQUATIONS):
        shares, rights, tokens = await measure(family, questions)
        one, more = sum(shares) / questions, sum(rights) / questions
        ratios[family.name] = more / one if one else float("inf")
        low, high = interval(shares, rights)
        print(
            f"{family.name} ({family.technique}, {SAMPLES} samples, {questions} questions): "
            f"one pass {one:.1%}, with {SAMPLES} {more:.1%}, ratio {more / one:.2f} "
            f"[{low:.2f}, {high:.2f}], target {TARGETS[family.name]}, "
            f"{sum(tokens) / questions:.0f} tokens a question"
        )
    return ratios


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
