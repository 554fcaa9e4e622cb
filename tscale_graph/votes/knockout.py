"""A knock-out tournament, told what comparisons came to and asked which to make next."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Match:
    """Two entrants to compare.

    Attributes:
        first: an entrant.
        second: another.
    """

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Bracket:
    """A knock-out tournament (Chen et al. 2024, arXiv:2411.19477).

    n entrants take n - 1 matches in about log2(n) rounds. In a round entrants meet in pairs, in
    the order in which they stand; where their number is odd, the last one waits. A tied
    match goes to the higher prior, then to the one that stands earlier.

    >>> bracket = Bracket.of([0, 1, 2])
    >>> bracket.pending()
    (Match(first=0, second=1),)
    >>> bracket.told({Match(0, 1): 0.0}).pending()
    (Match(first=1, second=2),)

    Attributes:
        standing: the entrants still in, in order.
        priors: what is known of each entrant beforehand, higher is better; 0 where not given.
        comparisons: how often each pair is compared.
        settled: the matches of this round that are over, with their winners.
        beaten: the entrants that are out, in the order in which they went out, round by round.
    """

    standing: tuple[int, ...]
    priors: Mapping[int, float]
    comparisons: int = 1
    settled: tuple[tuple[Match, int], ...] = ()
    beaten: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(
        cls,
        entrants: Sequence[int],
        *,
        priors: Mapping[int, float] | None = None,
        comparisons: int = 1,
        seed: int | None = None,
    ) -> Bracket:
        """A tournament that has not begun.

        Args:
            entrants: different numbers, such as the indices of candidates.
            priors: what is known of each beforehand, such as a score.
            comparisons: how often each pair is compared, at least 1.
            seed: shuffles the entrants; None keeps their order.

        Raises:
            ValueError: for no entrants, one that is entered twice, or comparisons below 1.
        """
        if not entrants:
            raise ValueError("entrants must be at least one, got none")
        if len(set(entrants)) < len(entrants):
            raise ValueError(f"entrants must be different, got {list(entrants)}")
        if comparisons < 1:
            raise ValueError(f"comparisons must be at least 1, got {comparisons}")
        order = list(entrants)
        if seed is not None:
            random.Random(seed).shuffle(order)
        return cls(tuple(order), dict(priors or {}), comparisons)

    @property
    def winner(self) -> int | None:
        """The entrant that beat all it met, or None while there are matches left."""
        return self.standing[0] if len(self.standing) == 1 else None

    @property
    def rounds_won(self) -> dict[int, int]:
        """How many rounds each entrant was still in after; a ranking with ties, for `Ranked`."""
        out = {entrant: place for place, gone in enumerate(self.beaten) for entrant in gone}
        return out | dict.fromkeys(self.standing, len(self.beaten))

    def pending(self) -> tuple[Match, ...]:
        """The matches of this round that are still to be decided; none when there is a winner."""
        over = {match for match, _ in self.settled}
        return tuple(match for match in self._round() if match not in over)

    def told(self, results: Mapping[Match, float]) -> Bracket:
        """The tournament after these results, in the next round once this one is over.

        Results of matches that are already decided change nothing, so telling twice is harmless.

        Args:
            results: for each match, how many of its comparisons its first entrant won, a tied
                comparison counting one half; from 0 to `comparisons`.

        Raises:
            ValueError: for a result out of range.
        """
        for match, wins in results.items():
            if not 0 <= wins <= self.comparisons:
                raise ValueError(
                    f"wins must be between 0 and {self.comparisons}, got {wins} for {match}"
                )
        decided = tuple(
            (match, self._winner(match, results[match]))
            for match in self.pending()
            if match in results
        )
        after = replace(self, settled=(*self.settled, *decided))
        return after if not decided or after.pending() else after._next_round()

    def _round(self) -> tuple[Match, ...]:
        pairs = zip(self.standing[::2], self.standing[1::2], strict=False)
        return tuple(Match(first, second) for first, second in pairs)

    def _winner(self, match: Match, wins: float) -> int:
        if 2 * wins != self.comparisons:
            return match.first if 2 * wins > self.comparisons else match.second
        first, second = self.priors.get(match.first, 0.0), self.priors.get(match.second, 0.0)
        return match.second if second > first else match.first

    def _next_round(self) -> Bracket:
        winners = {winner for _, winner in self.settled}
        met = {entrant for match in self._round() for entrant in (match.first, match.second)}
        lost = tuple(entrant for entrant in self.standing if entrant in met - winners)
        still = tuple(entrant for entrant in self.standing if entrant not in lost)
        return replace(self, standing=still, settled=(), beaten=(*self.beaten, lost))
