"""The loop that sampling techniques share: waves of samples until there are enough."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from langgraph.graph import END, START

from tscale_graph.models.binding import CallerBinding
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.choosing import Aggregator, Decider
from tscale_graph.techniques.clustering import Clusterer
from tscale_graph.techniques.gate import BudgetGate
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.ranking import Closer
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Answered, Question, SamplingState
from tscale_graph.techniques.whole_runs import of_samples, one_sample
from tscale_graph.verifiers.titles import title_of


class SamplingGraph(TechniqueGraph):
    """The loop as a graph, which others may take apart.

    Attributes:
        settings: what it samples, and how it chooses.
    """

    settings: SamplingSettings


def sampling_loop(settings: SamplingSettings, *, technique: str) -> SamplingGraph:
    """START → admit → sample × k (→ verify) (→ cluster) → decide → admit again (→ rank) → finish.

    The steps in brackets are there when the settings have a verifier, a kind of answer whose
    answers a model compares, and closing calls.

    Args:
        settings: what to sample, and how to choose.
        technique: the name that the result bears.
    """
    gate, decider = BudgetGate(settings), Decider(settings)
    state, at_most = SamplingState, partial(of_samples, settings)
    asks, notes = (settings.endpoint,), _notes(settings)
    known = Technique(
        technique,
        asks,
        at_most,
        settings.budget,
        notes=notes,
        at_least=partial(of_samples, one_sample(settings)),
    )
    graph = SamplingGraph(
        state,
        known,
        input_schema=Question,
        output_schema=Answered,
        rebound=partial(_rebound, settings, technique),
    )
    graph.settings = settings
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "sample", Sampler(settings).sample, execute_in="activity", state=state)
    last = "sample"
    if settings.verifier is not None:
        checker = Checker(settings, settings.verifier)
        add_node(graph, "verify", checker.verify, execute_in="activity", state=state)
        graph.add_edge(last, "verify")
        last = "verify"
    if settings.semantic is not None:
        clusterer = Clusterer(settings, settings.semantic)
        add_node(graph, "cluster", clusterer.cluster, execute_in="activity", state=state)
        graph.add_edge(last, "cluster")
        last = "cluster"
    add_node(graph, "decide", decider.decide, execute_in="workflow", state=state)
    graph.add_edge(last, "decide")
    aggregator = Aggregator(settings, technique)
    add_node(graph, "finish", aggregator.finish, execute_in="workflow", state=state)
    closing = "finish"
    if settings.closing is not None:
        closer = Closer(settings, settings.closing)
        add_node(graph, "rank", closer.rank, execute_in="activity", state=state)
        graph.add_edge("rank", "finish")
        closing = "rank"
    graph.add_edge(START, "admit")
    add_edges(graph, "admit", gate.fan_out, ["sample", closing])
    add_edges(graph, "decide", decider.another, ["admit", closing])
    graph.add_edge("finish", END)
    return graph


def _rebound(settings: SamplingSettings, technique: str, binding: CallerBinding) -> SamplingGraph:
    """The same with tools, say, that its samples may call; the vote is over calls, too."""
    rebound = replace(
        settings,
        endpoint=binding.to(settings.endpoint),
        readers=binding.readers,
        must_call=binding.must_call,
    )
    return sampling_loop(rebound, technique=technique)


def _notes(settings: SamplingSettings) -> dict[str, str]:
    most, closing = settings.max_samples, settings.closing
    return {
        "sample": f"up to {most}" if most > 1 else "",
        "verify": "" if settings.verifier is None else title_of(settings.verifier),
        "rank": "" if closing is None else closing.name.replace("_", " "),
    }
