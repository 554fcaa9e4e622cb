"""Stopping rules that look at what the verifier passed and failed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tscale_graph.stopping.standing import Standing


@dataclass(frozen=True, slots=True)
class FirstPass:
    """Stops as soon as a verifier passes an answer: any sample may be the last.

    One at a time, unless the user speculates: with a pass rate p that takes 1/p samples on
    average, and every larger wave may buy samples in vain.
    """

    name: str = "first_pass"

    def settled(self, standing: Standing) -> bool:
        """Whether some sample passed."""
        return standing.passed > 0

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """The very next sample may pass."""
        return 1


@dataclass(frozen=True, slots=True)
class Sprt:
    """Stops when a question is known to be solvable, or to be given up.

    Wald's sequential probability ratio test (Wald 1945, Annals of Mathematical Statistics
    16(2)) on the verifier's outcomes. With the log-likelihood ratio

        passed · log(solvable / hopeless) + failed · log((1 - solvable) / (1 - hopeless))

    it accepts "the pass rate is at least `solvable`" at or above log((1 - beta) / alpha), and
    "the pass rate is at most `hopeless`" at or below log(beta / (1 - alpha)). Samples that the
    verifier did not decide do not count.

    Attributes:
        solvable: the pass rate of a question worth the effort, above `hopeless`, below 1.
        hopeless: the pass rate of a question to give up, in (0, 1).
        alpha: nominal probability of taking a hopeless question for a solvable one.
        beta: nominal probability of giving up a solvable question; alpha + beta below 1.
    """

    solvable: float = 0.3
    hopeless: float = 0.05
    alpha: float = 0.05
    beta: float = 0.05
    name: str = "sprt"

    def __post_init__(self) -> None:
        if not 0 < self.hopeless < self.solvable < 1:
            raise ValueError(
                "hopeless and solvable must be rates with 0 < hopeless < solvable < 1, "
                f"got {self.hopeless} and {self.solvable}"
            )
        if not (self.alpha > 0 and self.beta > 0 and self.alpha + self.beta < 1):
            raise ValueError(
                f"alpha and beta must be positive with a sum below 1, got {self.alpha} "
                f"and {self.beta}"
            )

    def settled(self, standing: Standing) -> bool:
        """Whether either hypothesis is accepted."""
        ratio = self.log_likelihood_ratio(standing)
        return ratio >= self.accept_at or ratio <= self.give_up_at

    def soonest(self, standing: Standing, *, limit: int) -> int:
        """Samples needed if all of them passed, or all failed, whichever is fewer."""
        ratio = self.log_likelihood_ratio(standing)
        passes = (self.accept_at - ratio) / self._step_up
        failures = (self.give_up_at - ratio) / self._step_down
        more = max(1, math.ceil(min(passes, failures)))
        if more > 1 and self._could_stop(standing, more - 1):  # the division rounded up
            more -= 1
        return min(more, limit)

    def log_likelihood_ratio(self, standing: Standing) -> float:
        """How much likelier the outcomes are on a solvable question than on a hopeless one."""
        return standing.passed * self._step_up + standing.failed * self._step_down

    @property
    def accept_at(self) -> float:
        """The log-likelihood ratio at which the question counts as solvable."""
        return math.log((1 - self.beta) / self.alpha)

    @property
    def give_up_at(self) -> float:
        """The log-likelihood ratio at which the question is given up."""
        return math.log(self.beta / (1 - self.alpha))

    @property
    def _step_up(self) -> float:
        return math.log(self.solvable / self.hopeless)

    @property
    def _step_down(self) -> float:
        return math.log((1 - self.solvable) / (1 - self.hopeless))

    def _could_stop(self, standing: Standing, more: int) -> bool:
        return self.settled(replace(standing, passed=standing.passed + more)) or self.settled(
            replace(standing, failed=standing.failed + more)
        )
