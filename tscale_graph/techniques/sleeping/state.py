"""The state of a run that works ahead: plain data, between a context and what is kept of it."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.sleeping.books import Books
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Dense, Page
from tscale_graph.techniques.state import RequestBudget

Kind = Literal["rewrite", "think_of", "answer", "test"]


class Slept(BaseModel):
    """What a run that worked ahead came to.

    Attributes:
        context: what the books are kept under.
        version: the hash of the context.
        status: "complete" when nothing was left to do, "cut_off" by the budget, "gave_way" to
            somebody who asked, "given_up" where nobody has asked for too long.
        cut_off_by: the limit that ended it, or None.
        usage: what it spent.
        rewritten: documents that have a dense version now.
        documents: of the context.
        anticipated: questions that are known.
        answered: those that have a verified answer.
        notes: what could not be done.
    """

    model_config = ConfigDict(extra="forbid")

    context: str
    version: str
    status: Literal["complete", "cut_off", "gave_way", "given_up"]
    cut_off_by: Limit | None = None
    usage: Usage = Usage()
    rewritten: int = 0
    documents: int = 0
    anticipated: int = 0
    answered: int = 0
    notes: list[str] = []


class Job(BaseModel):
    """One thing to ask for.

    Attributes:
        kind: a dense document, questions, an answer from the context, or the same from its dense
            version.
        about: the name of the document, or the question.
        attempt: tells it from the same thing before, where that is worth another try in one run.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    about: str = ""
    attempt: int = 0

    @property
    def key(self) -> str:
        """What tells it from the other jobs of a run."""
        return f"{self.kind} {self.attempt} {self.about}"


class Done(BaseModel):
    """What came of a job.

    Attributes:
        job: the job.
        text: what the model said; "" where that came to nothing.
        answer: of a question, where it is verified.
        read: the answer, verified or not.
        support: how well.
        each: tokens of one call.
        usage: what it spent.
        came: it was asked for, and not dropped for somebody who asks.
        note: what went wrong.
        cut_off_by: the limit that did.
    """

    job: Job
    text: str = ""
    answer: str | None = None
    read: str | None = None
    support: float = 0.0
    each: int = 0
    usage: Usage = Usage()
    came: bool = True
    note: str = ""
    cut_off_by: Limit | None = None


class SleepContext(TypedDict):
    """What goes in.

    Attributes:
        context: a text, texts by name, LangChain documents, or a `StandingContext`.
        questions: those that you expect; they are answered before what the model thinks of.
        name: for its books, through all its versions; by default its content.
        owner: the tenant, or the tenant and the user, whose it is.
        budget: what may be spent on it now.
    """

    context: Any
    questions: NotRequired[list[str]]
    name: NotRequired[str]
    owner: NotRequired[str | list[str]]
    budget: NotRequired[RequestBudget]


class SleepOutput(TypedDict):
    """What comes out."""

    slept: Slept


class SleepState(TypedDict, total=False):
    """In between; private to the graph.

    Attributes:
        context: as it was given.
        questions: the same.
        name: the same.
        owner: the same.
        budget: the same.
        run: where it stands.
        slept: written by the last node.
    """

    context: Any
    questions: list[str]
    name: str
    owner: str | list[str]
    budget: RequestBudget
    run: SleepRun | None
    slept: Slept


class SleepRun(BaseModel):
    """Where a run stands.

    Attributes:
        context: the standing context.
        owner: whose it is.
        budget: what may be spent.
        opened_at: seconds since the epoch.
        clock: the latest time that anything ended.
        before: the books as they were.
        page: the questions so far.
        dense: the dense documents so far, by name.
        jobs: what was asked for last, or is to be asked for now.
        done: what came of it.
        tried: jobs of this run, by kind and what they are about.
        replaced: the dense documents that were improved in this run, as they were before.
        spent: what was spent.
        ended: why nothing more is done, or "".
        cut_off_by: the limit that ended it.
        notes: what could not be done.
    """

    context: StandingContext
    owner: tuple[str, ...]
    budget: Budget
    opened_at: float
    clock: float
    before: Books
    page: Page
    dense: dict[str, Dense] = {}
    jobs: list[Job] = []
    done: list[Done] = []
    tried: list[str] = []
    replaced: dict[str, Dense] = {}
    spent: Usage = Usage()
    ended: Literal["", "complete", "cut_off", "gave_way", "given_up"] = ""
    cut_off_by: Limit | None = None
    notes: list[str] = []

    @property
    def usage(self) -> Usage:
        """What was spent; `seconds` since it began."""
        seconds = max(0.0, self.clock - self.opened_at)
        return self.spent.model_copy(update={"seconds": round(seconds, 6)})

    @property
    def deadline(self) -> float | None:
        """When its time is up, or None."""
        seconds = self.budget.seconds
        return None if seconds is None else self.opened_at + seconds
