"""Where a run stands, and what a stopping rule is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands.

    Attributes:
        counts: votes for each distinct answer, most first.
        samples: samples taken, failed and unreadable ones included.
        passed: samples that the verifier passed.
        failed: samples that the verifier decided against.
        votes: the answer of each sample in order, as a number of its own for each distinct
            answer; None for a sample without one.
        scores: the verifier's score of each sample that has one, in order.
        lead: by how much the winner leads in what it is chosen by, where one more sample can
            add at most 1 to any answer; None where a single sample can always change the winner.
        left: samples that may still be taken, or None where that is not known.
        tokens: what one more sample costs, in tokens, or 0 where that is not known.
    """

    counts: tuple[int, ...] = ()
    samples: int = 0
    passed: int = 0
    failed: int = 0
    votes: tuple[int | None, ...] = ()
    scores: tuple[float, ...] = ()
    lead: float | None = None
    left: int | None = None
    tokens: float = 0.0

    @property
    def two_leading(self) -> tuple[int, int]:
        """Votes for the leading answer and for the runner-up; 0 where there is none."""
        first, second, *_ = (*self.counts[:2], 0, 0)
        return first, second


@runtime_checkable
class StoppingRule(Protocol):
    """Decides when there are enough samples."""

    @property
    def name(self) -> str:
        """The rule's name, as users write it."""
        ...

    def settled(self, standing: Standing) -> bool:
        """Whether further samples are not worth their price."""
        ...

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """The fewest further samples after which the rule could stop, from 1 to `limit`."""
        ...
