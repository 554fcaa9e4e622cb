"""The books: what sleeping has cost a context, what it has saved, and whether it goes on.

Amortised over m questions a context costs (C_sleep + m C_awake) / m each; it has paid off once
m (C_full - C_awake) > phi C_sleep, with phi the price of a token while nobody waits, in tokens
that somebody waits for (Lin et al. 2025, arXiv:2504.13171).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.budget import Usage

Served = Literal["answer", "dense", "full"]
"""What a question was answered from: an anticipated answer, the dense context, or all of it."""


class Use(BaseModel):
    """One question that was asked of a context.

    Attributes:
        id: tells it from all others.
        question: as it was asked; "" where it may not be kept.
        served: what it was answered from.
        matched: the anticipated question that it was, or None.
        usage: what answering took.
        saved_tokens: what it would have taken more; 0 where nobody can know.
        at: seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
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
        slept: what working ahead has cost.
        sleeps: runs that did.
        unasked: the last of them between which and now nobody has asked anything.
        asked: questions, by what they were answered from.
        awake: what answering them took.
        saved_tokens: what it would have taken more.
        earned: tokens that each anticipated question has saved, by its folded text.
        current: the hash of the version that was last worked on.
        documents: the hashes of its documents.
        folded: uses that are in the sums above and may still lie beside them.
        opened_at: seconds since the epoch.
        changed_at: the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    name: str
    slept: Usage = Usage()
    sleeps: int = Field(default=0, ge=0)
    unasked: int = Field(default=0, ge=0)
    asked: dict[Served, int] = {}
    awake: Usage = Usage()
    saved_tokens: int = Field(default=0, ge=0)
    earned: dict[str, int] = {}
    current: str = ""
    documents: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    opened_at: float
    changed_at: float

    @property
    def questions(self) -> int:
        """How many were asked."""
        return sum(self.asked.values())

    def with_uses(self, uses: Iterable[Use]) -> Books:
        """The books with these uses in their sums, each once, however often it is given.

        Args:
            uses: all that lie beside the books: what is not among them is forgotten.
        """
        there = {use.id: use for use in uses}
        new = {key: use for key, use in there.items() if key not in self.folded}
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
                "unasked": 0 if new else self.unasked,
                "folded": tuple(there),
                "changed_at": max(self.changed_at, last),
            }
        )

    def with_sleep(
        self, usage: Usage, *, at: float, version: str = "", documents: Sequence[str] = ()
    ) -> Books:
        """The books after a run that worked ahead.

        Args:
            usage: what it cost.
            at: seconds since the epoch.
            version: the hash of the context.
            documents: those of its documents.
        """
        return self.model_copy(
            update={
                "slept": self.slept + usage,
                "sleeps": self.sleeps + 1,
                "unasked": self.unasked + 1,
                "current": version,
                "documents": tuple(documents),
                "changed_at": max(self.changed_at, at),
            }
        )

    def amortised_tokens(self, *, questions: int | None = None, phi: float = 1.0) -> float | None:
        """What each question has taken, its part of the sleep included; None before the first.

        Args:
            questions: to spread the sleep over; as many as were asked if None.
            phi: the price of a token of sleep in tokens that somebody waits for, at least 0.

        >>> books = Books(name="x", slept=Usage(input_tokens=900), opened_at=0, changed_at=0)
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
        """Whether it was worked on so many times since anybody asked."""
        return self.unasked >= after


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
