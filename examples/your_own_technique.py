"""A technique of your own, wired out of the building blocks: sample, verify, and ask once more.

python examples/your_own_technique.py
"""

from __future__ import annotations

from dataclasses import dataclass

from langgraph.graph import END, START

from tscale_graph import Budget
from tscale_graph.blocks import (
    Answered,
    Question,
    SamplingSettings,
    SamplingState,
    TechniqueGraph,
    add_edges,
    add_node,
    aggregator,
    budget_gate,
    decider,
    sampler,
    sampling_settings,
    technique,
    verifier,
)


def is_even(question: str, answer: str) -> bool:
    """A verifier is any function of a question and an answer."""
    return int(answer) % 2 == 0


@dataclass(frozen=True)
class EvenAnswers:
    """Majority vote among the answers that pass a check."""

    settings: SamplingSettings

    def graph(self) -> TechniqueGraph:
        """START → admit → sample × k → verify → decide → admit again, or finish → END."""
        known = technique(self.settings, "even_answers")
        graph = TechniqueGraph(SamplingState, known, input_schema=Question, output_schema=Answered)
        gate, decide = budget_gate(self.settings), decider(self.settings)
        check = verifier(self.settings, is_even)
        vote = aggregator(self.settings, technique="even_answers")
        take, state = sampler(self.settings), SamplingState
        add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
        add_node(graph, "sample", take.sample, execute_in="activity", state=state)
        add_node(graph, "verify", check.verify, execute_in="activity", state=state)
        add_node(graph, "decide", decide.decide, execute_in="workflow", state=state)
        add_node(graph, "finish", vote.finish, execute_in="workflow", state=state)
        graph.add_edge(START, "admit")
        add_edges(graph, "admit", gate.fan_out, ["sample", "finish"])
        graph.add_edge("sample", "verify")
        graph.add_edge("verify", "decide")
        add_edges(graph, "decide", decide.another, ["admit", "finish"])
        graph.add_edge("finish", END)
        return graph


def main() -> None:
    """Ask the embedded model for an even number."""
    settings = sampling_settings(
        "local", max_samples=8, stop="fixed", answer="number", max_output_tokens=32
    )
    graph = EvenAnswers(settings).graph().compile()
    asked = {
        "messages": [("user", "Name an even number between 10 and 20. Answer with the number.")],
        "budget": Budget(tokens=5_000, seconds=60),
    }
    result = graph.invoke(asked)["result"]
    print(result.answer, result.status, result.usage)


if __name__ == "__main__":
    main()
