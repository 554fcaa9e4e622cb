"""The building blocks of the techniques, to wire techniques of your own.

A block is a frozen dataclass whose async methods are nodes and edges of a LangGraph graph:
`budget_gate` (`admit`, and the edge `fan_out`), `sampler` (`sample`), `verifier` (`verify`),
`decider` (`decide`, and the edge `another`) and `aggregator` (`finish`). They share one
`SamplingSettings` and one `SamplingState`. A `TechniqueGraph` says what it asks and takes, so that
it may stand in the place of a model.

`search_loop` is the whole loop of a tree search, for what `search_settings` says: a policy of
`tscale_graph.search` decides where to expand, and a `Growth` what a node is. It needs the extra
`search`. `label_steps` is the graph that finds out what steps are worth, of which process reward
models learn (extra `prm`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tscale_graph.importing import imported_late
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.choosing import Aggregator, Decider
from tscale_graph.techniques.gate import BudgetGate
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import SamplingSettings, sampling_settings
from tscale_graph.techniques.state import Answered, Question, SamplingState
from tscale_graph.techniques.whole_runs import of_samples, one_sample
from tscale_graph.verifiers import Verifier, check_verifier

if TYPE_CHECKING:
    from tscale_graph.techniques.labelling.graph import label_steps
    from tscale_graph.techniques.tree_search.expanding import bare_node, failed
    from tscale_graph.techniques.tree_search.growing import Growth
    from tscale_graph.techniques.tree_search.loop import search_loop
    from tscale_graph.techniques.tree_search.settings import SearchSettings, search_settings
    from tscale_graph.techniques.tree_search.state import ExpandTask, Node

__all__ = [
    "Answered",
    "ExpandTask",
    "Growth",
    "Node",
    "Question",
    "SamplingSettings",
    "SamplingState",
    "SearchSettings",
    "Technique",
    "TechniqueGraph",
    "add_edges",
    "add_node",
    "aggregator",
    "bare_node",
    "budget_gate",
    "decider",
    "failed",
    "find_budget",
    "label_steps",
    "sampler",
    "sampling_settings",
    "search_loop",
    "search_settings",
    "technique",
    "verifier",
]

_SEARCHES = "tscale_graph.techniques.tree_search"

__getattr__ = imported_late(
    __name__,
    {
        "ExpandTask": f"{_SEARCHES}.state",
        "Growth": f"{_SEARCHES}.growing",
        "Node": f"{_SEARCHES}.state",
        "SearchSettings": f"{_SEARCHES}.settings",
        "bare_node": f"{_SEARCHES}.expanding",
        "failed": f"{_SEARCHES}.expanding",
        "label_steps": "tscale_graph.techniques.labelling.graph",
        "search_loop": f"{_SEARCHES}.loop",
        "search_settings": f"{_SEARCHES}.settings",
    },
)


def technique(settings: SamplingSettings, name: str) -> Technique:
    """What others know of a technique that samples by these settings, for its `TechniqueGraph`."""
    at_most, at_least = partial(of_samples, settings), partial(of_samples, one_sample(settings))
    return Technique(name, (settings.endpoint,), at_most, settings.budget, at_least=at_least)


def budget_gate(settings: SamplingSettings) -> BudgetGate:
    """The node that grants leases, and the edge that sends samples on their way."""
    return BudgetGate(settings)


def sampler(settings: SamplingSettings) -> Sampler:
    """The node that asks the model."""
    return Sampler(settings)


def verifier(settings: SamplingSettings, check: Verifier | str | None = None) -> Checker:
    """The node that verifies new answers.

    Args:
        settings: as for the other blocks.
        check: a verifier or the name of a built-in one; the settings' own if None, for which
            the gate keeps back what a judge may spend.

    Raises:
        ValueError: when there is no verifier.
    """
    if check is None:
        check = settings.verifier
    if check is None:
        raise ValueError("verifier must be given, here or to sampling_settings, got None")
    return Checker(settings, check_verifier(check))


def decider(settings: SamplingSettings) -> Decider:
    """The node that asks the stopping rule, and the edge that follows it."""
    return Decider(settings)


def aggregator(settings: SamplingSettings, *, technique: str) -> Aggregator:
    """The last node, which chooses the answer by the settings' `select` and writes the result.

    Args:
        settings: as for the other blocks.
        technique: the name that the result bears.
    """
    return Aggregator(settings, technique)
