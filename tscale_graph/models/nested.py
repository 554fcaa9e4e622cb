"""A technique in the place of a model: its lease is the budget of its run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tscale_graph.budget import Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.failures import one_line
from tscale_graph.models.replies import Completion
from tscale_graph.models.waiting import UNWANTED, abandon, until

if TYPE_CHECKING:
    from tscale_graph.models.attempts import Request
    from tscale_graph.models.endpoint import Endpoint

SEED = "tscale_seed"
"""Where a run's configuration has the seed that it takes in place of its technique's own."""
_OWN = ('answer="auto" read', "usd is not counted")
"""What notes begin with that are for those who asked a run themselves."""
_GRACE_SECONDS = 0.5
"""How long after the deadline a run may take to say what it has come to."""


_Compiled = Pregel[Any, Any, Any, Any]


@dataclass(frozen=True)
class Technique:
    """What others know of a technique, to ask it in the place of a model.

    Attributes:
        name: the technique's name.
        asks: the models that it asks, or techniques in their place; at least one.
        at_most: what a whole run takes at most, by the most tokens of its prompt. An estimate:
            it sizes leases, and what keeps a run within one is the run itself.
        budget: of requests that bring none; in the place of a model, the most that one run takes.
        rates: its result says how good the answer is: by agreement, or by a verdict.
    """

    name: str
    asks: tuple[Endpoint, ...]
    at_most: Callable[[int], Usage] = field(repr=False)
    budget: Budget | None = None
    rates: bool = True


class TechniqueGraph(StateGraph[Any, Any, Any, Any]):
    """An uncompiled graph that may stand wherever a model can.

    Its input has `messages` and `budget`, its output `messages` and `result`.

    Attributes:
        technique: what others know of it.
    """

    technique: Technique

    def __init__(
        self,
        state: type[Any],
        technique: Technique,
        *,
        input_schema: type[Any],
        output_schema: type[Any],
    ) -> None:
        super().__init__(state, input_schema=input_schema, output_schema=output_schema)
        self.technique = technique


@dataclass(frozen=True)
class Nested:
    """A technique, ready to be asked.

    Attributes:
        technique: what is known of it.
        graph: compiled without a checkpointer of its own, so that its runs are saved by that of
            the run that they are part of.
        unsaved: the same, with runs that nothing saves: LangGraph tells the runs that one node
            makes apart by their order.
    """

    technique: Technique
    graph: _Compiled = field(repr=False)
    unsaved: _Compiled = field(repr=False)

    def whole(self, prompt_tokens: int) -> Usage:
        """What one run takes at most."""
        most, own = self.technique.at_most(prompt_tokens), self.technique.budget
        if own is None:
            return most
        allowed = own.at_most(most)
        return Usage(
            calls=min(most.calls, allowed.calls),
            input_tokens=min(most.tokens, allowed.tokens),
            usd=min(most.usd, allowed.usd),
        )

    async def ask(
        self,
        request: Request,
        lease: Budget,
        *,
        deadline: float | None,
        clock: Callable[[], float],
        halts: Sequence[asyncio.Event],
    ) -> Completion:
        """Run the technique on a prompt. Never raises but for being cancelled.

        Args:
            request: its messages and its seed; all else is the technique's own affair.
            lease: the budget of the run.
            deadline: when it must be over, on the same clock.
            clock: seconds since the epoch.
            halts: set when the answer is not wanted any more: calls in flight are cancelled, and
                the run ends with what it has.
        """
        left = None if deadline is None else deadline - clock()
        if left is not None and left <= 0:
            return Completion(error="the deadline had passed", cut_off_by="seconds")
        budget = lease if left is None else lease.within(Budget(seconds=max(left, 1e-6)))
        if self.technique.budget is not None:
            budget = budget.within(self.technique.budget)
        asked = {"messages": list(request.messages), "budget": budget}
        seed = None if request.seed is None else random.Random(request.seed).getrandbits(31)
        config: RunnableConfig = {"configurable": {SEED: seed}}
        context = copy_context()
        context.run(_halts.set, tuple(halts))
        graph = self.graph if request.goes_on else self.unsaved
        run = asyncio.create_task(graph.ainvoke(asked, config), context=context)
        # The run keeps to its deadline and to what halts it by itself.
        await until(run, seconds=None if left is None else left + _GRACE_SECONDS, halts=())
        if not run.done():
            await abandon(run)
            lost = f"{self.technique.name} was not over at the deadline"
            return Completion(error=lost, usage=self._all(lease, request), cut_off_by="seconds")
        completion = self._ended(run, lease, request)
        if any(halt.is_set() for halt in halts):
            return replace(completion, error=None, truncated=True, discarded=UNWANTED)
        spent = completion.usage.tokens
        if lease.tokens is not None and spent > lease.tokens:
            return replace(completion, overshoot_tokens=spent - lease.tokens)
        return completion

    def _ended(
        self, run: asyncio.Task[dict[str, Any]], lease: Budget, request: Request
    ) -> Completion:
        name = self.technique.name
        try:
            out = run.result()
        except BudgetExceeded as error:
            return Completion(error=str(error), usage=error.usage, cut_off_by=error.limit)
        except SamplingError as error:
            return Completion(error=str(error), usage=error.usage)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - of users' own nodes
            told = f"{name} failed: {one_line(error)}"
            return Completion(error=told, usage=self._all(lease, request))
        return _read(Result.model_validate(out["result"]), out["messages"][-1], name)

    def _all(self, lease: Budget, request: Request) -> Usage:
        """All that a run could have spent, where nobody knows what it did."""
        return lease.at_most(self.whole(request.prompt_tokens or 0))


def nested(graph: Any) -> Nested | None:
    """A technique's graph, compiled or not, ready to be asked; None for anything else."""
    builder = getattr(graph, "builder", graph)
    if not isinstance(builder, TechniqueGraph):
        return None
    compiled = builder.compile() if graph is builder else cast(_Compiled, graph)
    inherited, unsaved = (compiled.copy({"checkpointer": given}) for given in (None, False))
    return Nested(builder.technique, inherited, unsaved)


_halts: ContextVar[tuple[asyncio.Event, ...]] = ContextVar("tscale_halts", default=())


def halts() -> tuple[asyncio.Event, ...]:
    """What is set when the run that this call is part of is not wanted any more."""
    return _halts.get()


def _read(result: Result, message: AIMessage, name: str) -> Completion:
    return Completion(
        text=result.text,
        reasoning=str(message.additional_kwargs.get("reasoning_content") or ""),
        tool_calls=tuple(dict(call) for call in message.tool_calls),
        truncated=result.answer is None and result.status == "cut_off",
        cut_off_by=result.cut_off_by,
        usage=result.usage,
        notes=tuple(f"{name}: {note}" for note in result.notes if not note.startswith(_OWN)),
        result=result,
    )
