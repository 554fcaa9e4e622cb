"""Votes replayed many times over: what `simulate` says, from whole numbers, a hundred times faster.

A majority vote and the rules that stop it need of a deck no more than, for each prefix of an order,
how many votes each answer has and what the samples cost. That is counted once for each order;
what a rule makes of the counts is remembered for all orders and questions.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from tscale_graph.recordings.records import playing_order
from tscale_graph.recordings.simulating import TECHNIQUE_SEED, Deck
from tscale_graph.stopping import (
    Beta,
    Dirichlet,
    FirstToLeadBy,
    Fixed,
    Standing,
    StoppingRule,
    ValueOfInformation,
    wave_size,
)

Counts = tuple[int, ...]
"""Votes for each distinct answer, most first."""


class Replay(NamedTuple):
    """How one replay went: the chosen sample is right, samples taken, tokens spent, waves."""

    right: bool
    samples: int
    tokens: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Order:
    """One order of a deck; `counts[n]` and `spent[n]` are of its first n samples."""

    places: tuple[int, ...]
    counts: tuple[Counts, ...]
    spent: tuple[int, ...]


class Waves:
    """How large a rule's next wave is, remembered for each standing of the votes.

    Args:
        rule: one that `replays` says yes to.
        most: the most samples of a run.
        max_parallel: the most samples in flight at once, or None.
    """

    def __init__(self, rule: StoppingRule, *, most: int, max_parallel: int | None = None) -> None:
        self.most = most
        self._rule = rule
        self._max_parallel = max_parallel
        # Only a price per token asks what the samples have cost, which hardly ever repeats.
        self._priced = isinstance(rule, ValueOfInformation) and rule.price is not None
        self._known: dict[tuple[Counts, int, int], int] = {}

    @staticmethod
    def replays(rule: StoppingRule) -> bool:
        """Whether the rule asks for nothing but the numbers of votes, and what samples cost."""
        return isinstance(rule, Fixed | Beta | Dirichlet | FirstToLeadBy | ValueOfInformation)

    def next(self, counts: Counts, *, taken: int, most: int, tokens: int) -> int:
        """Samples of the next wave; 0 when there are enough."""
        if self._priced:
            return self._asked(counts, taken, most, tokens / taken if taken else 0.0)
        key = counts, taken, most
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._asked(counts, taken, most, 0.0)
        return known

    def _asked(self, counts: Counts, taken: int, most: int, tokens: float) -> int:
        first, second, *_ = (*counts[:2], 0, 0)
        standing = Standing(
            counts=counts,
            samples=taken,
            lead=float(first - second),
            left=most - taken,
            tokens=tokens,
        )
        return wave_size(
            self._rule, standing, max_samples=most, max_parallel=self._max_parallel
        )


class Replays:
    """A deck in several orders, for majority votes without a verifier.

    Args:
        deck: prepared without verification.
        seeds: of the orders, as `simulate` takes them.
    """

    def __init__(self, deck: Deck, seeds: range) -> None:
        self.deck = deck
        self._numbers = {
            deck.kind.keys[sample.answer]: vote
            for sample, vote in zip(deck.question.samples, deck.votes, strict=True)
            if sample.answer is not None and vote is not None
        }
        self._keys = {vote: key for key, vote in self._numbers.items()}
        self._orders = [_ordered(deck, seed) for seed in seeds]
        self._right: dict[tuple[int, int], bool] = {}

    def play(self, waves: Waves, *, shared_prompt: bool = True) -> list[Replay]:
        """One replay for each order."""
        prompt = self.deck.question.prompt_size
        return [
            self._play(place, waves, prompt, shared_prompt) for place in range(len(self._orders))
        ]

    def _play(self, place: int, waves: Waves, prompt: int, shared: bool) -> Replay:
        order = self._orders[place]
        most = min(waves.most, len(order.places))
        taken = rounds = prompts = 0
        while wave := waves.next(
            order.counts[taken],
            taken=taken,
            most=most,
            tokens=order.spent[taken] + prompts * prompt,
        ):
            taken += wave
            prompts += 1 if shared else wave
            rounds += 1
        right = self._right.get((place, taken))
        if right is None:
            right = self._right[place, taken] = self._is_right(order.places[:taken])
        return Replay(right, taken, order.spent[taken] + prompts * prompt, rounds)

    def _is_right(self, places: tuple[int, ...]) -> bool:
        """Whether the majority's sample is right; ties fall as `choose` lets them."""
        voters: dict[int, list[int]] = {}
        for place in places:
            vote = self.deck.votes[place]
            if vote is not None:
                voters.setdefault(vote, []).append(place)
        if not voters:
            return False
        most = max(map(len, voters.values()))
        keys = sorted(self._keys[vote] for vote, given in voters.items() if len(given) == most)
        drawn = keys[0]
        if len(keys) > 1:
            drawn = random.Random(repr((TECHNIQUE_SEED, keys))).choice(keys)
        given = voters[self._numbers[drawn]]
        samples = self.deck.question.samples
        return samples[min(given, key=lambda place: samples[place].truncated)].correct


def _ordered(deck: Deck, seed: int) -> _Order:
    places = tuple(playing_order(deck.question, seed=seed))
    votes: dict[int, int] = {}
    counts: list[Counts] = [()]
    spent = [0]
    for place in places:
        vote = deck.votes[place]
        if vote is not None:
            votes[vote] = votes.get(vote, 0) + 1
        counts.append(tuple(sorted(votes.values(), reverse=True)))
        spent.append(spent[-1] + deck.question.samples[place].output_tokens)
    return _Order(places, tuple(counts), tuple(spent))
