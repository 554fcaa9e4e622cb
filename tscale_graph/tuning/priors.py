"""What the votes of a class show of its questions: the prior of the value of information."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tscale_graph.recordings.simulating import Deck
from tscale_graph.stopping import AnswerPrior

_STEPS_PER_DOUBLING = 2
"""A hundred questions tell a parameter to about a third; so finely is it rounded."""


def class_prior(decks: Sequence[Deck]) -> AnswerPrior:
    """The prior fitted on the votes of some questions, coarsely rounded.

    Each parameter is rounded to a power of the square root of 2, so that what was worked out for
    one prior serves the next. Where no sample has an answer, the default.
    """
    counted = [_counts(deck) for deck in decks]
    if not any(right + sum(wrong) for right, wrong in counted):
        return AnswerPrior()
    fitted = AnswerPrior.fit(counted)
    return AnswerPrior(_rounded(fitted.a), _rounded(fitted.b), _rounded(fitted.gamma))


def priors_for(decks: Sequence[Deck]) -> list[AnswerPrior]:
    """For each question the prior that the other half of the questions shows."""
    if len(decks) < 2:
        return [AnswerPrior()] * len(decks)
    shown = class_prior(decks[1::2]), class_prior(decks[::2])
    return [shown[place % 2] for place in range(len(decks))]


def _counts(deck: Deck) -> tuple[int, list[int]]:
    wrong: Counter[int] = Counter()
    right = 0
    for sample, vote in zip(deck.question.samples, deck.votes, strict=True):
        if vote is not None:
            right += sample.correct
            wrong[vote] += not sample.correct
    return right, sorted((count for count in wrong.values() if count), reverse=True)


def _rounded(value: float) -> float:
    return 2 ** (round(math.log2(value) * _STEPS_PER_DOUBLING) / _STEPS_PER_DOUBLING)
