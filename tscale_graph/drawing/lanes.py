"""Which lines run beside the steps, on which side and in which lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.drawing.picture import Edge

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Rail:
    """The way of an edge that does not lead to the row below.

    Attributes:
        side: of the steps. What goes back, or leaves together, is on the left; what skips steps,
            or arrives together, on the right.
        lane: how far out, from 0. Edges that leave or arrive together share one.
    """

    side: Side
    lane: int


def rails(edges: Iterable[Edge], row: Mapping[str, int]) -> dict[Edge, Rail]:
    """The rails of all edges that need one.

    Args:
        edges: between steps.
        row: the row that each step is in.
    """
    long = [edge for edge in edges if row[edge.target] != row[edge.source] + 1]
    leaving = Counter(edge.source for edge in long if row[edge.target] > row[edge.source])
    groups: dict[tuple[Side, str, str], list[Edge]] = {}
    for edge in long:
        if row[edge.target] <= row[edge.source]:
            key: tuple[Side, str, str] = ("left", "back", edge.target)
        elif leaving[edge.source] > 1:
            key = ("left", "from", edge.source)
        else:
            key = ("right", "to", edge.target)
        groups.setdefault(key, []).append(edge)
    return {
        edge: Rail(side, lane)
        for side in ("left", "right")
        for group, lane in _laid([own for key, own in groups.items() if key[0] == side], row)
        for edge in group
    }


def _laid(groups: Sequence[list[Edge]], row: Mapping[str, int]) -> list[tuple[list[Edge], int]]:
    """The groups of one side with their lanes: short ones inside, none across another."""
    taken: list[list[tuple[int, int]]] = []
    found: list[tuple[list[Edge], int]] = []
    spans = [(_span(group, row), group) for group in groups]
    for span, group in sorted(spans, key=lambda one: (one[0][1] - one[0][0], one[0][0])):
        free = (lane for lane, others in enumerate(taken) if not _overlaps(span, others))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append(span)
        found.append((group, lane))
    return found


def _span(group: Sequence[Edge], row: Mapping[str, int]) -> tuple[int, int]:
    ends = [row[name] for edge in group for name in (edge.source, edge.target)]
    return min(ends), max(ends)


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(low <= span[1] and span[0] <= high for low, high in others)
