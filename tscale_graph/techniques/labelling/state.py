"""The state of a labelling run: completions of a question and of beginnings of its solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.channels import DeltaChannel, EphemeralValue
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.recordings.records import RecordedSample
from tscale_graph.techniques.state import (
    Admission,
    RequestBudget,
    either,
    later,
    latest,
    question_of,
    since_admission,
)


class Rollout(BaseModel):
    """What became of one completion that was asked for.

    Attributes:
        index: its place among all of the run, from 0.
        steps: the beginning that it went on from.
        sample: the whole solution, judged; None when there is none.
        error: why there is none.
        useless: there was a completion, and nothing could be made of it.
        cut_off_by: the limit that cut it off, or None.
        usage: what it cost.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    steps: tuple[str, ...] = ()
    sample: RecordedSample | None = None
    error: str | None = None
    useless: bool = False
    cut_off_by: Limit | None = None
    usage: Usage = Usage()


class Roll(BaseModel):
    """Completions of one beginning that may start now.

    Attributes:
        steps: the beginning; none for the question alone.
        so_far: its text.
        first: the index of the first of them.
        count: how many.
        lease: what they may spend, once it is granted.
        together: they are completions of one request.
        prompt_tokens: what the prompt counts at most.
        granted_by: what tells this grant from all others.
        distrusted: the model went over its limit before, so it is watched.
    """

    model_config = ConfigDict(frozen=True)

    steps: tuple[str, ...] = ()
    so_far: str = ""
    first: int = 0
    count: int = 1
    lease: Budget | None = None
    together: bool = False
    prompt_tokens: int = 0
    granted_by: str = ""
    distrusted: bool = False


class RollTask(BaseModel):
    """What one `Send` carries.

    Attributes:
        roll: what to ask for, and what it may spend.
        messages: the conversation with the question.
        gold: the right answer, or None.
        deadline: when the time is up, or None.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    roll: Roll
    messages: list[AnyMessage]
    gold: str | None = None
    deadline: float | None = None


class LabelledSteps(BaseModel):
    """A solution and what is known of its steps.

    Attributes:
        steps: without the whitespace around them.
        right: whether its answer is right.
        values: of each step, the probability that a solution which has come so far succeeds.
        weights: how much each is to be believed, in [0, 1].
    """

    model_config = ConfigDict(frozen=True)

    steps: tuple[str, ...]
    right: bool
    values: tuple[float, ...]
    weights: tuple[float, ...]


class Labels(BaseModel):
    """What a labelling run came to.

    Attributes:
        solutions: with the labels of their steps.
        samples: every completion, those that were known before included.
        status: "complete"; "cut_off" when the budget ended it early; "failed" when the model did;
            "incomplete" when nothing could be made of what came back for some step.
        cut_off_by: the limit that ended it, or None.
        error: why the model failed, or None.
        notes: what could not be done.
        usage: what the run spent.
    """

    model_config = ConfigDict(frozen=True)

    solutions: tuple[LabelledSteps, ...] = ()
    samples: tuple[RecordedSample, ...] = ()
    status: Literal["complete", "cut_off", "failed", "incomplete"] = "complete"
    cut_off_by: Limit | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()


def add_rollouts(
    old: Sequence[Rollout], writes: Sequence[Sequence[Rollout | Mapping[str, Any]]]
) -> list[Rollout]:
    """Append completions, given as models or as plain dicts."""
    return [*old, *(Rollout.model_validate(one) for write in writes for one in write)]


Gold = Annotated[str | None, EphemeralValue]
Known = Annotated[list[RecordedSample] | None, EphemeralValue]
"""Of one request: the next one on the same thread does not inherit them."""


class ToLabel(TypedDict):
    """What goes in.

    Attributes:
        messages: the conversation, with the question last.
        budget: of this request.
        gold: the right answer; not needed with a verifier.
        known: completions that there are already.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]
    gold: NotRequired[Gold]
    known: NotRequired[Known]


class Labelled(TypedDict):
    """What comes out."""

    labels: Labels


class LabellingState(TypedDict, total=False):
    """Everything between the question and its labels.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        gold: the right answer, as the request gave it.
        known: completions that there were before the run, as the request gave them.
        right: the right answer, or None.
        before: completions that there were before the run.
        labels: written by the last node.
        admission: what was let in, once it was.
        rollouts: every completion that came back.
        wave: what may start now.
        cut_off_by: the limit that ended the run, or None.
        error: why the run failed, or None.
        delivery: what tells the last completions from all others.
        clock: the latest time that any I/O ended.
        separate: the provider did not give several completions for one request.
        distrusted: the model went over its output limit.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    gold: Gold
    known: Known
    right: str | None
    before: list[RecordedSample]
    labels: Labels
    admission: Admission | None
    rollouts: Annotated[list[Rollout], DeltaChannel(add_rollouts)]
    wave: list[Roll]
    cut_off_by: Limit | None
    error: str | None
    delivery: Annotated[str, latest]
    clock: Annotated[float, later]
    separate: Annotated[bool, either]
    distrusted: Annotated[bool, either]


class LabellingRun(BaseModel):
    """The state as a node sees it, parsed: what crosses machines arrives as plain dicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    messages: list[AnyMessage] = []
    gold: str | None = None
    known: list[RecordedSample] | None = None
    right: str | None = None
    before: list[RecordedSample] = []
    admission: Admission | None = None
    rollouts: list[Rollout] = []
    wave: list[Roll] = []
    cut_off_by: Limit | None = None
    error: str | None = None
    delivery: str = ""
    clock: float = 0.0
    separate: bool = False
    distrusted: bool = False

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def samples(self) -> list[RecordedSample]:
        """Every completion that there is."""
        return [*self.before, *(one.sample for one in self.rollouts if one.sample is not None)]

    @property
    def useless(self) -> list[Rollout]:
        """Completions that nothing could be made of."""
        return [one for one in self.rollouts if one.useless]

    @property
    def usage(self) -> Usage:
        """What was spent so far; `seconds` since admission."""
        total = Usage.total(one.usage for one in self.rollouts)
        return since_admission(total, self.admission, self.clock)
