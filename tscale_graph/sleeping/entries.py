"""What is prepared for a context: dense documents and anticipated questions, as plain data.

Each is kept whole, under the hash of what it was worked out from: what is found under another hash
was worked out from something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1


class Rewriting(BaseModel):
    """One rewriting of a document, and how it did in tests.

    Attributes:
        text: what may stand in for the document.
        tokens: of the text, as the model that wrote it counts them, at most.
        dropped: lines of it that were left out, because their numbers could not be traced.
        tests: whether the answer came out the same, by the folded question that was asked of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    tokens: int = Field(ge=0)
    dropped: int = Field(default=0, ge=0)
    tests: dict[str, bool] = {}

    def faithful(self, least: float) -> bool:
        """Whether verified questions were answered from it, and at least this share rightly."""
        return bool(self.tests) and sum(self.tests.values()) >= least * len(self.tests)

    def with_test(self, question: str, *, right: bool) -> Rewriting:
        """The same, after a question was answered from it."""
        return self.model_copy(update={"tests": {**self.tests, folded(question): right}})


class Dense(_Entry):
    """A document rewritten: shorter, with what follows from it drawn out.

    Attributes:
        source: the hash of the document.
        source_tokens: of the document, as the model counts them, at most.
        best: the rewriting that stands in for it.
        draft: a later one, which takes that place once it has done as well in the same tests.
        rounds: times that it was written or improved.
    """

    source: str
    source_tokens: int = Field(ge=0)
    best: Rewriting
    draft: Rewriting | None = None
    rounds: int = Field(default=1, ge=1)

    @property
    def latest(self) -> Rewriting:
        """The one that is tested, and improved, next."""
        return self.draft or self.best

    def shortens(self, rewriting: Rewriting) -> bool:
        """Whether it saves tokens to read that in place of the document."""
        return rewriting.tokens < self.source_tokens

    def usable(self, least: float) -> bool:
        """Whether the best one is shorter, and passed at least this share of its tests."""
        return self.shortens(self.best) and self.best.faithful(least)

    def with_rewriting(self, new: Rewriting | None) -> Dense:
        """The same after another round; None where nothing came of it."""
        update: dict[str, object] = {"rounds": self.rounds + 1}
        if new is not None:
            update["draft" if self.best.tests else "best"] = new
        return self.model_copy(update=update)

    def with_test(self, question: str, *, right: bool) -> Dense:
        """The same, after a question was answered from the latest one."""
        tested = self.latest.with_test(question, right=right)
        return self.model_copy(update={"draft" if self.draft else "best": tested})

    def compared(self, questions: Collection[str]) -> Dense:
        """The same with the better of its two, once both were asked the same.

        Args:
            questions: folded, those that can be asked.
        """
        if self.draft is None:
            return self
        common = [one for one in self.best.tests if one in questions]
        if any(one not in self.draft.tests for one in common):
            return self
        before, now = (sum(r.tests[one] for one in common) for r in (self.best, self.draft))
        worth = self.shortens(self.draft) or not self.shortens(self.best)
        better = self.draft if common and now >= before and worth else self.best
        return self.model_copy(update={"best": better, "draft": None})

    def merged(self, other: Dense) -> Dense:
        """Of two that were worked on at the same time, the one that more was done for."""
        return max(self, other, key=lambda one: (len(one.best.tests), one.rounds))


class Anticipated(_Entry):
    """A question that was thought of, or asked, before; with its answer once that is verified.

    Attributes:
        question: as it may be asked.
        asked: somebody did ask it, of this context or of an earlier version.
        expected: somebody said that it will be asked.
        answer: the final answer; None as long as there is none that was verified.
        text: the whole reply that it was read from.
        support: share of the samples that gave this answer, or 1 where a verifier passed it.
        tries: times that an answer was sought.
        tokens: what answering it once takes, of the full context.
    """

    question: str = Field(min_length=1)
    asked: bool = False
    expected: bool = False
    answer: str | None = None
    text: str = ""
    support: float = Field(default=0.0, ge=0, le=1)
    tries: int = Field(default=0, ge=0)
    tokens: int = Field(default=0, ge=0)

    def unanswered(self) -> Anticipated:
        """The question alone: of a changed context it has to be answered anew."""
        return Anticipated(question=self.question, asked=self.asked, expected=self.expected)

    def merged(self, other: Anticipated) -> Anticipated:
        """The same question as it was found twice: the one with an answer, if there is one."""
        one = other if self.answer is None and other.answer is not None else self
        update = {
            "asked": self.asked or other.asked,
            "expected": self.expected or other.expected,
            "tries": max(self.tries, other.tries),
        }
        return one.model_copy(update=update)


class Page(_Entry):
    """The questions of one version of a context.

    Attributes:
        source: the hash of the context.
        name: what its books are kept under.
        questions: in the order in which they came.
    """

    source: str
    name: str
    questions: tuple[Anticipated, ...] = ()

    @property
    def answered(self) -> tuple[Anticipated, ...]:
        """Those with a verified answer."""
        return tuple(one for one in self.questions if one.answer is not None)

    def find(self, question: str) -> Anticipated | None:
        """The same question, however it is written, or None."""
        key = folded(question)
        return next((one for one in self.questions if folded(one.question) == key), None)

    def with_questions(self, new: Iterable[Anticipated]) -> Page:
        """The page with questions added; one that is there already is replaced."""
        found = {folded(one.question): one for one in self.questions}
        for one in new:
            before = found.get(folded(one.question), one)
            marks = {
                "asked": one.asked or before.asked,
                "expected": one.expected or before.expected,
            }
            found[folded(one.question)] = one.model_copy(update=marks)
        return self.model_copy(update={"questions": tuple(found.values())})

    def with_wanted(self, questions: Iterable[str], *, asked: bool) -> Page:
        """The page with questions that are wanted; one that is there keeps its answer.

        Args:
            questions: the same more than once counts once.
            asked: somebody did ask them; otherwise somebody expects them.
        """
        wanted: dict[str, Anticipated] = {}
        for text in questions:
            if key := folded(text):
                wanted.setdefault(key, self.find(text) or Anticipated(question=text))
        mark = {"asked" if asked else "expected": True}
        return self.with_questions(one.model_copy(update=mark) for one in wanted.values())

    def merged(self, other: Page) -> Page:
        """The page with what another run made of the same context at the same time."""
        found = {folded(one.question): one for one in self.questions}
        for one in other.questions:
            key = folded(one.question)
            found[key] = found[key].merged(one) if key in found else one
        return self.model_copy(update={"questions": tuple(found.values())})

    def of_context(self, source: str, *, name: str) -> Page:
        """What is left of it for another version of its context: the questions alone."""
        alone = tuple(one.unanswered() for one in self.questions)
        return Page(source=source, name=name, questions=alone)

    def at_most(self, count: int, *, earned: Mapping[str, int], first: Iterable[str] = ()) -> Page:
        """The page without the questions that have earned least.

        Args:
            count: how many may stay.
            earned: tokens that each has saved so far, by its folded text. Among equals, those
                that were asked stay, then those that are expected, then those with an answer,
                then the newest.
            first: questions that stay before any other.
        """
        if len(self.questions) <= count:
            return self
        before_all = {folded(one) for one in first}

        def worth(place: int) -> tuple[bool, int, bool, bool, bool, int]:
            one = self.questions[place]
            key = folded(one.question)
            answered = one.answer is not None
            saved = earned.get(key, 0)
            return key in before_all, saved, one.asked, one.expected, answered, place

        ranked = sorted(range(len(self.questions)), key=worth, reverse=True)
        kept = sorted(ranked[:count])
        return self.model_copy(update={"questions": tuple(self.questions[k] for k in kept)})


def folded(question: str) -> str:
    """A question without what makes no difference: case, spaces, and how it ends.

    >>> folded("  How much is Tea? ")
    'how much is tea'
    """
    return " ".join(question.split()).casefold().rstrip("?!. ")
