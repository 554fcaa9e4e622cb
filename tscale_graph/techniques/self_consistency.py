"""Self-consistency: sample several answers and take the one that most of them agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import Runnable
from langgraph.graph import END, START, StateGraph

from tscale_graph.budget import Budget
from tscale_graph.stopping import StoppingRule
from tscale_graph.techniques.choosing import Aggregator, Decider
from tscale_graph.techniques.gate import BudgetGate
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import Answer, OnExceeded, SamplingSettings, sampling_settings
from tscale_graph.techniques.state import Answered, Question, SamplingState


@dataclass(frozen=True)
class SelfConsistency:
    """Waves of samples, and a vote (Wang et al. 2022, arXiv:2203.11171)."""

    settings: SamplingSettings

    def graph(self) -> StateGraph[Any, Any, Any, Any]:
        """START → admit → sample × k → decide → admit again, or finish → END."""
        gate, sampler = BudgetGate(self.settings), Sampler(self.settings)
        decider = Decider(self.settings)
        aggregator = Aggregator(self.settings, select="majority", technique="self_consistency")
        graph = StateGraph(SamplingState, input_schema=Question, output_schema=Answered)
        state = SamplingState
        add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
        add_node(graph, "sample", sampler.sample, execute_in="activity", state=state)
        add_node(graph, "decide", decider.decide, execute_in="workflow", state=state)
        add_node(graph, "finish", aggregator.finish, execute_in="workflow", state=state)
        graph.add_edge(START, "admit")
        add_edges(graph, "admit", gate.fan_out, ["sample", "finish"])
        graph.add_edge("sample", "decide")
        add_edges(graph, "decide", decider.another, ["admit", "finish"])
        graph.add_edge("finish", END)
        return graph


def self_consistency(
    model: str | Runnable[Any, Any],
    *,
    max_samples: int = 16,
    stop: str | StoppingRule = "beta",
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> StateGraph[Any, Any, Any, Any]:
    """A graph that samples a model until its answers agree, and returns the majority's.

    Self-consistency (Wang et al. 2022, arXiv:2203.11171), in waves that end when the answer is
    settled (Aggarwal et al. 2023, arXiv:2305.11860). Input: `messages` and `budget`. Output:
    `messages` with the answer appended, and `result`.

    Args:
        model: a chat model, "local", or "provider:model".
        max_samples: the most samples to take, at least 1.
        stop: a stopping rule or its name: "beta" or "fixed" ("first_pass" needs a verifier).
        answer: how to read the final answer: "auto", "number", "math", "choice", "text",
            "json", "code", or a function from text to answer or None.
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
        ImportError: when the model needs a package that is not installed.
    """
    settings = sampling_settings(
        model,
        max_samples=max_samples,
        stop=stop,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    if settings.rule.name == "first_pass":
        raise ValueError('stop="first_pass" needs a verifier: use best_of_n')
    return SelfConsistency(settings).graph()
