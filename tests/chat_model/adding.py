"""A tool that adds, calls of it, and chat models that vote over those."""

from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import Budget, ScaledChatModel, self_consistency

BUDGET = Budget(tokens=100_000)


@tool
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


ONE_AND_TWO = calling(("add", {"a": 1, "b": 2}))
FIVE = calling(("add", {"a": 5, "b": 2}))


def voting(*answers: str, cls: type[ScriptedCalls] = ScriptedCalls, **more) -> ScaledChatModel:
    inner = cls(answers=answers, **more)
    graph = self_consistency(inner, max_samples=len(answers), stop="fixed")
    return ScaledChatModel(graph, budget=BUDGET)


def plain(message: AIMessage) -> list[tuple[str, dict]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]
