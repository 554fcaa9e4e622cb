"""A stopping rule for samples in flight: the first that finish are enough."""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.stopping.standing import Standing


@dataclass(frozen=True, slots=True)
class FirstToFinish:
    """Starts all samples at once, and stops when the first few have finished with an answer.

    short-m@k (Hassid et al. 2025, arXiv:2505.17813): k chains of thought run side by side until m
    of them have finished; those m vote, and the others are cancelled. Shorter chains are right
    more often, and come sooner. One that fails or holds no answer is none of the m.

    Attributes:
        finishers: the m samples that are enough, at least 1. The most samples of the run are k.
    """

    finishers: int = 3
    name: str = "first_to_finish"

    def __post_init__(self) -> None:
        if self.finishers < 1:
            raise ValueError(f"finishers must be at least 1, got {self.finishers}")

    def settled(self, standing: Standing) -> bool:
        """Whether so many have an answer."""
        return sum(standing.counts) >= self.finishers

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """All that are left: they race."""
        return limit
