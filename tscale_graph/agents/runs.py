"""What a run of an agent may spend, and what each of its calls has spent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tscale_graph.budget import Budget, BudgetExceeded, Limit, Usage

Kind = Literal["model", "scaled", "deliberate"]
"""Whose call: the agent's own, one that a technique answered, or one of the `deliberate` tool."""


class AgentCall(BaseModel):
    """One call of an agent.

    Attributes:
        kind: whose it was.
        usage: what it has spent; of one that is not known to be over, its whole lease.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    usage: Usage


class Step(BaseModel):
    """What one step of an agent adds to its run: said again, it adds nothing more.

    Attributes:
        calls: under names that no other calls of the run have.
        cut_off_by: the limit that ended the run in this step, or None.
    """

    model_config = ConfigDict(frozen=True)

    calls: dict[str, AgentCall] = {}
    cut_off_by: Limit | None = None

    @property
    def usage(self) -> Usage:
        """All of it; its `seconds` are those of the calls, added up."""
        return Usage.total(call.usage for call in self.calls.values())


class AgentRun(Step):
    """One run of an agent: its budget, and all of its calls so far.

    Attributes:
        budget: of the whole run.
        opened_at: when it began, in seconds since the epoch.
    """

    budget: Budget
    opened_at: float

    def left(self, spent: Usage, now: float) -> Budget:
        """What is left of the budget.

        Args:
            spent: so far; its `seconds` make no difference.
            now: seconds since the epoch.

        Raises:
            BudgetExceeded: when nothing is left of one of the limits.
        """
        clock = {"seconds": max(0.0, now - self.opened_at)}
        left = self.budget.remaining(spent.model_copy(update=clock))
        if (limit := left.spent_limit) is not None:
            told = f"the budget of the agent's run ended: {limit}={getattr(self.budget, limit):g}"
            raise BudgetExceeded(told, limit=limit, budget=self.budget, usage=spent)
        return self.budget.within(left)


def joined(run: AgentRun, told: Step) -> AgentRun:
    """A run with one more of its steps; or the next run, which knows nothing of the last."""
    if isinstance(told, AgentRun):
        return told
    calls, cut_off_by = {**run.calls, **told.calls}, told.cut_off_by or run.cut_off_by
    return run.model_copy(update={"calls": calls, "cut_off_by": cut_off_by})


@dataclass(frozen=True, slots=True)
class Lease:
    """What one call may spend.

    Attributes:
        name: of the call, in the books.
        kind: whose call it is.
        budget: the most that it may spend.
        deadline: seconds since the epoch, or None.
    """

    name: str
    kind: Kind
    budget: Budget
    deadline: float | None


_SHARED: tuple[Limit, ...] = ("calls", "tokens", "usd")
"""The limits of which steps that go on side by side have a part each."""


@dataclass
class StepBook:
    """The calls of one step of an agent. It lives as long as the step, and nobody else has it.

    Attributes:
        run: as it was when the step began.
        clock: seconds since the epoch.
        per_call: the most that a call may spend, or None.
        beside: what tells the step from those that go on at the same time.
        parts: how many these are, with this one: each has its part of what is left.
        calls: so far; also those that failed and were made anew.
    """

    run: AgentRun
    clock: Callable[[], float]
    per_call: Budget | None = None
    beside: str = ""
    parts: int = 1
    calls: dict[str, AgentCall] = field(default_factory=dict[str, AgentCall])

    def lease(self, kind: Kind) -> Lease:
        """What the next call may spend; until it is settled, all of that counts as spent.

        Raises:
            BudgetExceeded: when nothing is left, or too little to share.
        """
        now, spent = self.clock(), self.run.usage + self.step().usage
        left = self.run.left(spent, now)
        deadline = None if left.seconds is None else now + left.seconds
        budget = self._part(left, spent)
        budget = budget if self.per_call is None else budget.within(self.per_call)
        name = f"{len(self.run.calls) + len(self.calls)}{self.beside and ':'}{self.beside}"
        lease = Lease(name, kind, budget, deadline)
        self.settle(lease, budget.at_most(Usage(calls=1)))
        return lease

    def _part(self, left: Budget, spent: Usage) -> Budget:
        try:
            return left.split(self.parts)[0]
        except ValueError as error:
            least = min(_SHARED, key=lambda limit: getattr(left, limit) or math.inf)
            told = f"the budget of the agent's run ended: {error}"
            raise BudgetExceeded(told, limit=least, budget=left, usage=spent) from None

    def settle(self, lease: Lease, usage: Usage) -> None:
        """Put down what a call has spent."""
        self.calls[lease.name] = AgentCall(kind=lease.kind, usage=usage)

    def step(self, *, cut_off_by: Limit | None = None) -> Step:
        """What the run is told."""
        return Step(calls=dict(self.calls), cut_off_by=cut_off_by)
