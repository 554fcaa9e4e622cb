"""Recordings that were never recorded: for tests of behaviour."""

import random

from tscale_graph.recordings.records import RecordedQuestion, RecordedSample


def question(
    name: str = "q1", answers: str = "33312343", *, gold: str = "3", prompt_tokens: int = 10
) -> RecordedQuestion:
    """A question about numbers; sample k says the k-th digit, and "-" says nothing."""
    samples = tuple(
        RecordedSample(
            text="I do not know." if digit == "-" else f"The answer is {digit}",
            answer=None if digit == "-" else digit,
            correct=digit == gold,
            output_tokens=3 + place % 4,
            mean_logprob=-0.1 * (place % 5),
            score=float(digit == gold) / 2 + 0.25,
            passed=digit == gold,
        )
        for place, digit in enumerate(answers)
    )
    return RecordedQuestion(
        id=name,
        question=f"How many {name}?",
        gold=gold,
        kind="number",
        prompt_tokens=prompt_tokens,
        model="made-up",
        temperature=0.8,
        samples=samples,
    )


def many(count: int, samples: int = 40) -> list[RecordedQuestion]:
    """Questions from hopeless to easy."""
    rng = random.Random(0)
    return [
        question(
            f"q{k}",
            "".join(
                "3" if rng.random() < (k + 0.5) / count else rng.choice("124-")
                for _ in range(samples)
            ),
        )
        for k in range(count)
    ]
