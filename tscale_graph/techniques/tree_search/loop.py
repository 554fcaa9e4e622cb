"""The loop that tree searches share: rounds of expansions until an answer passes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from langgraph.graph import END, START

from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.state import Answered, Question
from tscale_graph.techniques.tree_search.expanding import Expander
from tscale_graph.techniques.tree_search.finishing import Finisher
from tscale_graph.techniques.tree_search.gate import SearchGate
from tscale_graph.techniques.tree_search.reflecting import Reflector
from tscale_graph.techniques.tree_search.scoring import Backup, Scorer
from tscale_graph.techniques.tree_search.selecting import Selector
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import SearchState
from tscale_graph.techniques.whole_runs import of_search
from tscale_graph.verifiers.titles import title_of


def search_loop(settings: SearchSettings, *, technique: str) -> TechniqueGraph:
    """START → admit → select → expand × k → verify → backup (→ reflect) → select, or finish.

    A round costs four supersteps, five with reflections: `decide` is the edge that follows the
    last of them, and what `select` needs to know of the time was written by `verify`.

    Args:
        settings: what to search with.
        technique: the name that the result bears.
    """
    state, at_most = SearchState, partial(of_search, settings)
    known = Technique(
        technique,
        settings.endpoints,
        at_most,
        settings.budget,
        asked_in=("expand",),
        notes={
            "expand": f"up to {settings.max_nodes:,} nodes",
            "verify": title_of(settings.verifier),
            "reflect": "by the model itself",
        },
        at_least=partial(of_search, replace(settings, max_nodes=1)),
    )
    graph = TechniqueGraph(state, known, input_schema=Question, output_schema=Answered)
    gate, selector, backup = SearchGate(settings), Selector(settings), Backup(settings)
    expander, scorer = Expander(settings), Scorer(settings)
    finisher = Finisher(settings, technique)
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "select", selector.select, execute_in="workflow", state=state)
    add_node(graph, "expand", expander.expand, execute_in="activity", state=state)
    add_node(graph, "verify", scorer.verify, execute_in="activity", state=state)
    add_node(graph, "backup", backup.backup, execute_in="workflow", state=state)
    add_node(graph, "finish", finisher.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    graph.add_edge("admit", "select")
    add_edges(graph, "select", selector.fan_out, ["expand", "finish"])
    graph.add_edge("expand", "verify")
    graph.add_edge("verify", "backup")
    last = "backup"
    if settings.reflects:
        reflector = Reflector(settings)
        add_node(graph, "reflect", reflector.reflect, execute_in="activity", state=state)
        graph.add_edge("backup", "reflect")
        last = "reflect"
    add_edges(graph, last, backup.decide, ["select", "finish"])
    graph.add_edge("finish", END)
    return graph
