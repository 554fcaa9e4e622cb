"""Votes replayed many times over: what `simulate` says, from whole numbers, a hundred times faster.

A majority vote and the rules that stop it need of a deck no more than, for each prefix of an order,
how many votes each answer has and what the samples cost. That is counted once for each order;
what a rule makes of the counts is remembered for all orders and questions.
"""

from __future__ import annotations

import math
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
    can_still_change,
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
        speculate: samples that each wave has beyond what the rule needs.
    """

    def __init__(
        self,
        rule: StoppingRule,
        *,
        most: int,
        max_parallel: int | None = None,
        speculate: int = 0,
    ) -> None:
        self.most = most
        self._rule = rule
        self._max_parallel = max_parallel
        self._speculate = speculate
        whole = max_parallel is not None and max_parallel <= 1 + speculate
        # Every wave is as large as may be, so a rule is asked only whether to go on.
        self._whole_wave = max_parallel if whole else None
        self._price = getattr(rule, "price", None) or 0.0
        # Only a price per token asks what the samples have cost, which hardly ever repeats.
        self._priced = isinstance(rule, ValueOfInformation) and rule.price is not None
        self._known: dict[tuple[Counts, int, int], int] = {}
        self._gains: dict[tuple[Counts, int, int], float] = {}

    @staticmethod
    def replays(rule: StoppingRule) -> bool:
        """Whether the rule asks for nothing but the numbers of votes, and what samples cost."""
        return isinstance(rule, Fixed | Beta | Dirichlet | FirstToLeadBy | ValueOfInformation)

    def next(self, counts: Counts, *, taken: int, most: int, tokens: int) -> int:
        """Samples of the next wave; 0 when there are enough."""
        key = counts, taken, most
        if not self._priced:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._asked(counts, taken, most, 0.0)
            return known
        each = tokens / taken if taken else 0.0
        if self._whole_wave is None:
            return self._asked(counts, taken, most, each)
        gain = self._gains.get(key)
        if gain is None:
            gain = self._gains[key] = self._gain(counts, taken, most)
        return min(self._whole_wave, most - taken) if gain >= self._price * (each or 1.0) else 0

    def _gain(self, counts: Counts, taken: int, most: int) -> float:
        """What a further sample is worth, at any price; below 0 when it cannot matter."""
        if taken == 0:
            return math.inf
        standing = _standing(counts, taken, most, 0.0)
        if taken >= most or not can_still_change(standing):
            return -1.0
        return self._rule.gain(standing) if isinstance(self._rule, ValueOfInformation) else 0.0

    def _asked(self, counts: Counts, taken: int, most: int, tokens: float) -> int:
        standing = _standing(counts, taken, most, tokens)
        return wave_size(
            self._rule,
            standing,
            max_samples=most,
            max_parallel=self._max_parallel,
            speculate=self._speculate,
        )


def _standing(counts: Counts, taken: int, most: int, tokens: float) -> Standing:
    first, second, *_ = (*counts[:2], 0, 0)
    return Standing(
        counts=counts, samples=taken, lead=float(first - second), left=most - taken, tokens=tokens
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
