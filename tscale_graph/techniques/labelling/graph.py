"""Labels of reasoning steps without people: a graph that goes on from the steps of solutions."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable
from langgraph.graph import END, START, StateGraph

from tscale_graph.answers import answer_kind
from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import chat_endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.techniques.labelling.planning import Planner
from tscale_graph.techniques.labelling.rolling import Roller
from tscale_graph.techniques.labelling.settings import LabellingSettings
from tscale_graph.techniques.labelling.state import Labelled, LabellingState, ToLabel
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.settings import Answer, check_asking, check_count
from tscale_graph.techniques.tree_search.conversation import (
    CONTINUATIONS,
    Continuation,
    prefills,
)
from tscale_graph.verifiers import Verifier, check_verifier
from tscale_graph.verifiers.process.labels import Labelling, labelling_named


def label_steps(
    model: str | Runnable[Any, Any],
    verifier: Verifier | str | None = None,
    *,
    solutions: int = 6,
    labels: str | Labelling = "shares",
    steps: str | StepSplitter = "paragraph",
    answer: Answer = "auto",
    continuation: Continuation = "auto",
    temperature: float | None = 0.8,
    max_output_tokens: int = 512,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
) -> StateGraph[Any, Any, Any, Any]:
    """A graph that samples solutions of one question, and labels each of their steps.

    A step is worth what share of the completions that go on from it come to a right answer.
    Input: `messages`, `budget`, `gold` (the right answer, where there is no verifier) and `known`
    (completions that there are already: what a run could not finish, a later one goes on with).
    Output: `labels`, with every completion.

        START → admit → plan → [Send × k] roll → plan … → finish → END

    Args:
        model: a chat model, "local", or "provider:model"; the one whose solutions the labels are
            to be for.
        verifier: judges answers where there is no gold one; it must not call a model.
        solutions: how many to label, at least 1.
        labels: "shares" goes on from every step (Math-Shepherd, Wang et al. 2024,
            arXiv:2312.08935), "bisection" looks for the first wrong one (OmegaPRM, Luo et al.
            2024, arXiv:2406.06592), with far fewer completions; "shares:16" has another number
            of completions of one beginning than 8; or `Shares(…)`, `Bisection(…)`.
        steps: where a step ends: "paragraph", "line", "sentence", "delimiter:…".
        answer: how to read answers; "auto" asks the verifier, else the question.
        continuation: "prefill" ends the prompt with the solution so far as an assistant
            message; "prompt" asks for the rest in words; "auto" does what the model is known for.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one completion.
        max_parallel: the most completions in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.

    Returns:
        An uncompiled graph.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
    """
    check_count("solutions", solutions, at_least=1)
    check_asking(max_output_tokens, max_parallel, temperature, seed=seed, on_exceeded="raise")
    if continuation not in CONTINUATIONS:
        known = ", ".join(CONTINUATIONS)
        raise ValueError(f"continuation must be one of {known}, got {continuation!r}")
    asked = chat_endpoint(load_model(model), technique="label_steps")
    settings = LabellingSettings(
        endpoint=asked,
        labelling=labelling_named(labels) if isinstance(labels, str) else labels,
        solutions=solutions,
        splitter=step_splitter(steps),
        prefill=prefills(asked, continuation),
        verifier=None if verifier is None else check_verifier(verifier),
        kind=answer_kind(answer),
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=None if budget is None else Budget.of(budget),
        system=system,
        seed=seed,
    )
    planner, roller = Planner(settings), Roller(settings)
    graph = StateGraph(LabellingState, input_schema=ToLabel, output_schema=Labelled)
    state = LabellingState
    add_node(graph, "admit", planner.admit, execute_in="activity", state=state)
    add_node(graph, "plan", planner.plan, execute_in="activity", state=state)
    add_node(graph, "roll", roller.roll, execute_in="activity", state=state)
    add_node(graph, "finish", planner.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    graph.add_edge("admit", "plan")
    add_edges(graph, "plan", planner.fan_out, ["roll", "finish"])
    graph.add_edge("roll", "plan")
    graph.add_edge("finish", END)
    return graph
