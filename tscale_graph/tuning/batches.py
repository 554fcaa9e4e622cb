"""A batch that is asked for its next samples and told what came of them; and its rehearsal.

batch = Allocator(requests, tokens=50_000)
while tickets := batch.ask(parallel=8):
    for ticket in tickets:
        batch.tell(ticket, answer="42", tokens=310)
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tscale_graph.allocating import Request
from tscale_graph.recordings.records import playing_order
from tscale_graph.recordings.simulating import Deck
from tscale_graph.stopping import AnswerPrior


@dataclass(frozen=True, slots=True)
class Ticket:
    """One sample to take.

    Attributes:
        request: the place of the request in the batch.
        number: of the sample among those of its request, from 0.
        lease: tokens that it may cost.
    """

    request: int
    number: int
    lease: float


class Allocator:
    """Who gets the next samples of a batch, as their answers come in.

    Telling the same ticket twice changes nothing. A ticket that is never told stays paid for with
    its lease.

    Args:
        requests: the batch, where it stands.
        tokens: the budget that it shares, at least 0.
    """

    def __init__(self, requests: Sequence[Request], *, tokens: float) -> None:
        if not tokens >= 0:
            raise ValueError(f"tokens must be at least 0, got {tokens}")
        self.requests = list(requests)
        self.tokens_left = float(tokens)
        self._votes: list[dict[str, int]] = [{} for _ in requests]
        self._open: list[int] = [0] * len(requests)
        self._begun = [request.samples for request in requests]
        self._told: set[tuple[int, int]] = set()
        self._heap = [(-request.gain, place, 0) for place, request in enumerate(requests)]
        heapq.heapify(self._heap)
        self._turn = [0] * len(requests)

    def ask(self, *, parallel: int = 1) -> list[Ticket]:
        """The next samples, at most so many; none when nothing more is worth its tokens.

        Raises:
            ValueError: when parallel is less than 1.
        """
        if parallel < 1:
            raise ValueError(f"parallel must be at least 1, got {parallel}")
        tickets: list[Ticket] = []
        dear: list[tuple[float, int, int]] = []
        while self._heap and len(tickets) < parallel:
            entry = heapq.heappop(self._heap)
            gain, place, turn = entry
            if turn != self._turn[place] or gain == 0:
                continue
            request = self.requests[place]
            if request.lease > self.tokens_left:
                dear.append(entry)
                continue
            tickets.append(Ticket(place, self._begun[place], request.lease))
            self._begun[place] += 1
            self._open[place] += 1
            self.tokens_left -= request.lease
            self._rank(place)
        for entry in dear:
            heapq.heappush(self._heap, entry)
        return tickets

    def tell(
        self, ticket: Ticket, *, answer: str | None, tokens: float, passed: bool | None = None
    ) -> None:
        """What came of a sample.

        Args:
            ticket: as `ask` gave it.
            answer: a key of the answer: equal answers have equal keys; None is no answer.
            tokens: what it cost; what its lease did not use is given back.
            passed: the verifier's verdict, where the request is verified.
        """
        key = ticket.request, ticket.number
        if key in self._told:
            return
        self._told.add(key)
        place = ticket.request
        request, votes = self.requests[place], self._votes[place]
        self.tokens_left += ticket.lease - tokens
        self._open[place] -= 1
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + 1
        known = request.counts if not votes else tuple(sorted(votes.values(), reverse=True))
        self.requests[place] = replace(
            request,
            counts=() if request.verified else known,
            samples=request.samples + 1,
            passed=request.passed or passed is True,
        )
        self._rank(place)

    def _rank(self, place: int) -> None:
        self._turn[place] += 1
        gain = self.requests[place].gain_after(self._open[place])
        heapq.heappush(self._heap, (-gain, place, self._turn[place]))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a way of sharing came to on recorded samples.

    Attributes:
        right: of each request, whether the vote, or a pass, is right; a tie counts its share.
        samples: of each request.
        tokens: all together.
    """

    right: tuple[float, ...]
    samples: tuple[int, ...]
    tokens: float


def rehearse(
    decks: Sequence[Deck],
    priors: Sequence[AnswerPrior],
    *,
    outputs: Sequence[float],
    tokens: float,
    seed: int,
    verified: Sequence[bool] | None = None,
    most: int = 40,
) -> Rehearsal:
    """Play a batch of recorded questions with one budget, a sample at a time.

    Args:
        decks: the requests.
        priors: of each, what is believed of its class.
        outputs: of each, the output tokens that a sample of its class is expected to have.
        tokens: the budget that they share; each sample pays for its prompt.
        seed: of the orders.
        verified: of each, whether an exact verifier checks it.
        most: samples of one request.
    """
    checked = verified or [False] * len(decks)
    orders = [playing_order(deck.question, seed=seed) for deck in decks]
    requests = [
        Request(
            tokens=deck.question.prompt_size + output,
            most_tokens=max(_most_tokens(deck), deck.question.prompt_size + output),
            prior=prior,
            max_samples=min(most, len(order)),
            verified=exact,
        )
        for deck, prior, output, order, exact in zip(
            decks, priors, outputs, orders, checked, strict=True
        )
    ]
    batch = Allocator(requests, tokens=tokens)
    taken: list[list[int]] = [[] for _ in decks]
    while tickets := batch.ask():
        for ticket in tickets:
            deck = decks[ticket.request]
            place = orders[ticket.request][ticket.number]
            taken[ticket.request].append(place)
            vote, sample = deck.votes[place], deck.question.samples[place]
            batch.tell(
                ticket,
                answer=None if vote is None else str(vote),
                tokens=deck.question.prompt_size + sample.output_tokens,
                passed=sample.correct if checked[ticket.request] else None,
            )
    return _rehearsed(decks, taken, checked, tokens - batch.tokens_left)


def rehearse_uniform(
    decks: Sequence[Deck],
    *,
    tokens: float,
    seed: int,
    verified: Sequence[bool] | None = None,
    most: int = 40,
) -> Rehearsal:
    """The same with as many samples for each, one round after the other, until the budget is gone.

    A request that passed its verifier takes no more.
    """
    checked = verified or [False] * len(decks)
    orders = [playing_order(deck.question, seed=seed)[:most] for deck in decks]
    taken: list[list[int]] = [[] for _ in decks]
    left, done = float(tokens), [False] * len(decks)
    for turn in range(most):
        for k, deck in enumerate(decks):
            if done[k] or turn >= len(orders[k]):
                continue
            place = orders[k][turn]
            if _most_tokens(deck) > left:
                continue
            taken[k].append(place)
            left -= deck.question.prompt_size + deck.question.samples[place].output_tokens
            done[k] = checked[k] and deck.question.samples[place].correct
    return _rehearsed(decks, taken, checked, tokens - left)


def _rehearsed(
    decks: Sequence[Deck], taken: Sequence[list[int]], checked: Sequence[bool], spent: float
) -> Rehearsal:
    return Rehearsal(
        right=tuple(
            float(any(deck.question.samples[p].correct for p in places))
            if exact
            else _vote(deck, places)
            for deck, places, exact in zip(decks, taken, checked, strict=True)
        ),
        samples=tuple(map(len, taken)),
        tokens=spent,
    )


def _vote(deck: Deck, places: Sequence[int]) -> float:
    """P(the majority is right), ties drawn at random."""
    votes: dict[int, int] = {}
    right: dict[int, bool] = {}
    for place in places:
        vote = deck.votes[place]
        if vote is not None:
            votes[vote] = votes.get(vote, 0) + 1
            right.setdefault(vote, deck.question.samples[place].correct)
    if not votes:
        return 0.0
    most = max(votes.values())
    tied = [vote for vote, count in votes.items() if count == most]
    return sum(right[vote] for vote in tied) / len(tied)


def _most_tokens(deck: Deck) -> float:
    return deck.question.prompt_size + max(s.output_tokens for s in deck.question.samples)
