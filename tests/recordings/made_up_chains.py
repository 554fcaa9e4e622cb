"""Recordings of chains that were never recorded: for tests of behaviour."""

import random

from tscale_graph.recordings.chains import RecordedChains, RecordedVersion

Answers = str
"""One digit a version; "-" holds no answer."""
GOLD = "3"


def version(digit: str, place: int, *, verified: bool = True) -> RecordedVersion:
    """A version that says a digit; a verifier gives it tenths and passes the right one."""
    answer = None if digit == "-" else digit
    passed = answer == GOLD
    scored = answer is not None
    score = (1.0 if passed else int(digit) / 10) if scored else None
    return RecordedVersion(
        answer=answer,
        correct=passed,
        score=score if verified else (float(digit == "9") if scored else None),
        passed=(passed if verified else digit == "9") if scored else None,
        base=place - 1 if place else None,
        prompt_tokens=100 + 20 * place,
        output_tokens=5 + place,
        verdict_tokens=0 if verified else 50,
        calls=1 if verified else 2,
    )


def asked(
    *chains: Answers,
    name: str = "q",
    verified: bool = True,
    max_revisions: int = 4,
    gold: str = "3",
) -> RecordedChains:
    """A question with these chains: with a verifier, or with a model that is content with 9."""
    return RecordedChains(
        id=name,
        question=f"How many {name}?",
        gold=GOLD,
        verifier="tenths" if verified else None,
        kind="number",
        max_revisions=max_revisions,
        chains=tuple(
            tuple(version(digit, place, verified=verified) for place, digit in enumerate(chain))
            for chain in chains
        ),
    )


def chain(rng: random.Random, *, first: float, fixed: float, revisions: int = 4) -> Answers:
    """A chain that is right at first, or after each revision, with these chances."""
    said = "3" if rng.random() < first else "1"
    while said[-1] != "3" and len(said) <= revisions:
        said += "3" if rng.random() < fixed else "1"
    return said


def population(
    count: int,
    *,
    name: str,
    first: float,
    fixed: float,
    chains: int = 8,
    seed: int = 0,
) -> list[RecordedChains]:
    """So many questions of one kind."""
    rng = random.Random(f"{name}/{seed}")
    return [
        asked(
            *(chain(rng, first=first, fixed=fixed) for _ in range(chains)),
            name=f"{name}/{k}",
        )
        for k in range(count)
    ]
