"""Where a tree keeps its nodes: a row of numbers each, and blocks of children; both grow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOT = 0
_FIRST_ROOM = 64
_FIRST_CHILDREN = 4


class Rows:
    """Who is above whom, and room for what `Tree` knows of each node: see there."""

    size: int
    parent: Ints
    depth: Ints
    model: Ints
    lane: Ints
    status: Ints
    score: Floats
    value: Floats
    visits: Ints
    value_sum: Floats
    value_squares: Floats
    pending: Ints
    fresh_visits: Ints
    fresh_sum: Floats
    fresh_squares: Floats
    fresh_pending: Ints
    copies: Ints
    leaves: Ints
    open_children: Ints
    _block: Ints
    _children: Ints
    _children_room: Ints

    def __init__(self) -> None:
        self.size = 0
        for name, kind in _COLUMNS.items():
            setattr(self, name, np.zeros(_FIRST_ROOM, dtype=kind))
        self._blocks: Ints = np.zeros(_FIRST_ROOM, dtype=np.int64)
        self._used = 0

    def children(self, node: int) -> Ints:
        """The rows of a node's children, in the order in which they were asked for: a view."""
        start = self._block.item(node)
        return self._blocks[start : start + self._children.item(node)]

    def path(self, node: int) -> list[int]:
        """The rows from the root to a node, both included."""
        rows = [node]
        while rows[-1] != ROOT:
            rows.append(self.parent.item(rows[-1]))
        return rows[::-1]

    def _rows(self, count: int, *, parent: int, depth: int, model: int, lane: int) -> int:
        """Begin new rows; the first of them."""
        first, end = self.size, self.size + count
        while end > len(self.parent):
            for name in _COLUMNS:
                setattr(self, name, _doubled(getattr(self, name)))
        self.parent[first:end], self.depth[first:end] = parent, depth
        self.model[first:end], self.lane[first:end] = model, lane
        self.score[first:end] = math.nan
        self.size = end
        return first

    def _adopt(self, parent: int, first: int, count: int) -> None:
        """Put children at the end of their parent's block, which moves when it is full.

        A block at least doubles, so that adopting costs O(1) on average.
        """
        held, room = self._children.item(parent), self._children_room.item(parent)
        if held + count > room:
            wanted = max(2 * room, held + count, _FIRST_CHILDREN)
            while self._used + wanted > len(self._blocks):
                self._blocks = _doubled(self._blocks)
            old = self._block.item(parent)
            self._blocks[self._used : self._used + held] = self._blocks[old : old + held]
            self._block[parent], self._children_room[parent] = self._used, wanted
            self._used += wanted
        end = self._block.item(parent) + held
        self._blocks[end : end + count] = range(first, first + count)
        self._children[parent] = held + count


_COLUMNS: dict[str, type[Any]] = {
    **dict.fromkeys(("parent", "depth", "model", "lane", "status", "visits", "pending"), np.int64),
    **dict.fromkeys(("fresh_visits", "fresh_pending", "copies"), np.int64),
    **dict.fromkeys(("leaves", "open_children"), np.int64),
    **dict.fromkeys(("_block", "_children", "_children_room"), np.int64),
    **dict.fromkeys(("score", "value", "value_sum", "value_squares"), np.float64),
    **dict.fromkeys(("fresh_sum", "fresh_squares"), np.float64),
}


def _doubled(column: NDArray[Any]) -> NDArray[Any]:
    grown = np.zeros(2 * len(column), dtype=column.dtype)
    grown[: len(column)] = column
    return grown
