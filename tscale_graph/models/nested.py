"""A technique in the place of a model: its lease is the budget of its run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langgraph._internal._constants import CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_RUNTIME
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tscale_graph.budget import Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.failures import one_line
from tscale_graph.models.inner_runs import InnerRun, enter, inner_run
from tscale_graph.models.replies import Completion
from tscale_graph.models.threads import in_thread, running_synchronously
from tscale_graph.models.unsuitable import UnsuitableModel
from tscale_graph.models.waiting import UNWANTED, abandon, until

if TYPE_CHECKING:
    from tscale_graph.models.attempts import Request
    from tscale_graph.models.binding import CallerBinding
    from tscale_graph.models.endpoint import Endpoint

_OWN = ('answer="auto" read', "usd is not counted")
"""What notes begin with that are for those who asked a run themselves."""
_GRACE_SECONDS, _NAPS = 0.4, 40
"""How long after the deadline a run may take to say what it has come to, and in how many naps: a
process that stands still takes longer over each of them."""
_OF_SAVED_RUNS = ("__pregel_", "checkpoint_", "thread_id")
"""What the names in a configuration begin with that have a run saved as a part of another one."""

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
        asked_in: the nodes that ask the models, for drawings.
        notes: what a drawing says beside the names of nodes: how many samples, which verifier.
        rates: its result says how good the answer is: by agreement, or by a verdict.
        at_least: what one whole sample takes at most, by the most tokens of its prompt: with less
            the technique makes little sense, and a router looks for another. None where nothing
            is known of it.
    """

    name: str
    asks: tuple[Endpoint, ...]
    at_most: Callable[[int], Usage] = field(repr=False)
    budget: Budget | None = None
    asked_in: tuple[str, ...] = ("sample",)
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    rates: bool = True
    at_least: Callable[[int], Usage] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check what a user's own technique says of itself.

        Raises:
            ValueError: in one line.
        """
        if not self.asks or not all(hasattr(one, "unpriced") for one in self.asks):
            raise ValueError(
                f"asks of the technique {self.name} must name its endpoints, at least one: "
                "settings.endpoint, say"
            )
        if not callable(self.at_most):
            raise ValueError(
                f"at_most of the technique {self.name} must be a function from the tokens of a "
                f"prompt to a Usage, got {self.at_most!r}"
            )


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
        rebound: Callable[[CallerBinding], TechniqueGraph] | None = None,
    ) -> None:
        super().__init__(state, input_schema=input_schema, output_schema=output_schema)
        self.technique = technique
        self._rebound = rebound

    def bound_with(self, binding: CallerBinding) -> TechniqueGraph:
        """The same technique, where its answering models have what a caller binds: tools, say.

        Raises:
            UnsuitableModel: when it is not one whose answers may be calls of tools.
        """
        if self._rebound is None:
            told = f"{self.technique.name} takes no {binding.told()} of a caller"
            can = "self_consistency, best_of_n, extended_thinking, cascade and router do"
            raise UnsuitableModel(f"{told}: {can}")
        return self._rebound(binding)


@dataclass(frozen=True)
class Nested:
    """A technique, ready to be asked.

    Attributes:
        technique: what is known of it.
        graph: compiled without a checkpointer of its own, so that its runs are saved by that of
            the run that they are part of.
    """

    technique: Technique
    graph: _Compiled = field(repr=False)

    def whole(self, prompt_tokens: int) -> Usage:
        """What one run takes at most.

        Raises:
            ValueError: when the technique does not say.
        """
        most, own = self.technique.at_most(prompt_tokens), self.technique.budget
        if not isinstance(most, Usage) or most.calls < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            name = self.technique.name
            raise ValueError(f"at_most of {name} must give a Usage of 1 call or more, got {most!r}")
        if own is None:
            return most
        allowed = own.at_most(most)
        return Usage(
            calls=min(most.calls, allowed.calls),
            input_tokens=min(most.tokens, allowed.tokens),
            usd=min(most.usd, allowed.usd),
        )

    def bound_with(self, binding: CallerBinding) -> Nested:
        """The same technique, whose answering models have what a caller binds.

        Raises:
            UnsuitableModel: where it makes nothing of that.
        """
        made: TechniqueGraph = cast(Any, self.graph).builder.bound_with(binding)
        graph = made.compile(store=self.graph.store, cache=self.graph.cache, name=self.graph.name)
        return Nested(made.technique, graph)

    async def ask(
        self,
        request: Request,
        lease: Budget,
        *,
        deadline: float | None,
        clock: Callable[[], float],
        halts: Sequence[asyncio.Event],
    ) -> Completion:
        """Run the technique on a prompt.

        Never raises but for being cancelled, and for an interrupt that can be gone on from.

        Args:
            request: its messages and its seed; all else is the technique's own affair.
            lease: the budget of the run.
            deadline: when it must be over, on the same clock.
            clock: seconds since the epoch.
            halts: set when the answer is not wanted any more: calls in flight are cancelled, and
                the run ends.
        """
        left = None if deadline is None else deadline - clock()
        if left is not None and left <= 0 and not request.begun:
            return Completion(error="the deadline had passed", cut_off_by="seconds")
        granted = lease if left is None else lease.within(Budget(seconds=max(left, 1e-6)))
        own = self.technique.budget
        budget = granted if own is None else granted.within(own)
        seed = None if request.seed is None else random.Random(request.seed).getrandbits(31)
        inner, context = inner_run(halts=tuple(halts), seed=seed), copy_context()
        context.run(enter, inner)
        asked = {"messages": list(request.messages), "budget": budget}
        work = self._run(asked, goes_on=request.goes_on)
        run = asyncio.create_task(work, context=context)
        # The run keeps to its deadline and to what halts it by itself.
        await until(run, seconds=left, halts=halts)
        for _ in range(_NAPS):
            if run.done():
                break
            await until(run, seconds=_GRACE_SECONDS / _NAPS / inner.depth, halts=())
        unwanted = any(halt.is_set() for halt in halts)
        if not run.done():
            await abandon(run)
            completion = self._lost("was not over in time", inner, request, lease)
            completion = replace(completion, cut_off_by=None if unwanted else "seconds")
        else:
            completion = self._ended(run, inner, request, lease)
        if unwanted:
            return replace(completion, error=None, truncated=True, discarded=UNWANTED)
        return self._within(completion, granted, budget)

    async def _run(self, asked: dict[str, Any], *, goes_on: bool) -> dict[str, Any]:
        """Run the graph, saved with the run that it is part of if it can go on from there."""
        saver = _saver()
        if saver is not None and not goes_on:
            # LangGraph tells the runs that a node makes apart by their order, and there is none.
            var_child_runnable_config.set(unsaved_config(ensure_config()))
        elif saver is not None and running_synchronously():  # the checkpointer may be no other
            return await in_thread(lambda: self.graph.invoke(asked))
        return await self.graph.ainvoke(asked)

    def _ended(
        self, run: asyncio.Task[dict[str, Any]], inner: InnerRun, request: Request, lease: Budget
    ) -> Completion:
        """What a run that is over came to, and what it spent.

        Raises:
            GraphBubbleUp: when it was interrupted and can go on.
        """
        name = self.technique.name
        try:
            out = run.result()
            return _read(Result.model_validate(out["result"]), out["messages"][-1], name)
        except BudgetExceeded as error:
            told = f"{name}: {error}"
            return Completion(error=told, usage=error.usage, cut_off_by=error.limit)
        except SamplingError as error:
            return Completion(error=f"{name}: {error}", usage=error.usage)
        except GraphBubbleUp:
            if request.goes_on and _saver() is not None:
                raise
            told = "was interrupted, and without a checkpointer it cannot go on"
            return self._lost(told, inner, request, lease)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - of users' own nodes
            return self._lost(f"failed: {one_line(error)}", inner, request, lease)

    def _lost(self, told: str, inner: InnerRun, request: Request, lease: Budget) -> Completion:
        """A run that came to nothing: it cost what its calls did, or may have.

        One that had been begun before it was stopped is charged its whole lease.
        """
        usage = inner.ledger.total
        if request.begun:
            usage = lease.at_most(self.whole(request.prompt_tokens or 0))
        return Completion(error=f"{self.technique.name} {told}", usage=usage)

    def _within(self, completion: Completion, granted: Budget, budget: Budget) -> Completion:
        """The same, with what it spent beyond its lease, and no limit of the technique's own.

        Args:
            completion: what the run came to.
            granted: its lease.
            budget: the same, or less where the technique has a budget of its own.
        """
        spent, limit = completion.usage.tokens, completion.cut_off_by
        if granted.tokens is not None and spent > granted.tokens:
            completion = replace(completion, overshoot_tokens=spent - granted.tokens)
        if limit is None or getattr(budget, limit) == getattr(granted, limit):
            return completion
        own = f"{self.technique.name}: cut off by its own {limit}={getattr(budget, limit):g}"
        return replace(completion, cut_off_by=None, notes=(*completion.notes, own))


def nested(graph: Any) -> Nested | None:
    """A technique's graph, compiled or not, ready to be asked; None for anything else."""
    if isinstance(graph, TechniqueGraph):
        return Nested(graph.technique, graph.compile())
    builder = getattr(graph, "builder", None)
    if not isinstance(graph, Pregel) or not isinstance(builder, TechniqueGraph):
        return None
    compiled = cast(_Compiled, graph)
    inherited = compiled.copy({"checkpointer": None})
    # What strict msgpack may restore, which a copy forgets.
    inherited._serde_allowlist = compiled._serde_allowlist or builder.compile()._serde_allowlist  # pyright: ignore[reportPrivateUsage]
    return Nested(builder.technique, inherited)


def _saver() -> BaseCheckpointSaver[Any] | None:
    """The checkpointer of the run that this is part of, if it has one."""
    return (ensure_config().get("configurable") or {}).get(CONFIG_KEY_CHECKPOINTER) or None


def unsaved_config(config: RunnableConfig, *, shown: bool = True) -> RunnableConfig:
    """A configuration without what has a run saved as a part of another one.

    Args:
        config: of the run that a run is part of.
        shown: it is told to that one's callbacks and streams; else it has none of these.
    """
    configurable = {
        name: value
        for name, value in (config.get("configurable") or {}).items()
        if (shown and name == CONFIG_KEY_RUNTIME) or not name.startswith(_OF_SAVED_RUNS)
    }
    if not shown:
        return RunnableConfig(configurable=configurable)
    return cast(RunnableConfig, {**config, "configurable": configurable})


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
