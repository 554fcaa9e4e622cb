"""What the votes of a class show of its questions: the prior of the value of information."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tscale_graph.recordings.simulating import Deck
from tscale_graph.stopping import AnswerPrior


def class_prior(decks: Sequence[Deck]) -> AnswerPrior:
    """The prior fitted on the votes of some questions, coarsely rounded.

    Where no sample has an answer, the default.
    """
    counted = [_counts(deck) for deck in decks]
    if not any(right + sum(wrong) for right, wrong in counted):
        return AnswerPrior()
    return AnswerPrior.fit(counted).coarse()


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
