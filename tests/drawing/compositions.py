"""Graphs that tests draw, of models that are only names."""

from langgraph.graph import END, START, MessagesState, StateGraph

from tests.scripted import Scripted
from tscale_graph import (
    ab_mcts,
    aggregate_recursively,
    beam_search,
    best_of_n,
    cascade,
    extended_thinking,
    lats,
    refine,
    router,
    self_consistency,
)
from tscale_graph.verifiers import equation
from tscale_graph.verifiers.judges import judge, pairwise_judge


def model(name="small"):
    return Scripted(model_name=name)


def agent():
    """Somebody's own graph: an agent with a tool, that hands hard questions to a technique."""
    graph = StateGraph(MessagesState)
    graph.add_node("agent", lambda state: state)
    graph.add_node("tools", lambda state: state)
    graph.add_node("solve_it", best_of_n(model(), equation).compile())
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", lambda _: END, ["tools", "solve_it", END])
    graph.add_edge("tools", "agent")
    graph.add_edge("solve_it", "agent")
    return graph


COMPOSITIONS = {
    "self_consistency": lambda: self_consistency(model()),
    "thinking": lambda: best_of_n(extended_thinking(model()), equation),
    "refining": lambda: self_consistency(refine(model())),
    "tournament": lambda: best_of_n(model(), pairwise_judge(model("judge"))),
    "populations": lambda: aggregate_recursively(refine(model())),
    "ladder": lambda: cascade([model("small"), extended_thinking(model("large"))]),
    "search": lambda: ab_mcts([refine(model("a"), equation), model("b")], equation),
    "beams": lambda: beam_search(model(), lambda question, answer: 0.5),
    "agents": lambda: lats(model()),
    "router": lambda: router(model=model(), verifier=equation),
    "three levels": lambda: best_of_n(
        self_consistency(extended_thinking(model()), max_samples=4), judge(model("judge"))
    ),
    "somebody's own": agent,
}
