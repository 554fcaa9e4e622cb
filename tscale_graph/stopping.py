"""When to stop sampling: pure rules on the votes and verdicts so far.

A rule never looks at a model or a clock. It answers two questions: whether the matter is
settled, and how many further samples it would take at the least to settle it, which is the size
of the next wave: sampling in parallel then never buys a sample that sampling one at a time
would surely not have bought.
"""

from __future__ import annotations

import math
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
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence must be between 0.5 and 1, got {self.confidence}")

    def settled(self, standing: Standing) -> bool:
        """Whether the leader leads with the wanted confidence. No votes: False."""
        first, second = _two_leading(standing)
        return first > 0 and probability_of_lead(first, second) >= self.confidence

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples needed if every one of them voted for the leader."""
        first, second = _two_leading(standing)
        for more in range(1, limit):
            if probability_of_lead(first + more, second) >= self.confidence:
                return more
        return limit


@dataclass(frozen=True, slots=True)
class FirstPass:
    """Stops as soon as a verifier passes an answer.

    Waves double the number of samples (1, 1, 2, 4, 8, …): at most twice what sampling one at a
    time would have bought, in a logarithmic number of rounds.
    """

    name: str = "first_pass"

    def settled(self, standing: Standing) -> bool:
        """Whether some sample passed."""
        return standing.passed > 0

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """As many as there have been so far, at least one."""
        return min(max(1, standing.samples), limit)


_RULES: dict[str, StoppingRule] = {rule.name: rule for rule in (Fixed(), Beta(), FirstPass())}

RULES: tuple[str, ...] = tuple(_RULES)
"""The names of the stopping rules."""


def stopping_rule(stop: str | StoppingRule) -> StoppingRule:
    """The rule of that name, or the rule itself.

    Raises:
        ValueError: for an unknown name; the message lists the names.
    """
    if isinstance(stop, str):
        if stop not in _RULES:
            raise ValueError(f"stop must be one of {', '.join(RULES)} or a rule, got {stop!r}")
        return _RULES[stop]
    if not isinstance(stop, StoppingRule):
        raise ValueError(f"stop must be one of {', '.join(RULES)} or a rule, got {stop!r}")
    return stop


def wave_size(
    rule: StoppingRule, standing: Standing, *, max_samples: int, max_parallel: int | None
) -> int:
    """How many samples to ask for next; 0 when there are enough.

    Args:
        rule: decides when there are enough.
        standing: where the run stands.
        max_samples: the most samples that the run takes.
        max_parallel: the most that may be in flight at once; None for no such limit.
    """
    left = max_samples - standing.samples
    if left <= 0 or rule.settled(standing):
        return 0
    wave = rule.soonest(standing, limit=left)
    return wave if max_parallel is None else min(wave, max_parallel)


def probability_of_lead(first: int, second: int) -> float:
    """P(p > 1/2) for p ~ Beta(first + 1, second + 1), with uniform prior, exactly.

    For whole numbers the regularised incomplete beta function at 1/2 is a binomial tail, so no
    numerical integration is needed.

    >>> probability_of_lead(4, 0)
    0.96875
    """
    trials = first + second + 1
    return sum(math.comb(trials, k) for k in range(first + 1)) / 2**trials


def _two_leading(standing: Standing) -> tuple[int, int]:
    first, second, *_ = (*standing.counts, 0, 0)
    return first, second
