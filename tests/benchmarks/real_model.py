"""What more compute buys on the embedded model, over many questions.

    python -m tests.benchmarks.real_model [--questions 50] [--keep]

For each family of questions: how often one pass is right, how often the technique with 16 samples
is, the ratio of the two, and its interval, a bootstrap over questions of 2,000 draws. The technique
is run as the demonstration runs it. One pass is measured on 16 other passes at each question, so
that it is known as well as the technique is. Exits with 1 when a target is missed. `--keep` writes
the figures to `results.json` beside this file and their table to the README.
"""

import argparse
import asyncio
import os
import platform
import random
import sys
from datetime import date

from examples.on_this_machine import (
    EQUATIONS,
    LETTERS,
    SAMPLES,
    Family,
    is_right,
    passes,
    with_technique,
)
from tests.benchmarks.results import Gain, Results, keep

TARGETS = {LETTERS.name: 1.5, EQUATIONS.name: 2.5}
DRAWS = 2000


async def measure(family: Family, questions: int) -> Gain:
    """Ask one pass, many times, and the technique, once, the same questions."""
    shares, rights, tokens = [], [], 0
    drawn = family.questions(questions, rng=random.Random(f"benchmark/{family.name}"))
    for place, (question, right) in enumerate(drawn):
        # Far apart: sample k of a run is drawn from the run's seed and k.
        seeds = 2000 * place, 2000 * place + 1000
        alone = await passes(family, question, samples=SAMPLES, seed=seeds[0])
        answers = [candidate.answer for candidate in alone.candidates]
        if len(answers) != SAMPLES:
            raise RuntimeError(f"wanted {SAMPLES} passes, got {len(answers)}")
        shares.append(sum(is_right(answer, right) for answer in answers) / SAMPLES)
        result = await with_technique(family, question, seed=seeds[1])
        rights.append(float(is_right(result.answer, right)))
        tokens += result.usage.tokens
        print(".", end="", flush=True)
    print()
    low, high = interval(shares, rights)
    return Gain(
        family=family.name,
        technique=family.technique,
        questions=questions,
        samples=SAMPLES,
        one_pass=sum(shares) / questions,
        with_samples=sum(rights) / questions,
        low=low,
        high=high,
        tokens=round(tokens / questions),
    )


def interval(shares: list[float], rights: list[float]) -> tuple[float, float]:
    """The middle 95 % of the ratio over bootstrap draws of the questions."""
    rng, ratios = random.Random(0), []
    for _ in range(DRAWS):
        drawn = rng.choices(range(len(shares)), k=len(shares))
        one = sum(shares[k] for k in drawn)
        ratios.append(sum(rights[k] for k in drawn) / one if one else float("inf"))
    ratios.sort()
    return ratios[round(0.025 * DRAWS)], ratios[round(0.975 * DRAWS) - 1]


def missed(gains: list[Gain]) -> list[str]:
    """One line for each family whose ratio is below its target."""
    return [
        f"{gain.family}: ratio {gain.ratio:.2f} misses its target {TARGETS[gain.family]}"
        for gain in gains
        if gain.ratio < TARGETS[gain.family]
    ]


async def main(questions: int, *, keeping: bool) -> int:
    """Measure both families and print the figures; the exit status."""
    gains = []
    for family in (LETTERS, EQUATIONS):
        gain = await measure(family, questions)
        print(
            f"{gain.family} ({gain.technique}, {SAMPLES} samples, {questions} questions): "
            f"one pass {gain.one_pass:.1%}, with {SAMPLES} {gain.with_samples:.1%}, "
            f"ratio {gain.ratio:.2f} [{gain.low:.2f}, {gain.high:.2f}], "
            f"target {TARGETS[gain.family]}, {gain.tokens} tokens a question"
        )
        gains.append(gain)
    if keeping:
        machine = f"{os.cpu_count()} cores ({platform.machine()})"
        keep(Results(date=date.today(), machine=machine, gains=gains))
    failures = missed(gains)
    print(*failures, sep="\n", end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--keep", action="store_true", help="write results.json and the README")
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.questions, keeping=asked.keep)))
