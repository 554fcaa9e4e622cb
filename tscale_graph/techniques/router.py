"""The router: tells the class of a task and hands it to the technique that the policy names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.errors import NodeError
from langgraph.graph import END, START

from tscale_graph.budget import LIMITS, Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.binding import CallerBinding
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.inner_runs import is_inner
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.models.unsuitable import UnsuitableModel
from tscale_graph.policy import Policy
from tscale_graph.policy_files import Source
from tscale_graph.techniques.admission import brought_budget
from tscale_graph.techniques.nodes import add_edges, add_node, twin
from tscale_graph.techniques.policies import Served, serve_classes
from tscale_graph.techniques.recipes import REAL, Kitchen
from tscale_graph.techniques.routing.choosing import (
    Route,
    choose_route,
    class_of_technique,
    estimated_tokens,
)
from tscale_graph.techniques.routing.classifiers import (
    Classifier,
    asking_takes,
    check_classifier,
    tell_class,
    waits,
)
from tscale_graph.techniques.routing.state import RoutedQuestion, RoutingState
from tscale_graph.techniques.state import Answered, question_of
from tscale_graph.techniques.whole_runs import largest
from tscale_graph.verifiers import Verifier


@dataclass(frozen=True)
class Router:
    """One node that classifies, and a subgraph for each class that can be served.

    Attributes:
        policy: what to do with each class.
        served: the graphs of classes, and what the others lack.
        classifier: who tells the class.
        budget: for requests that bring none, in place of the budgets of the classes.
    """

    policy: Policy
    served: Served
    classifier: Classifier
    budget: Budget | None = None

    async def classify(self, state: RoutingState, config: RunnableConfig) -> dict[str, Any]:
        """Take the caller's word, or have the class told; then find who serves it.

        Raises:
            ValueError: when the caller names a class or a technique that the policy does not have.
            BudgetExceeded: when telling the class left nothing.
        """
        began = time.time() if waits(self.classifier) else 0.0
        brought = brought_budget(state, config)
        wanted = _told(state, config, "technique")
        spent = Usage()
        if wanted is not None:
            route = Route(class_of_technique(self.policy, wanted, missing=self.served.missing))
            task_class, reasons = route.name, [f"technique {wanted}: as the caller said"]
        else:
            task_class, reason, spent = await self._task_class(state, config, brought)
            route = self._route(state, task_class, brought, spent)
            reasons = [f"class {task_class}: {reason}"]
        if route.name != task_class:
            why = "; ".join(route.reasons)
            told = f"{task_class} cannot be served here: treated as {route.name} ({why})"
            reasons.append(told)
        reasons.append(f"technique: {self.policy.classes[route.name].technique_name}")
        if began:
            spent = spent.model_copy(update={"seconds": max(0.0, time.time() - began)})
        return {
            "task_class": None,
            "technique": None,
            "budget": self._left(brought, route.name, spent),
            "route": route.name,
            "reasons": reasons,
            "spent": spent.model_dump(),
        }

    async def choose(self, state: RoutingState) -> str:
        """The subgraph of the class."""
        return state.get("route", self.policy.default_class)

    async def report(self, state: RoutingState) -> dict[str, Any]:
        """Say in the result which way the task went, and what telling that has cost."""
        result = Result.model_validate(state.get("result"))
        spent = Usage.model_validate(state.get("spent") or Usage())
        notes = [*state.get("reasons", []), *result.notes]
        total = result.usage + spent
        served = state.get("route")
        told = result.model_copy(update={"notes": notes, "usage": total, "task_class": served})
        answer = convert_to_messages(state.get("messages", []))[-1:]
        if not spent.calls or not answer or not isinstance(answer[0], AIMessage):
            return {"result": told}
        return {"result": told, "messages": [_with_usage(answer[0], spent)]}

    async def charge(self, state: RoutingState, error: NodeError) -> dict[str, Any]:
        """Let an error of the technique tell what telling the class has cost, too.

        Raises:
            Exception: that error.
        """
        failed = error.error
        if isinstance(failed, BudgetExceeded | SamplingError):
            failed.usage += Usage.model_validate(state.get("spent") or Usage())
        raise failed

    def at_most(self, prompt_tokens: int) -> Usage:
        """What the dearest of the subgraphs takes, and telling the class."""
        graphs = self.served.graphs.values()
        asked = asking_takes(self.classifier, "")
        longer = Usage(input_tokens=asked.calls * prompt_tokens)
        return largest(one.technique.at_most(prompt_tokens) for one in graphs) + asked + longer

    def graph(self) -> TechniqueGraph:
        """START → classify → the subgraph of the class → report → END."""
        state, graphs = RoutingState, self.served.graphs
        known = Technique(
            "router",
            asks=tuple(asked for one in graphs.values() for asked in one.technique.asks),
            at_most=self.at_most,
            budget=self.budget,
        )
        graph = TechniqueGraph(
            state,
            known,
            input_schema=RoutedQuestion,
            output_schema=Answered,
            rebound=self.rebound,
        )
        where = "activity" if waits(self.classifier) else "workflow"
        add_node(graph, "classify", self.classify, execute_in=where, state=state)
        charge = twin(self.charge, pure=True) if hasattr(self.classifier, "ask") else None
        for name, subgraph in graphs.items():
            graph.add_node(name, subgraph.compile(), error_handler=charge)
            graph.add_edge(name, "report")
        add_node(graph, "report", self.report, execute_in="workflow", state=state)
        graph.add_edge(START, "classify")
        add_edges(graph, "classify", self.choose, list(graphs))
        graph.add_edge("report", END)
        return graph

    def rebound(self, binding: CallerBinding) -> TechniqueGraph:
        """The same with tools, say; classes whose techniques take none are served by others.

        Raises:
            UnsuitableModel: when no class is left.
        """
        graphs, missing = dict[str, TechniqueGraph](), dict(self.served.missing)
        for name, graph in self.served.graphs.items():
            try:
                graphs[name] = graph.bound_with(binding)
            except UnsuitableModel as error:
                missing[name] = str(error)
        if not graphs:
            raise UnsuitableModel(f"router: {'; '.join(dict.fromkeys(missing.values()))}")
        return replace(self, served=Served(graphs, missing)).graph()

    async def _task_class(
        self, state: RoutingState, config: RunnableConfig, brought: Budget | None
    ) -> tuple[str, str, Usage]:
        """The class of the task, why, and what telling it has cost."""
        classes = self.policy.classes
        told = _told(state, config, "task_class")
        if told is not None:
            if told not in classes:
                raise ValueError(f"task_class must be one of {', '.join(classes)}, got {told!r}")
            return told, "as the caller said", Usage()
        question = question_of(state.get("messages", []))
        budget = brought or self.budget or self._tightest()
        said = await tell_class(self.classifier, question, policy=self.policy, budget=budget)
        return *said.of(self.policy), said.usage

    def _route(
        self, state: RoutingState, task_class: str, brought: Budget | None, spent: Usage
    ) -> Route:
        tokens = estimated_tokens(convert_to_messages(state.get("messages", [])))
        least = {
            name: _whole_sample(graph.technique, tokens) + spent
            for name, graph in self.served.graphs.items()
        }
        budgets = {name: brought or self._own(name) for name in least}
        missing = self.served.missing
        return choose_route(self.policy, task_class, missing=missing, least=least, budgets=budgets)

    def _left(self, brought: Budget | None, route: str, spent: Usage) -> Budget | None:
        """What telling the class has left of the budget; None leaves it to the technique's own."""
        if not spent.calls and not spent.seconds:
            return brought
        budget = brought or self._own(route)
        if budget is None:
            return None
        left = budget.remaining(spent)
        if (limit := left.spent_limit) is not None:
            told = f"{limit}={getattr(budget, limit)} was used up by telling the class of the task"
            raise BudgetExceeded(told, limit=limit, budget=budget, usage=spent)
        return budget.within(left)

    def _own(self, name: str) -> Budget | None:
        return self.budget or self.served.graphs[name].technique.budget

    def _tightest(self) -> Budget | None:
        """What every class's own budget allows."""
        own = [one for name in self.served.graphs if (one := self._own(name)) is not None]
        limits = {
            limit: min(values)
            for limit in LIMITS
            if (values := [v for one in own if (v := getattr(one, limit)) is not None])
        }
        return Budget.model_validate(limits) if limits else None


def router(
    policy: Policy | dict[str, Any] | None = None,
    *,
    model: str | Askable | None = None,
    verifier: Verifier | str | None = None,
    classifier: Classifier = "rules",
    budget: Budget | dict[str, Any] | None = None,
) -> TechniqueGraph:
    """A graph that picks the technique for each task by its class.

    Input: `messages`, `budget`, and where the caller knows better `task_class`, or `technique`,
    which is that of a class of the policy (in the input or in `config["configurable"]`). Output:
    `messages` and `result`, whose first notes say which way the task went and why.

    A class that lacks a verifier, a reasoning model or a package, and one whose budget does not
    pay for one whole sample of its technique, falls back: to its fallback and the fallbacks of
    that, to the default class, to the others in turn.

    Args:
        policy: what to do for each class, as a `Policy` or a dict of its fields;
            `Policy.default()` if None.
        model: for classes that name none; "local" if None.
        verifier: for classes whose technique takes one and that name none.
        classifier: who tells the class: "rules", which cost nothing; a function of the question,
            sync or async, that gives the name of a class or a `Classification`; or an object
            whose `ask(question, lease=…, deadline=…)` does, and is paid for by the request.
        budget: for requests that bring none, in place of the budgets of the classes.

    Returns:
        An uncompiled graph.

    Raises:
        PolicyError: a `ValueError`, for a technique that does not exist, an argument that it does
            not take, or a class without a verifier and without a fallback.
    """
    if not isinstance(policy, Policy):
        policy = Policy.default() if policy is None else Policy.read(policy, Source())
    given = None if budget is None else Budget.of(budget)
    kitchen = Kitchen(REAL, model=model or "local", verifier=verifier)
    served = serve_classes(policy, kitchen, budget=given)
    return Router(policy, served, check_classifier(classifier, policy), given).graph()


def _told(state: Mapping[str, Any], config: RunnableConfig, name: str) -> str | None:
    """What the caller says, in the input or in the configuration of the outermost run."""
    configured = {} if is_inner() else config.get("configurable") or {}
    return state.get(name) or configured.get(name)


def _whole_sample(technique: Technique, prompt_tokens: int) -> Usage:
    return Usage() if technique.at_least is None else technique.at_least(prompt_tokens)


def _with_usage(message: AIMessage, spent: Usage) -> AIMessage:
    """The answer, with what was spent before it was asked for."""
    usage = message.usage_metadata
    if usage is None:
        return message
    added = {
        "input_tokens": usage["input_tokens"] + spent.input_tokens,
        "output_tokens": usage["output_tokens"] + spent.output_tokens,
        "total_tokens": usage["total_tokens"] + spent.tokens,
    }
    return message.model_copy(update={"usage_metadata": {**usage, **added}})
