"""Outcomes that were never run: for tests of reports."""

import random

from tscale_graph.budget import Usage
from tscale_graph.recordings.outcomes import Outcome


def outcome(setting="vote", name="q0", *, right=True, tokens=100, **more):
    given = {
        "id": name,
        "task_class": "sums",
        "setting": setting,
        "question": f"What is {name}?",
        "gold": "3",
        "answer": "3" if right else "4",
        "correct": right,
        "usage": Usage(calls=2, input_tokens=10, output_tokens=tokens - 10, seconds=0.5),
        "votes": {"3": 2, "4": 1},
    }
    return Outcome(**{**given, **more})


def several(shares, *, questions=40, classes=("sums", "words"), seed=0):
    """Settings that are right with a chance, for so many tokens: {name: (share, tokens)}."""
    rng = random.Random(seed)
    return [
        outcome(
            setting, f"{task_class}{k}", right=rng.random() < share, tokens=tokens + k,
            task_class=task_class, route=task_class if setting == "tuned" else None,
        )
        for task_class in classes
        for k in range(questions)
        for setting, (share, tokens) in shares.items()
    ]  # fmt: skip
