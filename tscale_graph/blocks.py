"""The building blocks of the techniques, to wire techniques of your own.

A block is a frozen dataclass whose async methods are nodes and edges of a LangGraph graph:
`budget_gate` (`admit`, and the edge `fan_out`), `sampler` (`sample`), `verifier` (`verify`),
`decider` (`decide`, and the edge `another`) and `aggregator` (`finish`). They share one
`SamplingSettings` and one `SamplingState`.
"""

from __future__ import annotations

from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.choosing import Aggregator, Decider
from tscale_graph.techniques.gate import BudgetGate, find_budget
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import SamplingSettings, sampling_settings
from tscale_graph.techniques.state import Answered, Question, SamplingState
from tscale_graph.verifiers import Verifier, check_verifier
from tscale_graph.votes import Selection, selection

__all__ = [
    "Answered",
    "Question",
    "SamplingSettings",
    "SamplingState",
    "add_edges",
    "add_node",
    "aggregator",
    "budget_gate",
    "decider",
    "find_budget",
    "sampler",
    "sampling_settings",
    "verifier",
]


def budget_gate(settings: SamplingSettings) -> BudgetGate:
    """The node that grants leases, and the edge that sends samples on their way."""
    return BudgetGate(settings)


def sampler(settings: SamplingSettings) -> Sampler:
    """The node that asks the model."""
    return Sampler(settings)


def verifier(settings: SamplingSettings, check: Verifier | str) -> Checker:
    """The node that verifies new answers, by a verifier or the name of a built-in one.

    Raises:
        ValueError: when it is no verifier.
    """
    return Checker(settings, check_verifier(check))


def decider(settings: SamplingSettings) -> Decider:
    """The node that asks the stopping rule, and the edge that follows it."""
    return Decider(settings)


def aggregator(
    settings: SamplingSettings, *, select: str | Selection, technique: str
) -> Aggregator:
    """The last node, which chooses the answer and writes the result.

    Args:
        settings: as for the other blocks.
        select: a selection, or the name of one.
        technique: the name that the result bears.

    Raises:
        ValueError: for an unknown selection.
    """
    return Aggregator(settings, selection(select), technique)
