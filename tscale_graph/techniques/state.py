"""The state of a sampling run: plain data, so that it can stop anywhere and go on elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langgraph.channels import EphemeralValue
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import Candidate, Checked, Result
from tscale_graph.techniques.restarts import new_grant


class Admission(BaseModel):
    """A request that was let in.

    Attributes:
        budget: what it may spend, wherever that was found.
        opened_at: when, in seconds since the epoch.
        deadline: when its time is up, or None.
        prompt_bound: the most tokens that its prompt can count, before anything is known.
        reserved: kept back for the closing calls, which choose among the last candidates.
        beside: what each sample needs besides its lease, such as a judge's verdict.
        seed: what makes the run repeatable, or None.
    """

    model_config = ConfigDict(frozen=True)

    budget: Budget
    opened_at: float
    deadline: float | None
    prompt_bound: int
    reserved: Usage = Usage()
    beside: Usage = Usage()
    seed: int | None = None


class Floor(BaseModel):
    """How sure a model must stay for its sample to go on.

    Attributes:
        lowest_group: the least confidence of any group of tokens.
        window: tokens in a group.
    """

    model_config = ConfigDict(frozen=True)

    lowest_group: float
    window: int


class Wave(BaseModel):
    """Samples that may start now.

    Attributes:
        first: the index of the first of them.
        samples: how many.
        together: they are completions of one request, and share one lease.
        lease: what each of them may spend, or all of them together.
        prompt_tokens: what the prompt counts: as reported before, else the upper bound.
        granted_by: what tells this grant from all others.
        distrusted: the model went over its limit before, so it is watched.
        floor: the confidence below which a sample is cut off, once that is learnt.
        speculative: more than the rule needs, so the rest is cancelled once it is settled.
        seed: of the run; each sample adds its index to it.
    """

    model_config = ConfigDict(frozen=True)

    first: int
    samples: int
    together: bool
    lease: Budget
    prompt_tokens: int
    granted_by: str
    distrusted: bool = False
    floor: Floor | None = None
    speculative: bool = False
    seed: int | None = None

    def seed_of(self, index: int) -> int | None:
        """The seed of one sample."""
        return None if self.seed is None else self.seed + index


class Ranking(BaseModel):
    """What the closing calls came to.

    Attributes:
        weights: one for each candidate by its index, higher is better; empty if there is none.
        usage: what they spent.
        notes: what could not be done.
    """

    model_config = ConfigDict(frozen=True)

    weights: tuple[float, ...] = ()
    usage: Usage = Usage()
    notes: tuple[str, ...] = ()


class SampleTask(BaseModel):
    """What one `Send` carries: a prompt, a lease, and how many samples to take.

    Attributes:
        messages: the prompt.
        wave: which samples, and what they may spend.
        deadline: when their time is up, or None.
        run: where the run stands, for a wave that may be settled before it is over.
        begun: runs in the place of samples were begun before, and go on.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    messages: list[AnyMessage]
    wave: Wave
    deadline: float | None = None
    run: Snapshot | None = None
    begun: bool = False


def add_candidates(
    old: Sequence[Candidate] | None, new: Iterable[Candidate | Mapping[str, Any]] | None
) -> list[Candidate]:
    """Add candidates, given as models or as plain dicts, by index; None starts again.

    The order of arrival makes no difference, and a candidate that comes twice counts once.
    """
    if new is None:
        return []
    parsed = [Candidate.model_validate(candidate) for candidate in new]
    by_index = {candidate.index: candidate for candidate in [*parsed, *(old or ())]}
    return [by_index[index] for index in sorted(by_index)]


def add_checks(
    old: Mapping[str, Checked] | None, new: Mapping[str, Any] | None
) -> dict[str, Checked]:
    """Merge what the verifier said, by answer; None starts again."""
    if new is None:
        return {}
    checks = {key: Checked.model_validate(check) for key, check in new.items()}
    return {**(old or {}), **checks}


def merge(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> dict[str, str]:
    """Merge what is known by key; None starts again."""
    return {} if new is None else {**(old or {}), **new}


def add_notes(old: Sequence[str] | None, new: Sequence[str] | None) -> list[str]:
    """Append notes; None starts again."""
    return [] if new is None else [*(old or ()), *new]


def add_usage(old: Usage | None, new: Usage | Mapping[str, Any] | None) -> Usage:
    """Add what was spent; None starts again."""
    if new is None:
        return Usage()
    return (Usage() if old is None else Usage.model_validate(old)) + Usage.model_validate(new)


def later(old: float | None, new: float) -> float:
    """The later of two times."""
    return new if old is None else max(old, new)


def latest(old: str | None, new: str) -> str:
    """The newer of two, where several are written at once."""
    return new


def either(old: bool | None, new: bool) -> bool:
    """Whether it was ever so."""
    return bool(old) or new


RequestBudget = Annotated[Budget | dict[str, Any] | None, EphemeralValue]
"""The budget of one request, which the next one on the same thread does not inherit."""


class Question(TypedDict):
    """What goes in: the conversation, and the budget of this request."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]


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
        answers: what was read from their texts, by their index.
        checks: what the verifier said, by answer.
        clusters: for answers that mean the same as an earlier one, that one.
        cluster_usage: what telling them apart has cost.
        cluster_notes: what could not be told apart.
        ranking: what the closing calls came to.
        answer_kind: how answers are read, once that is decided.
        delivery: what tells the last samples from all others, when they are verified.
        clock: the latest time that any I/O ended.
        separate: the provider did not give several completions for one request.
        distrusted: the model went over its output limit.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    result: Result
    admission: Admission
    wave: Wave | None
    wanted: Annotated[int, EphemeralValue]
    cut_off_by: Limit | None
    candidates: Annotated[list[Candidate], add_candidates]
    answers: Annotated[dict[str, str], merge]
    checks: Annotated[dict[str, Checked], add_checks]
    clusters: Annotated[dict[str, str], merge]
    cluster_usage: Annotated[Usage, add_usage]
    cluster_notes: Annotated[list[str], add_notes]
    ranking: Ranking | None
    answer_kind: str | None
    delivery: Annotated[str, latest]
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
    answers: dict[int, str] = {}
    checks: dict[str, Checked] = {}
    clusters: dict[str, str] = {}
    cluster_usage: Usage = Usage()
    cluster_notes: list[str] = []
    ranking: Ranking | None = None
    answer_kind: str | None = None
    delivery: str = ""
    clock: float = 0.0
    separate: bool = False
    distrusted: bool = False

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def usage(self) -> Usage:
        """What was spent so far, by samples and by judges; `seconds` since admission."""
        judged = [check.spent for check in self.checks.values()] + [self.cluster_usage]
        judged += [self.ranking.usage] if self.ranking else []
        total = Usage.total([c.usage for c in self.candidates] + judged)
        return since_admission(total, self.admission, self.clock)


SampleTask.model_rebuild()


def sampled(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """New candidates, as an update of the state."""
    return {
        "candidates": [candidate.model_dump() for candidate in candidates],
        "delivery": new_grant(),
        "clock": time.time(),
        "distrusted": any(candidate.overshoot_tokens for candidate in candidates),
    }


def newly_read(run: Snapshot, candidates: Sequence[Candidate]) -> dict[str, str]:
    """The answers that were read for the first time: kept, so that no text is read twice."""
    return {
        str(candidate.index): candidate.answer
        for candidate in candidates
        if candidate.answer is not None and candidate.index not in run.answers
    }


def since_admission(total: Usage, admission: Admission | None, clock: float) -> Usage:
    """What was spent, with the wall clock since a request was let in for its seconds."""
    seconds = max(0.0, clock - admission.opened_at) if admission else 0.0
    return total.model_copy(update={"seconds": Usage(seconds=seconds).seconds})


def question_of(messages: Sequence[BaseMessage]) -> str:
    """The text of the last human message, else of the last message."""
    human = [message for message in messages if isinstance(message, HumanMessage)]
    asked = (human or list(messages))[-1:]
    return str(asked[0].text) if asked else ""
