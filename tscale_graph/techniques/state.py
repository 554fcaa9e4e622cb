"""The state of a sampling run: plain data, so that it can stop anywhere and go on elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langgraph.channels import EphemeralValue
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import Candidate, Checked, Result


class Admission(BaseModel):
    """A request that was let in.

    Attributes:
        budget: what it may spend, wherever that was found.
        opened_at: when, in seconds since the epoch.
        deadline: when its time is up, or None.
        prompt_bound: the most tokens that its prompt can count, before anything is known.
    """

    model_config = ConfigDict(frozen=True)

    budget: Budget
    opened_at: float
    deadline: float | None
    prompt_bound: int


class Wave(BaseModel):
    """Samples that may start now.

    Attributes:
        first: the index of the first of them.
        samples: how many.
        together: they are completions of one request, and share one lease.
        lease: what each of them may spend, or all of them together.
        distrusted: the model went over its limit before, so it is watched.
    """

    model_config = ConfigDict(frozen=True)

    first: int
    samples: int
    together: bool
    lease: Budget
    distrusted: bool = False


class SampleTask(BaseModel):
    """What one `Send` carries: a prompt, a lease, and how many samples to take."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    messages: list[AnyMessage]
    wave: Wave
    deadline: float | None = None


def add_candidates(
    old: Sequence[Candidate] | None, new: Iterable[Candidate | Mapping[str, Any]] | None
) -> list[Candidate]:
    """Append candidates, given as models or as plain dicts; None starts again."""
    if new is None:
        return []
    return [*(old or ()), *(Candidate.model_validate(candidate) for candidate in new)]


def add_checks(
    old: Mapping[str, Checked] | None, new: Mapping[str, Any] | None
) -> dict[str, Checked]:
    """Merge what the verifier said, by answer; None starts again."""
    if new is None:
        return {}
    checks = {key: Checked.model_validate(check) for key, check in new.items()}
    return {**(old or {}), **checks}


def later(old: float | None, new: float) -> float:
    """The later of two times."""
    return new if old is None else max(old, new)


def either(old: bool | None, new: bool) -> bool:
    """Whether it was ever so."""
    return bool(old) or new


class Question(TypedDict):
    """What goes in: the conversation, and the budget of this request."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[Budget | dict[str, Any] | None]


class Answered(TypedDict):
    """What comes out: the conversation with the answer, and the result."""

    messages: Annotated[list[AnyMessage], add_messages]
    result: Result


class SamplingState(TypedDict, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        result: written by the last node.
        admission: what was let in, once it was.
        wave: the samples that may start now; None when the budget allows no more.
        wanted: the size of the next wave; gone when a new request comes in.
        cut_off_by: the limit that ended the run, or None.
        candidates: every sample so far.
        checks: what the verifier said, by answer.
        answer_kind: how answers are read, once that is decided.
        clock: the latest time that any I/O ended.
        separate: the provider did not give several completions for one request.
        distrusted: the model went over its output limit.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: Budget | dict[str, Any] | None
    result: Result
    admission: Admission
    wave: Wave | None
    wanted: Annotated[int, EphemeralValue]
    cut_off_by: Limit | None
    candidates: Annotated[list[Candidate], add_candidates]
    checks: Annotated[dict[str, Checked], add_checks]
    answer_kind: str | None
    clock: Annotated[float, later]
    separate: Annotated[bool, either]
    distrusted: Annotated[bool, either]


class Snapshot(BaseModel):
    """The state as a node sees it, parsed: what crosses machines arrives as plain dicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    messages: list[AnyMessage] = []
    admission: Admission | None = None
    wave: Wave | None = None
    wanted: int | None = None
    cut_off_by: Limit | None = None
    candidates: list[Candidate] = []
    checks: dict[str, Checked] = {}
    answer_kind: str | None = None
    clock: float = 0.0
    separate: bool = False
    distrusted: bool = False

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def usage(self) -> Usage:
        """What was spent so far, by samples and by the verifier; `seconds` since admission."""
        checked = [check.spent for check in self.checks.values()]
        total = Usage.total([c.usage for c in self.candidates] + checked)
        opened_at = self.admission.opened_at if self.admission else self.clock
        return total.model_copy(
            update={"seconds": Usage(seconds=max(0.0, self.clock - opened_at)).seconds}
        )


def question_of(messages: Sequence[BaseMessage]) -> str:
    """The text of the last human message, else of the last message."""
    human = [message for message in messages if isinstance(message, HumanMessage)]
    asked = (human or list(messages))[-1:]
    return str(asked[0].text) if asked else ""
