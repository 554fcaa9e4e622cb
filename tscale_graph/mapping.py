"""A technique as a node of a graph whose state has names of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph._internal._runnable import RunnableCallable
from langgraph.graph import StateGraph

from tscale_graph.budget import Budget
from tscale_graph.candidates import Result

Mapped = str | Callable[[Any], Any]


def mapped(
    technique: StateGraph[Any, Any, Any, Any] | Runnable[Any, Any],
    *,
    question: Mapped,
    answer: str | None = None,
    result: str | None = None,
    budget: Mapped | Budget | dict[str, Any] | None = None,
) -> Runnable[Any, Any]:
    """A technique as a node of a graph with a state of its own.

        builder.add_node("think", mapped(graph, question="ticket", answer="reply", budget=…))

    The run of the technique is part of that of your graph: it streams, is checkpointed, interrupted
    and resumed with it.

    Args:
        technique: a technique's graph, compiled or not.
        question: the key of your state that holds it, a text or messages; or a function of the
            state.
        answer: the key that `result.answer` is written to, or None.
        result: the key that the whole `Result` is written to, or None; declare it as a `Result`
            where a checkpointer is strict.
        budget: the key of your state that holds it, a function of the state, or the budget itself;
            None leaves it to the run's config, its context, or the technique's own.

    Returns:
        A runnable for `add_node`, synchronous and asynchronous.

    Raises:
        ValueError: when neither `answer` nor `result` is given.
    """
    if answer is None and result is None:
        raise ValueError("mapped needs a key to write to: answer=… or result=…")
    graph = technique.compile() if isinstance(technique, StateGraph) else technique
    own = Budget.of(cast(Any, budget)) if isinstance(budget, Budget | dict) else budget
    node = _MappedNode(graph, question, answer, result, own)
    return RunnableCallable(func=node.think, afunc=node.athink, name="mapped")


@dataclass(frozen=True)
class _MappedNode:
    graph: Runnable[Any, Any]
    question: Mapped
    answer: str | None
    result: str | None
    budget: Mapped | Budget | None

    def think(self, state: Any, config: RunnableConfig) -> dict[str, Any]:
        """Ask, and wait."""
        return self._told(self.graph.invoke(self._asked(state), config))

    async def athink(self, state: Any, config: RunnableConfig) -> dict[str, Any]:
        """The same without holding up the event loop."""
        return self._told(await self.graph.ainvoke(self._asked(state), config))

    def _asked(self, state: Any) -> dict[str, Any]:
        question, budget = _found(state, self.question), self.budget
        messages = [HumanMessage(question)] if isinstance(question, str) else question
        if isinstance(budget, str) or callable(budget):
            budget = _found(state, budget)
        return {"messages": messages, **({} if budget is None else {"budget": budget})}

    def _told(self, out: dict[str, Any]) -> dict[str, Any]:
        result = Result.model_validate(out["result"])
        keys = {self.answer: result.answer, self.result: result}
        return {name: value for name, value in keys.items() if name is not None}


def _found(state: Any, where: Mapped) -> Any:
    if callable(where):
        return where(state)
    if isinstance(state, Mapping):
        there = cast(Mapping[str, Any], state)
        if where in there:
            return there[where]
    elif hasattr(state, where):
        return getattr(state, where)
    raise ValueError(f"the state has no {where!r}: mapped was told to look for it there")
