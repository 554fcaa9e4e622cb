"""The names of the selections."""

from __future__ import annotations

from tscale_graph.votes.agreement import Agreement
from tscale_graph.votes.confidence import DeepConf, LogprobVote, StatedConfidenceVote
from tscale_graph.votes.pessimism import Pessimistic
from tscale_graph.votes.selection import BestOfMajority, Majority, Max, Selection, Weighted

_SELECTIONS: dict[str, Selection] = {
    rule.name: rule
    for rule in (
        Majority(),
        Max(),
        Weighted(),
        BestOfMajority(),
        Pessimistic(),
        Agreement(),
        LogprobVote(),
        StatedConfidenceVote(),
        DeepConf(),
    )
}

SELECTIONS: tuple[str, ...] = tuple(_SELECTIONS)
"""The names of the ways to choose."""


def selection(select: str | Selection) -> Selection:
    """The selection of that name, or the selection itself.

    Raises:
        ValueError: for anything else; the message lists the names.
    """
    if isinstance(select, str):
        if select in _SELECTIONS:
            return _SELECTIONS[select]
    elif isinstance(select, Selection):
        return select
    raise ValueError(
        f"select must be one of {', '.join(SELECTIONS)} or a selection, got {select!r}"
    )
