"""What is prepared for a context: dense documents and anticipated questions, as plain data.

Each is kept whole, under the hash of what it was worked out from: what is found under another hash
was worked out from something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1


class Dense(_Entry):
    """A document rewritten: shorter, with what follows from it drawn out.

    Attributes:
        source: the hash of the document.
        text: what stands in for it.
        tokens: of the text, as the model that wrote it counts them, at most.
        source_tokens: of the document, likewise.
        dropped: lines of the last rewriting whose numbers could not be traced.
        rounds: times that it was written or improved.
        tested: verified questions that were answered from it.
        right: those whose answer came out the same.
        written_at: in seconds since the epoch.
    """

    source: str
    text: str
    tokens: int = Field(ge=0)
    source_tokens: int = Field(ge=0)
    dropped: int = Field(default=0, ge=0)
    rounds: int = Field(default=1, ge=1)
    tested: int = Field(default=0, ge=0)
    right: int = Field(default=0, ge=0)
    written_at: float

    @property
    def shorter(self) -> bool:
        """Whether it saves tokens to read it in place of the document."""
        return self.tokens < self.source_tokens

    def faithful(self, least: float) -> bool:
        """Whether verified questions were answered from it, and at least this share rightly."""
        return self.tested > 0 and self.right >= least * self.tested

    def with_test(self, *, right: bool) -> Dense:
        """The same, after one more question was answered from it."""
        return self.model_copy(update={"tested": self.tested + 1, "right": self.right + int(right)})


class Anticipated(_Entry):
    """A question that was thought of, or asked, before; with its answer once that is verified.

    Attributes:
        question: as it may be asked.
        asked: somebody did ask it, of this context or of an earlier version.
        answer: the final answer; None as long as there is none that was verified.
        text: the whole reply that it was read from.
        support: share of the samples that gave this answer, or 1 where a verifier passed it.
        tries: times that an answer was sought.
        tokens: what answering it once takes, of the full context.
        answered_at: in seconds since the epoch.
    """

    question: str = Field(min_length=1)
    asked: bool = False
    answer: str | None = None
    text: str = ""
    support: float = Field(default=0.0, ge=0, le=1)
    tries: int = Field(default=0, ge=0)
    tokens: int = Field(default=0, ge=0)
    answered_at: float = 0.0

    def unanswered(self) -> Anticipated:
        """The question alone: of a changed context it has to be answered anew."""
        return Anticipated(question=self.question, asked=self.asked)


class Page(_Entry):
    """The questions of one version of a context.

    Attributes:
        source: the hash of the context.
        name: what its books are kept under.
        questions: in the order in which they came.
        written_at: in seconds since the epoch.
    """

    source: str
    name: str
    questions: tuple[Anticipated, ...] = ()
    written_at: float

    @property
    def answered(self) -> tuple[Anticipated, ...]:
        """Those with a verified answer."""
        return tuple(one for one in self.questions if one.answer is not None)

    def with_questions(self, new: Iterable[Anticipated], *, at: float) -> Page:
        """The page with questions added; one that is there already is replaced.

        Args:
            new: the questions.
            at: seconds since the epoch.
        """
        found = {folded(one.question): one for one in self.questions}
        for one in new:
            before = found.get(folded(one.question))
            asked = one.asked or (before is not None and before.asked)
            found[folded(one.question)] = one.model_copy(update={"asked": asked})
        return self.model_copy(update={"questions": tuple(found.values()), "written_at": at})

    def with_wanted(self, questions: Iterable[str], *, asked: bool, at: float) -> Page:
        """The page with questions that are wanted; one that is there keeps its answer.

        Args:
            questions: the same more than once counts once.
            asked: somebody did ask them.
            at: seconds since the epoch.
        """
        there = {folded(one.question): one for one in self.questions}
        wanted: dict[str, Anticipated] = {}
        for text in questions:
            if key := folded(text):
                wanted.setdefault(key, there.get(key) or Anticipated(question=text))
        return self.with_questions(
            [one.model_copy(update={"asked": one.asked or asked}) for one in wanted.values()], at=at
        )

    def of_context(self, source: str, *, at: float) -> Page:
        """What is left of it for another version of its context: the questions alone."""
        alone = tuple(one.unanswered() for one in self.questions)
        return Page(source=source, name=self.name, questions=alone, written_at=at)

    def at_most(self, count: int, *, earned: Mapping[str, int]) -> Page:
        """The page without the questions that have earned least.

        Args:
            count: how many may stay.
            earned: tokens that each has saved so far, by its folded text. Among equals, those
                that were asked stay, then those with an answer, then the newest.
        """
        if len(self.questions) <= count:
            return self
        ranked = sorted(
            range(len(self.questions)),
            key=lambda place: (
                earned.get(folded(self.questions[place].question), 0),
                self.questions[place].asked,
                self.questions[place].answer is not None,
                place,
            ),
            reverse=True,
        )
        kept = sorted(ranked[:count])
        return self.model_copy(update={"questions": tuple(self.questions[k] for k in kept)})


def folded(question: str) -> str:
    """A question without what makes no difference: case, spaces, and how it ends.

    >>> folded("  How much is Tea? ")
    'how much is tea'
    """
    return " ".join(question.split()).casefold().rstrip("?!. ")
