"""One line for people who want an answer rather than a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tscale_graph.budget import Budget
from tscale_graph.candidates import Result
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.techniques.named import TECHNIQUES, build_technique, named_technique
from tscale_graph.techniques.nodes import run_blocking
from tscale_graph.techniques.router import router

Graph = StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any]


async def asolve(
    question: str | Sequence[BaseMessage],
    technique: str | Graph = "self_consistency",
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> Result:
    """Answer one question under a budget.

    Args:
        question: a question, or a conversation that ends with one.
        technique: a technique's graph, compiled or not, or its name.
        budget: what the answer may cost.
        arguments: for a technique given by name: its own, `model` among them ("local" if none).

    Raises:
        ValueError: for an unknown technique, a graph that is none, or a bad argument.
        BudgetExceeded: when the budget ended before there was any answer.
    """
    if not question or (isinstance(question, str) and not question.strip()):
        raise ValueError("no question: it is empty")
    graph = _compiled(technique, arguments)
    messages = [("user", question)] if isinstance(question, str) else list(question)
    asked = {"messages": messages, "budget": Budget.of(budget)}
    out = await graph.ainvoke(asked)
    if "result" not in out:
        raise ValueError(f"technique must be one whose output has a result, got {graph.get_name()}")
    return Result.model_validate(out["result"])


def solve(
    question: str | Sequence[BaseMessage],
    technique: str | Graph = "self_consistency",
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> Result:
    """Answer one question under a budget; `asolve` for synchronous code.

    >>> solve("What is 2 + 2?", "guess", budget=Budget(calls=1))
    Traceback (most recent call last):
    ValueError: technique must be one of self-consistency, best-of-n, beam-search, ab-mcts, lats, \
refine, aggregate-recursively, extended-thinking, cascade, router, got 'guess'
    """
    return run_blocking(asolve(question, technique, budget=budget, **arguments))


def technique_graph(name: str, arguments: dict[str, Any]) -> TechniqueGraph:
    """The graph of a technique by its name, written with "-" or "_".

    Raises:
        ValueError: for an unknown name, or an argument that the technique does not take.
    """
    given = dict(arguments)
    if name.replace("-", "_") == "router":
        try:
            return router(model=given.pop("model", "local"), **given)
        except TypeError as error:
            raise ValueError(f"{name}: {error}") from error
    technique = named_technique(name)
    if technique is None:
        names = ", ".join(known.replace("_", "-") for known in (*TECHNIQUES, "router"))
        raise ValueError(f"technique must be one of {names}, got {name!r}")
    return build_technique(technique, given, model="local", verifier=None)


def _compiled(technique: str | Graph, arguments: dict[str, Any]) -> Pregel[Any, Any, Any, Any]:
    if isinstance(technique, str):
        return technique_graph(technique, dict(arguments)).compile()
    if arguments:
        raise ValueError(f"a graph takes no further arguments, got {', '.join(arguments)}")
    return technique.compile() if isinstance(technique, StateGraph) else technique
