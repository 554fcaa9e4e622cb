"""Stopping rules that look at the votes alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from tscale_graph.stopping.distributions import probability_of_lead
from tscale_graph.stopping.standing import Standing


@dataclass(frozen=True, slots=True)
class Fixed:
    """Never stops before the maximum: plain self-consistency and plain best-of-N."""

    name: str = "fixed"

    def settled(self, standing: Standing) -> bool:
        """Never: only the maximum number of samples ends the run."""
        return False

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """All that are left."""
        return limit


@dataclass(frozen=True, slots=True)
class Beta:
    """Stops when the leading answer is unlikely to be overtaken by the runner-up.

    Adaptive consistency (Aggarwal et al. 2023, arXiv:2305.11860): with v1 >= v2 votes for the
    two leading answers, stop when P(p1 > 1/2) under Beta(v1 + 1, v2 + 1) >= confidence.

    Attributes:
        confidence: in (0.5, 1).
    """

    confidence: float = 0.95
    name: str = "beta"

    def __post_init__(self) -> None:
        check_confidence(self.confidence)

    def settled(self, standing: Standing) -> bool:
        """Whether the leader leads with the wanted confidence. No votes: False."""
        first, second = standing.two_leading
        return first > 0 and probability_of_lead(first, second) >= self.confidence

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples needed if every one of them voted for the leader."""
        first, second = standing.two_leading
        more = min(max(1, self._estimate(first, second)), limit)
        while more > 1 and probability_of_lead(first + more - 1, second) >= self.confidence:
            more -= 1
        while more < limit and probability_of_lead(first + more, second) < self.confidence:
            more += 1
        return more

    def _estimate(self, first: int, second: int) -> int:
        """By the normal distribution, (v1 - v2)^2 = z^2 (v1 + v2): the search starts here."""
        z_squared = NormalDist().inv_cdf(self.confidence) ** 2
        lead = (z_squared + math.sqrt(z_squared**2 + 8 * z_squared * (second + 1))) / 2
        return round(second + lead - first)


@dataclass(frozen=True, slots=True)
class Window:
    """Stops when a whole window of samples is unanimous.

    Early-stopping self-consistency (Li et al. 2024, arXiv:2401.10480): samples are taken in
    windows of `size`; the first window whose answers are all the same ends the run, and the
    vote is over all samples. A window with an unreadable sample is not unanimous.

    Attributes:
        size: samples in a window, at least 2.
    """

    size: int = 5
    name: str = "window"

    def __post_init__(self) -> None:
        if self.size < 2:
            raise ValueError(f"size must be at least 2, got {self.size}")

    def settled(self, standing: Standing) -> bool:
        """Whether some whole window is unanimous."""
        votes, size = standing.votes, self.size
        return any(
            votes[start] == votes[start + 1] and _unanimous(votes[start : start + size])
            for start in range(0, len(votes) - size + 1, size)
        )

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """To the end of this window while it is unanimous, else to the end of the next."""
        begun = len(standing.votes) % self.size
        window = standing.votes[len(standing.votes) - begun :]
        wait = self.size - begun
        return min(wait if not window or _unanimous(window) else wait + self.size, limit)


@dataclass(frozen=True, slots=True)
class FirstToLeadBy:
    """Stops when the leading answer has so many votes more than the runner-up.

    The sequential probability ratio test between the two leading answers in closed form, as in
    MAKER's voting (arXiv:2511.09030).

    Attributes:
        lead: votes by which the leader must lead, at least 1.
    """

    lead: int = 3
    name: str = "first_to_lead_by"

    def __post_init__(self) -> None:
        if self.lead < 1:
            raise ValueError(f"lead must be at least 1, got {self.lead}")

    def settled(self, standing: Standing) -> bool:
        """Whether the leader leads by enough."""
        first, second = standing.two_leading
        return first - second >= self.lead

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples needed if every one of them voted for the leader."""
        first, second = standing.two_leading
        return min(max(1, self.lead - (first - second)), limit)


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless the confidence is between 0.5 and 1."""
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence must be between 0.5 and 1, got {confidence}")


def _unanimous(window: tuple[int | None, ...]) -> bool:
    return window[0] is not None and len(set(window)) == 1
