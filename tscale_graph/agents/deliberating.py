"""A tool by which an agent has a question thought about more deeply than it does itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.constants import TAG_NOSTREAM
from langgraph.types import Command

from tscale_graph.agents.models import ScaledModel
from tscale_graph.agents.runs import AgentRun, StepBook
from tscale_graph.budget import BudgetExceeded
from tscale_graph.candidates import SamplingError

NAME = "deliberate"
_Runtime = ToolRuntime[Any, dict[str, Any]]
_DESCRIPTION = """\
Think about a hard question at length and return the answer. Use it where a question needs careful \
reasoning or is easy to get wrong. It knows nothing of this conversation: put all that it needs to \
know into the question.

Args:
    question: a whole question, with every fact that its answer depends on.
"""
_APART: RunnableConfig = {"tags": [TAG_NOSTREAM], "run_name": NAME}


def deliberate_tool(technique: ScaledModel, clock: Callable[[], float]) -> BaseTool:
    """The tool, for an agent whose state has `scaling`.

    What it spends is the agent's; several of one turn have an equal part each of what is left. A
    budget that does not suffice is what it answers, and no error.

    Args:
        technique: who thinks.
        clock: seconds since the epoch.
    """
    tool = _Deliberation(technique, clock)
    return StructuredTool.from_function(
        func=tool.think, coroutine=tool.athink, name=NAME, description=_DESCRIPTION
    )


@dataclass(frozen=True)
class _Deliberation:
    technique: ScaledModel
    clock: Callable[[], float]

    def think(self, question: str, runtime: _Runtime) -> Command[Any]:
        """Think, and wait."""
        book = self._book(runtime)
        try:
            answer = self._asked(book).invoke([HumanMessage(question)], _APART)
        except (BudgetExceeded, SamplingError) as error:
            return _failed(error, book, runtime)
        return _told(answer.text, book, runtime)

    async def athink(self, question: str, runtime: _Runtime) -> Command[Any]:
        """The same without holding up the event loop."""
        book = self._book(runtime)
        try:
            answer = await self._asked(book).ainvoke([HumanMessage(question)], _APART)
        except (BudgetExceeded, SamplingError) as error:
            return _failed(error, book, runtime)
        return _told(answer.text, book, runtime)

    def _asked(self, book: StepBook) -> ScaledModel:
        return self.technique.on(book, "deliberate")

    def _book(self, runtime: _Runtime) -> StepBook:
        state = runtime.state
        said = next(one for one in reversed(state["messages"]) if isinstance(one, AIMessage))
        parts = sum(call["name"] == NAME for call in said.tool_calls)
        run = AgentRun.model_validate(state["scaling"])
        return StepBook(run, self.clock, beside=runtime.tool_call_id or "", parts=parts)


def _told(text: str, book: StepBook, runtime: _Runtime, *, failed: bool = False) -> Command[Any]:
    message = ToolMessage(
        text,
        tool_call_id=runtime.tool_call_id or "",
        name=NAME,
        status="error" if failed else "success",
    )
    return Command(update={"messages": [message], "scaling": book.step()})


def _failed(error: Exception, book: StepBook, runtime: _Runtime) -> Command[Any]:
    told = f"No answer: {error}. Answer as well as you can without it."
    return _told(told, book, runtime, failed=True)
