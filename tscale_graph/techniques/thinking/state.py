"""The state of a run that thinks first: what came back so far, and what may be asked next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import Candidate, Result
from tscale_graph.techniques.state import (
    Admission,
    RequestBudget,
    add_notes,
    either,
    later,
    latest,
    question_of,
    since_admission,
)

Phase = Literal["think", "answer"]
Way = Literal["native", "prefill", "prompt"]
"""How a model thinks: as its provider does it, from an assistant message, or asked in words."""


class Step(BaseModel):
    """One call that may be made.

    Attributes:
        index: its place among the calls of the run, from 0.
        phase: what it is for.
        way: how the model is asked.
        shown: the thought that the prompt goes on from, or answers from; "" for none.
        cut: the thought was ended by its maximum or by the budget, not by the model.
        cue: what the model is told to go on with; "" where it did not stop by itself.
        lease: what the call may spend.
        prompt_tokens: what the prompt counts at most.
        output_tokens: the most tokens of the completion.
        answer_tokens: of those, the answer's: no thought may have them.
        thinking: tokens that the provider is asked to think for, 0 for none; None where it is
            not asked, because it does not know of such a thing.
        deadline: when to give up, in seconds since the epoch, or None.
        granted_by: what tells this grant from all others.
        distrusted: the model went over its limit before, so it is watched.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    phase: Phase
    way: Way
    shown: str = ""
    cut: bool = False
    cue: str = ""
    lease: Budget
    prompt_tokens: int
    output_tokens: int
    answer_tokens: int = 0
    thinking: int | None = None
    deadline: float | None = None
    granted_by: str = ""
    distrusted: bool = False


class Turn(BaseModel):
    """What came of a call.

    Attributes:
        index: its place among the calls of the run.
        phase: what it was for.
        way: how the model was asked.
        candidate: what it said: `reasoning` is what was added to the thought, `text` the answer.
        tokens: tokens of thought that the model made; what ends it and what we put in are none.
        bound: the most tokens that what was added to the thought counts in a prompt.
        ended: the model stopped thinking by itself.
        refused: the provider does not take such a request.
        lost: nobody knows what came of it.
        overdrawn: the thought had some of the tokens that were the answer's.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    phase: Phase
    way: Way
    candidate: Candidate
    tokens: int = 0
    bound: int = 0
    ended: bool = False
    refused: bool = False
    lost: bool = False
    overdrawn: bool = False

    @property
    def answers(self) -> bool:
        """Whether it brought an answer that was given all its tokens."""
        said = bool(self.candidate.text or self.candidate.tool_calls)
        return said and not self.overdrawn


def add_turns(
    old: Sequence[Turn] | None, new: Iterable[Turn | Mapping[str, Any]] | None
) -> list[Turn]:
    """Add turns, given as models or as plain dicts, by index; None starts again."""
    if new is None:
        return []
    parsed = [Turn.model_validate(turn) for turn in new]
    by_index = {turn.index: turn for turn in [*parsed, *(old or ())]}
    return [by_index[index] for index in sorted(by_index)]


class ThinkingState(TypedDict, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        result: written by the last node.
        admission: what was let in, once it was.
        step: the call that may be made; None ends the run.
        turns: what came of the calls so far.
        remarks: what could not be done.
        cut_off_by: the limit that cut the thought or the answer short, or None.
        delivery: what tells the last turn from all others.
        clock: the latest time that any I/O ended.
        distrusted: the model went over its output limit.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    result: Result
    admission: Admission | None
    step: Step | None
    turns: Annotated[list[Turn], add_turns]
    remarks: Annotated[list[str], add_notes]
    cut_off_by: Limit | None
    delivery: Annotated[str, latest]
    clock: Annotated[float, later]
    distrusted: Annotated[bool, either]


class ThinkingRun(BaseModel):
    """The state as a node sees it, parsed: what crosses machines arrives as plain dicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    messages: list[AnyMessage] = []
    admission: Admission | None = None
    step: Step | None = None
    turns: list[Turn] = []
    remarks: list[str] = []
    cut_off_by: Limit | None = None
    delivery: str = ""
    clock: float = 0.0
    distrusted: bool = False

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def usage(self) -> Usage:
        """What was spent so far; `seconds` since admission."""
        total = Usage.total(turn.candidate.usage for turn in self.turns)
        return since_admission(total, self.admission, self.clock)

    @property
    def thoughts(self) -> list[Turn]:
        """The turns that added to the thought, or tried to, but for refused and lost ones."""
        known = (turn for turn in self.turns if not (turn.refused or turn.lost))
        return [turn for turn in known if turn.phase == "think"]

    @property
    def thought(self) -> str:
        """All that was thought."""
        return "".join(turn.candidate.reasoning for turn in self.thoughts)

    @property
    def thought_tokens(self) -> int:
        """Tokens of thought that the model made."""
        return sum(turn.tokens for turn in self.thoughts)

    @property
    def thought_bound(self) -> int:
        """The most tokens that the thought counts in a prompt."""
        return sum(turn.bound for turn in self.thoughts)

    @property
    def answer(self) -> Turn | None:
        """The last turn that answered, or None."""
        return next((turn for turn in reversed(self.turns) if turn.answers), None)

    @property
    def prompt_bound(self) -> int:
        """The most tokens of the conversation: as counted by the provider, once it has been."""
        told = [turn.candidate.prompt_tokens for turn in self.turns]
        bound = self.admission.prompt_bound if self.admission else 0
        return min([bound, *(tokens for tokens in told if tokens is not None)])
