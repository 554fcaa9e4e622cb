"""Best-of-N: sample several answers, have each verified, and take the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.runnables import Runnable
from langgraph.graph import END, START, StateGraph

from tscale_graph.budget import Budget
from tscale_graph.stopping import StoppingRule
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.choosing import Aggregator, Decider
from tscale_graph.techniques.gate import BudgetGate
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import Answer, OnExceeded, SamplingSettings, sampling_settings
from tscale_graph.techniques.state import Answered, Question, SamplingState
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer

Select = Literal["max", "weighted"]


@dataclass(frozen=True)
class BestOfN:
    """Waves of samples, a verdict on each, and a selection."""

    settings: SamplingSettings
    verifier: Verifier
    select: Select

    def graph(self) -> StateGraph[Any, Any, Any, Any]:
        """START → admit → sample × k → verify → decide → admit again, or finish → END."""
        gate, sampler = BudgetGate(self.settings), Sampler(self.settings)
        checker, decider = Checker(self.settings, self.verifier), Decider(self.settings)
        aggregator = Aggregator(self.settings, select=self.select, technique="best_of_n")
        graph = StateGraph(SamplingState, input_schema=Question, output_schema=Answered)
        state = SamplingState
        add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
        add_node(graph, "sample", sampler.sample, execute_in="activity", state=state)
        add_node(graph, "verify", checker.verify, execute_in="activity", state=state)
        add_node(graph, "decide", decider.decide, execute_in="workflow", state=state)
        add_node(graph, "finish", aggregator.finish, execute_in="workflow", state=state)
        graph.add_edge(START, "admit")
        add_edges(graph, "admit", gate.fan_out, ["sample", "finish"])
        graph.add_edge("sample", "verify")
        graph.add_edge("verify", "decide")
        add_edges(graph, "decide", decider.another, ["admit", "finish"])
        graph.add_edge("finish", END)
        return graph


def best_of_n(
    model: str | Runnable[Any, Any],
    verifier: Verifier | str,
    *,
    n: int = 8,
    select: Select = "weighted",
    stop: str | StoppingRule = "first_pass",
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> StateGraph[Any, Any, Any, Any]:
    """A graph that samples a model until a verifier is satisfied, and returns the best answer.

    Input: `messages` and `budget`. Output: `messages` with the answer appended, and `result`.

    Args:
        model: a chat model, "local", or "provider:model".
        verifier: called as `verifier(question, answer)`; or the name of a built-in one.
        n: the most samples to take, at least 1.
        select: "weighted" sums the scores of equal answers (Li et al. 2022,
            arXiv:2206.02336); "max" takes the single best score. An answer that passed always
            beats one that did not.
        stop: a stopping rule or its name: "first_pass", "beta" or "fixed".
        answer: how to read the final answer; "auto" first asks what the verifier wants.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one sample, at least 1.
        max_parallel: the most samples in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model or verifier needs a package that is not installed.
    """
    if select not in ("max", "weighted"):
        raise ValueError(f'select must be "max" or "weighted", got {select!r}')
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    checked = check_verifier(verifier)
    settings = sampling_settings(
        model,
        max_samples=n,
        stop=stop,
        answer=preferred_answer(checked) if answer == "auto" else answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    return BestOfN(settings, checked, select).graph()
