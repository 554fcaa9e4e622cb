"""The books: what sleeping has cost a context, what it has saved, and whether it goes on.

Amortised over m questions a context costs (C_sleep + m C_awake) / m each; it has paid off once
m (C_full - C_awake) > phi C_sleep, with phi the price of a token while nobody waits, in tokens
that somebody waits for (Lin et al. 2025, arXiv:2504.13171).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.budget import Usage

Served = Literal["answer", "dense", "full"]
"""What a question was answered from: an anticipated answer, the dense context, or all of it."""
_RUNS_APART = 20
"""Runs whose costs are kept apart, so that one that goes on late still counts once."""


class Use(BaseModel):
    """One question that was asked of a context.

    Attributes:
        id: tells it from all others.
        question: as it was asked; "" where it may not be kept, or does not stand alone.
        served: what it was answered from.
        matched: the anticipated question that it was, folded, or None.
        usage: what answering took.
        saved_tokens: what it would have taken more, at least; 0 where nobody can know.
        at: seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    id: str
    question: str = ""
    served: Served
    matched: str | None = None
    usage: Usage = Usage()
    saved_tokens: int = Field(default=0, ge=0)
    at: float


class Books(BaseModel):
    """The account of one context, through all its versions.

    Attributes:
        name: of the context.
        runs: the last runs that worked ahead, by their ids, and what each has cost.
        earlier: what all runs before those have cost.
        unasked: the runs that came to their end since anybody asked anything.
        asked: questions, by what they were answered from.
        awake: what answering them took.
        saved_tokens: what it would have taken more.
        earned: tokens that each anticipated question has saved, by its folded text.
        versions: the hashes of the documents of each version that something is kept of, by its
            own hash.
        current: the version that was last worked on, or "".
        summed: uses that are in the sums above and may still lie beside them.
        changed_at: seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    runs: tuple[tuple[str, Usage], ...] = ()
    earlier: Usage = Usage()
    unasked: tuple[str, ...] = ()
    asked: dict[Served, int] = {}
    awake: Usage = Usage()
    saved_tokens: int = Field(default=0, ge=0)
    earned: dict[str, int] = {}
    versions: dict[str, tuple[str, ...]] = {}
    current: str = ""
    summed: tuple[str, ...] = ()
    changed_at: float

    @property
    def slept(self) -> Usage:
        """What working ahead has cost."""
        return Usage.total([self.earlier, *(cost for _, cost in self.runs)])

    @property
    def questions(self) -> int:
        """How many were asked."""
        return sum(self.asked.values())

    @property
    def keys(self) -> set[str]:
        """The hashes of all versions and documents that something is kept of."""
        return {*self.versions, *(key for keys in self.versions.values() for key in keys)}

    def with_uses(self, uses: Iterable[Use]) -> Books:
        """The books with these uses in their sums, each once, however often it is given.

        Args:
            uses: all that lie beside the books: what is not among them is forgotten.
        """
        there = {use.id: use for use in uses}
        new = {key: use for key, use in there.items() if key not in self.summed}
        asked, earned = dict(self.asked), dict(self.earned)
        for use in new.values():
            asked[use.served] = asked.get(use.served, 0) + 1
            if use.matched is not None:
                earned[use.matched] = earned.get(use.matched, 0) + use.saved_tokens
        last = max((use.at for use in new.values()), default=self.changed_at)
        return self.model_copy(
            update={
                "asked": asked,
                "earned": earned,
                "awake": Usage.total([self.awake, *(use.usage for use in new.values())]),
                "saved_tokens": self.saved_tokens + sum(use.saved_tokens for use in new.values()),
                "unasked": () if new else self.unasked,
                "summed": tuple(there),
                "changed_at": max(self.changed_at, last),
            }
        )

    def holding(self, key: str, documents: Iterable[str]) -> Books:
        """The books where something is kept of a version: its hash, and those of its documents."""
        versions = {**self.versions, key: tuple(documents)}
        return self.model_copy(update={"versions": versions, "current": self.current or key})

    def begun(self, key: str, *, questions: Iterable[str]) -> Books:
        """The books when that version begins to be worked on.

        Args:
            key: its hash.
            questions: folded, those on its page: what others have earned is forgotten.
        """
        earned = {one: self.earned[one] for one in questions if one in self.earned}
        return self.model_copy(update={"current": key, "earned": earned})

    def of_current(self) -> Books:
        """The books without the versions before, of which nothing is kept any more."""
        return self.model_copy(update={"versions": {self.current: self.versions[self.current]}})

    def with_run(self, run: str, usage: Usage, *, at: float) -> Books:
        """The books with what a run has cost so far, which counts once however often it is said.

        Args:
            run: tells it from other runs.
            usage: all that it has cost.
            at: seconds since the epoch.
        """
        runs = tuple({**dict(self.runs), run: usage}.items())
        old, last = runs[:-_RUNS_APART], runs[-_RUNS_APART:]
        return self.model_copy(
            update={
                "earlier": Usage.total([self.earlier, *(cost for _, cost in old)]),
                "runs": last,
                "changed_at": max(self.changed_at, at),
            }
        )

    def worked_through(self, run: str) -> Books:
        """The books after a run that came to its end."""
        return self.model_copy(update={"unasked": tuple(dict.fromkeys([*self.unasked, run]))})

    def amortised_tokens(self, *, questions: int | None = None, phi: float = 1.0) -> float | None:
        """What each question has taken, its part of the sleep included; None before the first.

        Args:
            questions: to spread the sleep over; as many as were asked if None.
            phi: the price of a token of sleep in tokens that somebody waits for, at least 0.

        >>> books = Books(name="x", changed_at=0).with_run("1", Usage(input_tokens=900), at=0)
        >>> use = Use(id="1", served="answer", usage=Usage(input_tokens=100), at=1)
        >>> books.with_uses([use]).amortised_tokens(questions=10)
        190.0
        """
        if not self.questions:
            return None
        spread = self.questions if questions is None else questions
        return phi * self.slept.tokens / spread + self.awake.tokens / self.questions

    def paid_off(self, *, phi: float = 1.0) -> bool:
        """Whether it has saved more than it cost."""
        return self.saved_tokens > phi * self.slept.tokens

    def questions_to_pay_off(self, *, phi: float = 1.0) -> float | None:
        """Questions after which it will have, at what each saves so far; None if it saves none."""
        if not self.saved_tokens:
            return None
        return phi * self.slept.tokens * self.questions / self.saved_tokens

    def given_up(self, *, after: int) -> bool:
        """Whether it was worked through so many times since anybody asked."""
        return len(self.unasked) >= after


def least_earning(books: Mapping[str, Books], *, keep: int) -> list[str]:
    """The contexts to let go of so that `keep` are left: those that have saved least.

    Args:
        books: of each context, by any key.
        keep: how many may stay, at least 0.
    """
    ranked = sorted(
        books, key=lambda key: (books[key].saved_tokens, books[key].changed_at), reverse=True
    )
    return ranked[keep:]
