"""The state of a run that works ahead: plain data, between a context and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.sleeping.entries import Dense, Page
from tscale_graph.techniques.state import RequestBudget

JobKind = Literal["rewrite", "think_of", "answer", "test"]


class Slept(BaseModel):
    """What a run that worked ahead came to.

    Attributes:
        context: what the books are kept under.
        key: the hash of this version of it.
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
    key: str
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

    kind: JobKind
    about: str = ""
    attempt: int = 0

    @property
    def key(self) -> str:
        """What tells it from the other jobs of a run."""
        return f"{self.kind} {self.attempt} {self.about}"


class Outcome(BaseModel):
    """What came of a job.

    Attributes:
        job: the job.
        fate: "came" where the model said its say; "failed" where the call came to nothing;
            "not asked" where it was not made, or dropped for somebody who asks.
        text: what the model said; of a rewriting, without the lines that could not be traced.
        dropped: how many those are.
        tokens: of a rewriting, at most.
        source_tokens: of its document, at most.
        answer: of a question, where it is verified.
        read: the answer, verified or not.
        support: how well.
        each: tokens of one call.
        usage: what it spent.
        note: what went wrong.
        cut_off_by: the limit that did.
    """

    job: Job
    fate: Literal["came", "failed", "not asked"] = "came"
    text: str = ""
    dropped: int = 0
    tokens: int = 0
    source_tokens: int = 0
    answer: str | None = None
    read: str | None = None
    support: float = 0.0
    each: int = 0
    usage: Usage = Usage()
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
        id: tells it from other runs in the books.
        owner: whose the context is.
        budget: what may be spent.
        opened_at: seconds since the epoch.
        clock: the latest time that anything ended.
        page: the questions so far.
        dense: the dense documents so far, by name.
        earned: tokens that questions have saved, by their folded texts.
        jobs: what is to be asked for now.
        outcomes: what came of it.
        tried: the keys of jobs that this run has asked for.
        failed: some of them came to nothing.
        spent: what was spent.
        ended: why nothing more is done, or "".
        cut_off_by: the limit that ended it.
        notes: what could not be done.
    """

    id: str
    owner: tuple[str, ...]
    budget: Budget
    opened_at: float
    clock: float
    page: Page
    dense: dict[str, Dense] = {}
    earned: dict[str, int] = {}
    jobs: list[Job] = []
    outcomes: list[Outcome] = []
    tried: list[str] = []
    failed: bool = False
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

    def with_prepared(self, page: Page | None, dense: Mapping[str, Dense]) -> SleepRun:
        """The same with what other runs have made of the same context meanwhile."""
        both = {name: one.merged(dense.get(name, one)) for name, one in self.dense.items()}
        merged = self.page if page is None else self.page.merged(page)
        return self.model_copy(update={"page": merged, "dense": {**dense, **both}})
