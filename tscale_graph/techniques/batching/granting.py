"""Who gets leases next: one sample each to begin with, then where samples are worth most. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tscale_graph.allocating import Request, allocate, allocate_waves
from tscale_graph.budget import LIMITS, Budget, Limit, Remaining, Usage
from tscale_graph.difficulty import Signals
from tscale_graph.leases import SampleSize, all_of, grant
from tscale_graph.stopping import AnswerPrior

Prior = Callable[[Signals], AnswerPrior | None]
"""What to believe of a question, its votes apart; None for what its class says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request of the batch stands.

    Attributes:
        at: its place.
        size: the most that one of its samples takes.
        whole: of a technique that runs as a whole, once, the most that a run takes; else None.
        done: it needs nothing any more.
        left: of its own budget, or None where it has none.
        standing: what the allocation is told of it; None before its first sample.
        prompt: tokens of its prompt, as far as known.
        together: several of its samples are one request to the provider, and share the prompt.
    """

    at: int
    size: SampleSize
    whole: Usage | None
    done: bool
    left: Remaining | None
    standing: Request | None
    prompt: float
    together: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """A lease of one request.

    Attributes:
        at: the place of the request.
        samples: how many may start.
        lease: of each of them, or of all together.
        beside: what judging them may take.
    """

    at: int
    samples: int
    lease: Budget
    beside: Usage

    def whole_lease(self, *, together: bool) -> Usage:
        """All that it may come to."""
        return all_of(self.lease, leases=1 if together else self.samples) + self.beside


@dataclass
class Purse:
    """What is left while leases are given out.

    Attributes:
        left: of the shared budget.
        short_of: the limit that somebody could not be given more of, or None.
    """

    left: Remaining
    short_of: Limit | None = None
    granted: list[Granted] = field(default_factory=list[Granted])

    def give(self, place: Place, samples: int) -> int:
        """As many samples as are asked for and paid for; returns how many."""
        own = _within(self.left, place.left)
        size = place.size
        found = grant(own, size, wanted=samples, still_wanted=samples, nothing_yet=False)
        if found.lease is None:
            self.short_of = self.short_of or found.limited_by
            return 0
        beside = Usage.total([size.beside] * found.samples)
        together = place.together and found.samples > 1
        one = Granted(place.at, found.samples, found.lease, beside)
        self.granted.append(one)
        self.left = _less(self.left, one.whole_lease(together=together))
        return found.samples

    def give_whole(self, place: Place) -> int:
        """A lease for a whole run, or for what is left of one; returns how many runs."""
        own, most = _within(self.left, place.left), place.whole or Usage()
        limits = {
            name: min(value, getattr(most, name)) if name != "seconds" else value
            for name in LIMITS
            if (value := getattr(own, name)) is not None
        }
        short: Limit | None = next((name for name in LIMITS if limits.get(name) == 0), None)
        if short is not None:
            self.short_of = self.short_of or short
            return 0
        one = Granted(place.at, 1, Budget.model_validate(limits), Usage())
        self.granted.append(one)
        self.left = _less(self.left, one.whole_lease(together=False))
        return 1


def grants(
    places: Sequence[Place], left: Remaining, *, parallel: int
) -> tuple[list[Granted], Limit | None]:
    """The next leases, and the limit that was too short for somebody, or None.

    Args:
        places: where the requests stand.
        left: of the shared budget.
        parallel: the most samples in flight, at least 1.
    """
    if left.spent_limit is not None:
        return [], left.spent_limit
    purse, free = Purse(left), parallel
    begin = [place for place in places if not place.done and place.standing is None]
    for place in sorted(begin, key=lambda place: place.whole is not None):
        if free <= 0:
            return purse.granted, None
        free -= purse.give(place, 1) if place.whole is None else purse.give_whole(place)
    if purse.granted:
        return purse.granted, None
    for place, samples in _worth_most(places, purse.left, parallel=parallel):
        purse.give(place, samples)
    return purse.granted, purse.short_of


def _worth_most(
    places: Sequence[Place], left: Remaining, *, parallel: int
) -> Iterator[tuple[Place, int]]:
    """How many samples each place should have: those that share a prompt in waves, others alone."""
    known = [place for place in places if not place.done and place.standing is not None]
    tokens = math.inf if left.tokens is None else float(left.tokens)
    together = [place for place in known if place.together]
    alone = [place for place in known if not place.together]
    waves = allocate_waves(
        [(place.standing or Request(), place.prompt) for place in together],
        tokens=tokens,
        parallel=parallel,
    )
    yield from ((place, count) for place, count in zip(together, waves, strict=True) if count)
    if parallel > sum(waves) and alone:
        each = allocate([_leased(place) for place in alone], tokens=tokens, parallel=parallel)
        yield from ((place, count) for place, count in zip(alone, each, strict=True) if count)


def _leased(place: Place) -> Request:
    """What the allocation is told: the most that a sample can cost, too."""
    standing, size = place.standing or Request(), place.size
    most = float(size.each.tokens + size.beside.tokens)
    return replace(standing, most_tokens=max(most, standing.tokens))


def _within(left: Remaining, own: Remaining | None) -> Remaining:
    if own is None:
        return left
    limits: Mapping[str, float | None] = {
        name: min(
            (v for v in (getattr(left, name), getattr(own, name)) if v is not None), default=None
        )
        for name in LIMITS
    }
    return Remaining.model_validate(limits)


def _less(left: Remaining, taken: Usage) -> Remaining:
    """What is left when a lease is used up; seconds are the same for all."""
    return Remaining(
        calls=None if left.calls is None else max(0, left.calls - taken.calls),
        tokens=None if left.tokens is None else max(0, left.tokens - taken.tokens),
        usd=None if left.usd is None else max(0.0, left.usd - taken.usd),
        seconds=left.seconds,
    )
