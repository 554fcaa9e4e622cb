"""Choosing among candidates: votes, selections and tournaments, pure functions of the candidates.

`choose` is the one entrance. How it chooses is a `Selection`: a name, or an object with
parameters. Ties are broken by the higher summed score, then by the answer with more votes, then
by a seeded draw or by the earlier sample, never by the order of a dictionary; so the choice does
not depend on which call came back first.
"""

from __future__ import annotations

from tscale_graph.votes.agreement import Agreement
from tscale_graph.votes.best_version import BestVersion
from tscale_graph.votes.bradley_terry import bradley_terry, tiers
from tscale_graph.votes.choosing import Choice, choose, count_votes, finalists, read_answers
from tscale_graph.votes.confidence import DeepConf, LogprobVote, StatedConfidenceVote
from tscale_graph.votes.knockout import Bracket, Match
from tscale_graph.votes.naming import SELECTIONS, selection
from tscale_graph.votes.pessimism import Pessimistic, pessimistic_weights
from tscale_graph.votes.selection import (
    BestOfMajority,
    Group,
    Majority,
    Max,
    Ranked,
    Selection,
    Weighing,
    Weighted,
)
from tscale_graph.votes.traces import (
    RunningConfidence,
    group_size,
    trace_confidence,
    warm_up_threshold,
)

__all__ = [
    "SELECTIONS",
    "Agreement",
    "BestOfMajority",
    "BestVersion",
    "Bracket",
    "Choice",
    "DeepConf",
    "Group",
    "LogprobVote",
    "Majority",
    "Match",
    "Max",
    "Pessimistic",
    "Ranked",
    "RunningConfidence",
    "Selection",
    "StatedConfidenceVote",
    "Weighing",
    "Weighted",
    "bradley_terry",
    "choose",
    "count_votes",
    "finalists",
    "group_size",
    "pessimistic_weights",
    "read_answers",
    "selection",
    "tiers",
    "trace_confidence",
    "warm_up_threshold",
]
