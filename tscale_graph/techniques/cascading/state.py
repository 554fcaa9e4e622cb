"""The state of a run that climbs a ladder: the rungs that were asked, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import Candidate, Checked, Result, Score, Tally
from tscale_graph.rating import Rating
from tscale_graph.techniques.state import (
    Admission,
    RequestBudget,
    add_checks,
    later,
    latest,
    question_of,
    since_admission,
)


class LadderAdmission(Admission):
    """A request that was let in, and the ladder that it climbs.

    Attributes:
        ladder: the places of the rungs that it may be asked of, in order.
        spare: of those that are asked, in order, where none of the ladder has an answer.
        prompt_bounds: for each rung of the settings, the most tokens of the prompt.
        notes: why the ladder begins where it does, and who was left out.
    """

    ladder: tuple[int, ...] = ()
    spare: tuple[int, ...] = ()
    prompt_bounds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


class Step(BaseModel):
    """One rung that may be asked.

    Attributes:
        index: its place among the rungs that were asked, from 0.
        rung: its place among those of the settings.
        lease: what it may spend.
        prompt_tokens: what the prompt counts at most.
        deadline: when to give up, in seconds since the epoch, or None.
        granted_by: what tells this grant from all others.
        seed: of its run, or None.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    rung: int
    lease: Budget
    prompt_tokens: int
    deadline: float | None = None
    granted_by: str = ""
    seed: int | None = None


class Outcome(BaseModel):
    """What came of asking a rung.

    Attributes:
        rung: its place among those of the settings.
        candidate: its answer; the index is the place among the rungs that were asked.
        rating: by the rung's own result; None where that says nothing.
        agreement: of its samples, where it has some.
        votes: every answer that was in the running there.
        lost: how many of its samples were lost with a run that was stopped.
    """

    model_config = ConfigDict(frozen=True)

    rung: int
    candidate: Candidate
    rating: Rating | None = None
    agreement: Score | None = None
    votes: list[Tally] = []
    lost: int = 0


def add_outcomes(
    old: Sequence[Outcome] | None, new: Iterable[Outcome | Mapping[str, Any]] | None
) -> list[Outcome]:
    """Add outcomes, given as models or as plain dicts, by index; None starts again."""
    if new is None:
        return []
    parsed = [Outcome.model_validate(outcome) for outcome in new]
    by_index = {one.candidate.index: one for one in [*parsed, *(old or ())]}
    return [by_index[index] for index in sorted(by_index)]


class CascadeState(TypedDict, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        result: written by the last node.
        admission: what was let in, once it was.
        step: the rung that may be asked; None ends the run.
        outcomes: what came of the rungs so far.
        checks: what the verifier said, by the index of the outcome.
        cut_off_by: the limit that kept the run from climbing, or None.
        delivery: what tells the last outcome from all others.
        clock: the latest time that any I/O ended.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    result: Result
    admission: LadderAdmission | None
    step: Step | None
    outcomes: Annotated[list[Outcome], add_outcomes]
    checks: Annotated[dict[str, Checked], add_checks]
    cut_off_by: Limit | None
    delivery: Annotated[str, latest]
    clock: Annotated[float, later]


class CascadeRun(BaseModel):
    """The state as a node sees it, parsed: what crosses machines arrives as plain dicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    messages: list[AnyMessage] = []
    admission: LadderAdmission | None = None
    step: Step | None = None
    outcomes: list[Outcome] = []
    checks: dict[str, Checked] = {}
    cut_off_by: Limit | None = None
    delivery: str = ""
    clock: float = 0.0

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def usage(self) -> Usage:
        """What was spent so far, by rungs and by the verifier; `seconds` since admission."""
        spent = [one.candidate.usage for one in self.outcomes]
        spent += [check.spent for check in self.checks.values()]
        return since_admission(Usage.total(spent), self.admission, self.clock)

    def check_of(self, outcome: Outcome) -> Checked | None:
        """What the verifier said of an outcome, if it was asked."""
        return self.checks.get(str(outcome.candidate.index))
