"""Choosing among the last candidates in calls of its own, once sampling is over.

What a vote or a score cannot tell, a model may tell by looking at answers side by side: which is
most consistent with the others, which ranks first, which wins when two are compared. What
these calls may need is reserved before any sample is granted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import Ranker


@dataclass(frozen=True, slots=True)
class Closed:
    """How the finalists stand.

    Attributes:
        weights: one for each finalist, higher is better; empty when there is no ranking.
        usage: what was spent.
        notes: what could not be done.
    """

    weights: tuple[float, ...]
    usage: Usage
    notes: tuple[str, ...] = ()


@runtime_checkable
class Closing(Protocol):
    """Ranks finalists by asking a model."""

    @property
    def name(self) -> str:
        """The name, as users write it."""
        ...

    @property
    def at_most(self) -> int:
        """The most finalists."""
        ...

    @property
    def distinct(self) -> bool:
        """Whether one finalist stands for all samples with its answer."""
        ...

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """An estimate from above of what ranking takes, to be reserved.

        Args:
            question: what was asked.
            finalists: how many there will be at most.
            answer_tokens: the most tokens of one of them.
        """
        ...

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        priors: Sequence[float],
        lease: Budget,
        rng: random.Random,
        deadline: float | None,
    ) -> Closed:
        """Rank the finalists within the lease. Never raises for a model that fails.

        Args:
            question: what was asked.
            answers: two or more, at most `at_most`.
            priors: what is known of each, such as its votes; decides what the model leaves tied.
            lease: the most that may be spent.
            rng: for orders.
            deadline: when to give up, in seconds since the epoch.
        """
        ...


@dataclass(frozen=True, slots=True)
class ByRanker:
    """One look at all finalists: a listwise judge, or universal self-consistency.

    Attributes:
        ranker: ranks answers.
        calls: how many calls it makes.
        distinct: whether equal answers are shown once.
        name: as users write it.
    """

    ranker: Ranker
    calls: int
    distinct: bool
    name: str

    @property
    def at_most(self) -> int:
        """As many as the ranker takes."""
        return self.ranker.at_most

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return getattr(getattr(self.ranker, "asker", None), "unpriced", None)

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """All finalists in every call."""
        size = self.ranker.call_size(question, [""] * finalists)
        return size.cost(calls=self.calls, more_prompt_tokens=finalists * answer_tokens)

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        priors: Sequence[float],
        lease: Budget,
        rng: random.Random,
        deadline: float | None,
    ) -> Closed:
        """As many of the first finalists as the lease has room for."""
        shown = self._that_fit(question, answers, lease)
        if shown < 2:
            return Closed((), Usage(), (f"{self.name}: too little was left of the budget",))
        try:
            ranking = await self.ranker.rank(
                question, answers[:shown], lease=lease, rng=rng, deadline=deadline
            )
        except VerifierError as error:
            return Closed((), error.usage, (f"{self.name}: {error}",))
        left_out = len(answers) - shown
        notes = (f"{self.name}: {left_out} answers did not fit",) if left_out else ()
        return Closed((*ranking.scores, *[-1.0] * left_out), ranking.usage, notes)

    def _that_fit(self, question: str, answers: Sequence[str], lease: Budget) -> int:
        """How many of the answers one call has room for in its part of the lease."""
        if lease.calls is not None and lease.calls < self.calls:
            return 0
        if lease.tokens is None:
            return len(answers)
        each = lease.tokens // self.calls
        fits = range(len(answers), 1, -1)
        sizes = ((n, self.ranker.call_size(question, answers[:n])) for n in fits)
        return next((n for n, size in sizes if size.prompt_tokens < each), 0)
