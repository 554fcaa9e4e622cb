"""The router: tells the class of a task and hands it to the technique that the policy names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Result
from tscale_graph.classifying.rules import classify
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.techniques.named import (
    TECHNIQUES,
    build_technique,
    named_technique,
    needs_verifier,
)
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.state import Answered, RequestBudget, question_of
from tscale_graph.techniques.whole_runs import largest
from tscale_graph.verifiers import Verifier


class RoutedQuestion(TypedDict):
    """What goes in; `task_class` is the caller's own word for the class of the task."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]
    task_class: NotRequired[str | None]


class RoutingState(TypedDict, total=False):
    """Between the question and the answer."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    task_class: str | None
    route: str
    reason: str
    result: Result


@dataclass(frozen=True)
class Router:
    """One node that classifies, and a subgraph for each class that can be served."""

    policy: Policy
    subgraphs: Mapping[str, TechniqueGraph]

    async def classify(self, state: RoutingState, config: RunnableConfig) -> dict[str, Any]:
        """Take the caller's word for the class, or apply the rules; then find who serves it.

        Raises:
            ValueError: when the caller names a class that the policy does not have.
        """
        told = state.get("task_class") or (config.get("configurable") or {}).get("task_class")
        if told is not None:
            if told not in self.policy.classes:
                known = ", ".join(self.policy.classes)
                raise ValueError(f"task_class must be one of {known}, got {told!r}")
            task_class, reason = told, "as the caller said"
        else:
            found = classify(
                question_of(state.get("messages", [])), default=self.policy.default_class
            )
            known = found.task_class in self.policy.classes
            task_class = found.task_class if known else self.policy.default_class
            reason = found.reason
        route = next(name for name in self._order(task_class) if name in self.subgraphs)
        if route != task_class:
            reason += f", and {task_class} cannot be served here: treated as {route}"
        return {
            "task_class": None,
            "budget": state.get("budget"),
            "route": route,
            "reason": f"class {task_class}: {reason}",
        }

    async def choose(self, state: RoutingState) -> str:
        """The subgraph of the class."""
        return state.get("route", self.policy.default_class)

    async def report(self, state: RoutingState) -> dict[str, Any]:
        """Say in the result which way the task went."""
        result = Result.model_validate(state.get("result"))
        notes = [state.get("reason", ""), *result.notes]
        return {"result": result.model_copy(update={"notes": notes})}

    def at_most(self, prompt_tokens: int) -> Usage:
        """What the dearest of the subgraphs takes."""
        return largest(one.technique.at_most(prompt_tokens) for one in self.subgraphs.values())

    def graph(self) -> TechniqueGraph:
        """START → classify → the subgraph of the class → report → END."""
        state, inner = RoutingState, [one.technique for one in self.subgraphs.values()]
        known = Technique(
            "router",
            asks=tuple(asked for one in inner for asked in one.asks),
            at_most=self.at_most,
        )
        graph = TechniqueGraph(state, known, input_schema=RoutedQuestion, output_schema=Answered)
        add_node(graph, "classify", self.classify, execute_in="workflow", state=state)
        for name, subgraph in self.subgraphs.items():
            graph.add_node(name, subgraph.compile())
            graph.add_edge(name, "report")
        add_node(graph, "report", self.report, execute_in="workflow", state=state)
        graph.add_edge(START, "classify")
        add_edges(graph, "classify", self.choose, list(self.subgraphs))
        graph.add_edge("report", END)
        return graph

    def _order(self, task_class: str) -> list[str]:
        return [*self.policy.fallbacks(task_class), self.policy.default_class, *self.subgraphs]


def router(
    policy: Policy | dict[str, Any] | None = None,
    *,
    model: str | Askable | None = None,
    verifier: Verifier | str | None = None,
    budget: Budget | dict[str, Any] | None = None,
) -> TechniqueGraph:
    """A graph that picks the technique for each task by its class.

    Input: `messages`, `budget`, and `task_class` where the caller knows better than the rules
    (in the input or in `config["configurable"]`). Output: `messages` and `result`, whose first
    note says which way the task went.

    Args:
        policy: what to do for each class, as a `Policy` or a dict of its fields;
            `Policy.default()` if None.
        model: for classes whose arguments name none; "local" if None.
        verifier: for classes whose technique needs one and whose arguments name none. A class
            that has none falls back as its policy says.
        budget: for requests that bring none, in place of the budgets of the classes.

    Returns:
        An uncompiled graph.

    Raises:
        ValueError: for a technique that does not exist, an argument that it does not take, or
            when no class can be served.
    """
    policy = Policy.default() if policy is None else Policy.model_validate(policy)
    subgraphs: dict[str, TechniqueGraph] = {}
    for name, entry in policy.classes.items():
        built = _subgraph(name, entry, model=model, verifier=verifier, budget=budget)
        if built is not None:
            subgraphs[name] = built
    if not subgraphs:
        raise ValueError("no class of the policy can be served: give router() a verifier")
    return Router(policy, subgraphs).graph()


def _subgraph(
    name: str,
    entry: ClassPolicy,
    *,
    model: str | Askable | None,
    verifier: Verifier | str | None,
    budget: Budget | dict[str, Any] | None,
) -> TechniqueGraph | None:
    """The technique of a class; None when it wants a verifier and there is none."""
    technique = named_technique(entry.technique)
    if technique is None:
        names = ", ".join(TECHNIQUES)
        raise ValueError(f"technique of {name} must be one of {names}, got {entry.technique!r}")
    arguments = {"budget": budget or entry.budget, **entry.arguments}
    told = arguments.get("verifier") or arguments.get("scorer") or verifier
    if needs_verifier(technique) and told is None:
        return None
    try:
        return build_technique(technique, arguments, model=model or "local", verifier=verifier)
    except ValueError as error:
        raise ValueError(f"class {name}: {error}") from error
