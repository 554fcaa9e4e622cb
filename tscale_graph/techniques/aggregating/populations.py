"""Where the populations of a run stand: who holds each place, what is open, and why it ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.candidates import Candidate
from tscale_graph.techniques.aggregating.settings import AggregatingSettings
from tscale_graph.techniques.aggregating.state import AggregatingRun
from tscale_graph.techniques.reading import read
from tscale_graph.techniques.restarts import LOST

Ending = Literal["agreed", "generations", "in vain"]
"""Why there is no further generation: the population agrees, all of them were made, or the last
one has no member with any text."""


@dataclass(frozen=True, slots=True)
class Populations:
    """The populations of a run, as far as they have come.

    Attributes:
        size: places of each population.
        generations: the most populations.
        agreed_at: the share of a population with one answer at which that is enough, or None.
        came: the candidates by generation and place, failed ones included, answers read. What was
            lost with a stopped run is none of them.
        keys: of the candidates with an answer, by index, what equal answers have in common.
    """

    size: int
    generations: int
    agreed_at: float | None
    came: Mapping[tuple[int, int], Candidate]
    keys: Mapping[int, str]

    @property
    def newest(self) -> int:
        """The newest generation that any member has come of; 0 before there is any."""
        return max((generation for generation, _ in self.came), default=0)

    @property
    def following(self) -> tuple[int, list[int]] | None:
        """The generation to go on with and its open places; None when the run has ended."""
        open_places = self.open_places(self.newest)
        if open_places:
            return self.newest, open_places
        return None if self.ending else (self.newest + 1, list(range(self.size)))

    @property
    def ending(self) -> Ending | None:
        """Why there is no further generation; None while there is."""
        if self.open_places(self.newest):
            return None
        if not any(self.came[self.newest, place].text.strip() for place in range(self.size)):
            return "in vain"
        share = self.agreement(self.newest)
        if self.agreed_at is not None and self.size > 1 and share >= self.agreed_at:
            return "agreed"
        return "generations" if self.newest + 1 >= self.generations else None

    def open_places(self, generation: int) -> list[int]:
        """The places of a generation that nothing has come of yet."""
        return [place for place in range(self.size) if (generation, place) not in self.came]

    def holders(self, generation: int) -> list[Candidate]:
        """Who holds the places of the population, up to a generation; by place.

        The newest of a place with an answer; else the newest with any text; else nobody. So a
        member that failed or that has not come yet is represented by the one before it.
        """
        found: list[Candidate] = []
        for place in range(self.size):
            line = [
                self.came[born, place]
                for born in range(generation, -1, -1)
                if (born, place) in self.came
            ]
            answered = (one for one in line if one.answer is not None)
            worded = (one for one in line if one.text.strip() and not one.error)
            holder = next(answered, None) or next(worded, None)
            found += [holder] if holder else []
        return found

    def agreement(self, generation: int) -> float:
        """The share of the places whose holders give the leading answer, in [0, 1]."""
        keys = Counter(self.keys[c.index] for c in self.holders(generation) if c.index in self.keys)
        return max(keys.values(), default=0) / self.size


def drawn(
    indexes: Sequence[int], size: int, *, entropy: int, generation: int, place: int
) -> tuple[int, ...]:
    """The distinct candidates that a new member is written from, in a random order.

    Args:
        indexes: of those that hold the places of the population before.
        size: how many; all, where there are fewer.
        entropy: the same gives the same.
        generation: of the new member.
        place: of the new member.
    """
    rng = random.Random(f"{entropy}/{generation}/{place}")
    return tuple(rng.sample(list(indexes), min(size, len(indexes))))


def populations_of(settings: AggregatingSettings, run: AggregatingRun) -> Populations:
    """The populations of a run, as far as they have come."""
    kind, candidates = read(settings.sampling, run)
    came: dict[tuple[int, int], Candidate] = {}
    for candidate in candidates:
        if candidate.error != LOST:
            member = run.members[candidate.index]
            came[member.generation, member.place] = candidate
    keys = {c.index: kind.key(c.answer) for c in came.values() if c.answer is not None}
    return Populations(settings.population, settings.generations, settings.agreement, came, keys)
