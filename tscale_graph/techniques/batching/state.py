"""The state of a batch: plain data, so that it can stop anywhere and go on elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, convert_to_messages
from langgraph.channels import EphemeralValue
from pydantic import BaseModel, ConfigDict, field_validator
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Remaining, Usage
from tscale_graph.candidates import Candidate, Checked, Result
from tscale_graph.techniques.batching.granting import Place
from tscale_graph.techniques.state import (
    Admission,
    RequestBudget,
    SampleTask,
    add_candidates,
    add_checks,
    later,
    merge,
    since_admission,
)


class BatchRequest(BaseModel):
    """One request of a batch.

    Attributes:
        messages: the conversation, whose last human message is the question.
        task_class: the class of the task, where the caller knows it.
        budget: a limit of its own within the shared one, or None.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    messages: list[AnyMessage]
    task_class: str | None = None
    budget: Budget | None = None

    @field_validator("messages", mode="before")
    @classmethod
    def _as_messages(cls, given: Any) -> Any:
        return convert_to_messages(given) if isinstance(given, list) else given  # pyright: ignore[reportUnknownArgumentType]


class BatchTask(BaseModel):
    """What one `Send` carries.

    Attributes:
        request: its place in the batch.
        route: the class that serves it.
        lease: all that it may spend, on samples and on judging them.
        task: the samples to take; None where the technique runs as a whole.
        messages: the conversation.
        deadline: when the time of the batch is up, or None.
        answer_kind: how answers are read, once that is decided.
        checks: what the verifier said of its earlier answers.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    request: int
    route: str
    lease: Budget
    task: SampleTask | None = None
    messages: list[AnyMessage] = []
    deadline: float | None = None
    answer_kind: str | None = None
    checks: dict[str, Checked] = {}


def add_each(
    old: Mapping[str, list[Candidate]] | None, new: Mapping[str, list[Any]] | None
) -> dict[str, list[Candidate]]:
    """Add candidates to those of their requests; None starts again."""
    if new is None:
        return {}
    found = dict(old or {})
    for place, candidates in new.items():
        found[place] = add_candidates(found.get(place), candidates)
    return found


def add_checks_each(
    old: Mapping[str, dict[str, Checked]] | None, new: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, dict[str, Checked]]:
    """Merge what verifiers said into that of their requests; None starts again."""
    if new is None:
        return {}
    found = dict(old or {})
    for place, checks in new.items():
        found[place] = add_checks(found.get(place), checks)
    return found


def add_results(
    old: Mapping[str, Result] | None, new: Mapping[str, Any] | None
) -> dict[str, Result]:
    """Merge results of whole runs, by request; None starts again."""
    if new is None:
        return {}
    return {**(old or {}), **{place: Result.model_validate(one) for place, one in new.items()}}


class Seen(BaseModel):
    """Where a request stood when it was last looked at; it stands there until something comes.

    Attributes:
        parts: samples, verdicts and results that there were.
        place: where it stood.
    """

    parts: int
    place: Place


class Batch(TypedDict):
    """What goes in: the requests, and the budget that they share."""

    requests: list[BatchRequest]
    budget: NotRequired[RequestBudget]


class Batched(TypedDict):
    """What comes out: one result for each request, in their order."""

    results: list[Result]


class BatchState(TypedDict, total=False):
    """Everything in between; private to the graph.

    Attributes:
        requests: as they were given.
        budget: the shared one, as it was given.
        admission: what was let in, once it was.
        routes: the class that serves each request.
        reasons: the class of each request, and why it is served so.
        tasks: what may start now.
        came: samples came back; gone when a new batch comes in.
        candidates: every sample, by the place of its request.
        checks: what the verifier said, by request and answer.
        kinds: how the answers of a request are read, once that is decided.
        whole: the results of techniques that ran as a whole, by request.
        seen: where each request stood last, so that only what changed is read again.
        clock: the latest time that any I/O ended.
        cut_off_by: the limit that ended the batch, or None.
        results: written by the last node.
    """

    requests: list[BatchRequest]
    budget: RequestBudget
    admission: Admission
    routes: list[str]
    reasons: list[str]
    tasks: list[BatchTask]
    came: Annotated[bool, EphemeralValue(bool, guard=False)]
    candidates: Annotated[dict[str, list[Candidate]], add_each]
    checks: Annotated[dict[str, dict[str, Checked]], add_checks_each]
    kinds: Annotated[dict[str, str], merge]
    whole: Annotated[dict[str, Result], add_results]
    seen: Annotated[dict[str, Seen], merge]
    clock: Annotated[float, later]
    cut_off_by: Limit | None
    results: list[Result]


OF_ONE_BATCH = ("candidates", "checks", "kinds", "whole")
"""What starts again with each batch, where a thread has several; `seen` is all written anew."""


class BatchRun(BaseModel):
    """The state as a node sees it, parsed."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    requests: list[BatchRequest] = []
    admission: Admission | None = None
    routes: list[str] = []
    reasons: list[str] = []
    tasks: list[BatchTask] = []
    came: bool = False
    candidates: dict[int, list[Candidate]] = {}
    checks: dict[int, dict[str, Checked]] = {}
    kinds: dict[int, str] = {}
    whole: dict[int, Result] = {}
    seen: dict[int, Seen] = {}
    clock: float = 0.0
    cut_off_by: Limit | None = None

    def parts(self, place: int) -> int:
        """How much there is of a request: samples, verdicts and results."""
        found = len(self.candidates.get(place, [])) + len(self.checks.get(place, {}))
        return found + (place in self.whole)

    def spent_on(self, place: int) -> Usage:
        """What a request has cost."""
        if place in self.whole:
            return self.whole[place].usage
        judged = [check.spent for check in self.checks.get(place, {}).values()]
        return Usage.total([*(c.usage for c in self.candidates.get(place, [])), *judged])

    @property
    def usage(self) -> Usage:
        """What the batch has cost; `seconds` since it was let in."""
        total = Usage.total(self.spent_on(place) for place in range(len(self.requests)))
        return since_admission(total, self.admission, self.clock)

    def remaining(self, admission: Admission) -> Remaining:
        """What is left of the shared budget."""
        return admission.budget.remaining(self.usage)
