"""A synthetic population of questions: easy, middling and hard, some with a dominant mistake."""

from __future__ import annotations

import itertools


def question(rng):
    """The probabilities of the answers of one question; answer 0 is the right one."""
    kind = rng.random()
    if kind < 0.45:
        right, gamma = rng.betavariate(8, 2), 2.0
    elif kind < 0.80:
        right, gamma = rng.betavariate(4, 5), 1.5
    else:
        right, gamma = rng.betavariate(1, 6), 0.5
    shares, rest = [right], 1 - right
    for _ in range(12):
        share = rest * rng.betavariate(1, gamma)
        shares.append(share)
        rest -= share
    return [*shares, rest]


def stream(shares, rng, *, length=40):
    """Independent answers to such a question."""
    return rng.choices(range(len(shares)), cum_weights=list(itertools.accumulate(shares)), k=length)


def recording(answers):
    """How many answers are right, and the counts of the distinct wrong ones."""
    wrong = [answer for answer in answers if answer != 0]
    return len(answers) - len(wrong), [wrong.count(answer) for answer in set(wrong)]
