"""A search tree in arrays: grown by appending, told in any order, in O(depth) a step.

A node is asked for before it exists: `append` gives it its row, in flight; `tell` says what it
scored, `fail` that it came to nothing. Both are ignored for a node that is not in flight, so
telling twice is harmless. Statistics of a subtree are kept at its top and updated along the path
to the root; nothing ever looks at all nodes.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from tscale_graph.search.asking import Ask
from tscale_graph.search.rows import ROOT, Floats, Ints, Rows

__all__ = ["ROOT", "Floats", "Ints", "Status", "Tree"]


class Status(IntEnum):
    """What has become of a node."""

    PENDING = 0
    """Asked for, and not told yet."""
    OPEN = 1
    """Scored; may have children."""
    TERMINAL = 2
    """Scored; a complete answer that nothing is added to."""
    CLOSED = 3
    """Scored, but not gone on from: the same as an earlier node, or too deep."""
    FAILED = 4
    """Came to nothing: it counts nowhere."""


class Tree(Rows):
    """A tree of nodes; row 0 is the root, which has no score.

    Whoever holds a tree owns it: the functions of this package change it in place.

    Attributes:
        size: how many nodes, the root included. The arrays have room for more.
        complete: how many of them are terminal.
        finished: the same, and those that were found again.
        best_score: the highest score that was told; 0 before there is one.
        best_complete: the same of terminal nodes.
        parent: [room] the row above; -1 for the root. Always a smaller number.
        depth: [room] steps from the root.
        model: [room] which model made it.
        lane: [room] which of several independent subtrees it belongs to.
        status: [room] a `Status`.
        score: [room] its own score in [0, 1]; NaN until it is told.
        value: [room] what that is worth to the policy: the score itself, unless it says otherwise.
        visits: [room] scored nodes at or below it.
        value_sum, value_squares: [room] the sums of their values and of the squares.
        pending: [room] nodes in flight at or below it.
        fresh_visits, fresh_sum, fresh_squares, fresh_pending: [room] the same of its direct
            children alone, each by its own value.
        copies: [room] later nodes that are the same as it, and were closed.
        leaves: [room] open nodes without children, at or below it.
        open_children: [room] how many of its direct children are open.
        by_model: [models, 3] the number, the sum and the sum of squares of values by model.
        pending_by_model: [models] nodes in flight by model.
    """

    def __init__(self, *, models: int = 1) -> None:
        """A tree that is only a root.

        Args:
            models: how many models there are to choose from, at least 1.

        Raises:
            ValueError: when there is none.
        """
        if models < 1:
            raise ValueError(f"models must be at least 1, got {models}")
        super().__init__()
        self.complete = 0
        self.finished = 0
        self.best_score = 0.0
        self.best_complete = 0.0
        self.by_model: Floats = np.zeros((models, 3))
        self.pending_by_model: Ints = np.zeros(models, dtype=np.int64)
        self._rows(1, parent=-1, depth=0, model=-1, lane=-1)
        self.status[ROOT] = Status.OPEN
        self.leaves[ROOT] = 1

    @property
    def models(self) -> int:
        """How many models there are to choose from."""
        return len(self.pending_by_model)

    def append(
        self,
        parent: int,
        *,
        count: int = 1,
        model: int = 0,
        lane: int | None = None,
        closing: bool = False,
    ) -> Ask:
        """Give new children of a node their rows, in flight.

        Args:
            parent: an open node.
            count: how many children, at least 1.
            model: which model is to make them.
            lane: of which subtree; by default the parent's.
            closing: the last child of all, which may also go on from a closed node.

        Raises:
            ValueError: when the parent is not open, or `count` or `model` is out of range.
        """
        fit = (Status.OPEN, Status.CLOSED) if closing else (Status.OPEN,)
        if not 0 <= parent < self.size or self.status.item(parent) not in fit:
            raise ValueError(f"parent must be an open node, got {parent}")
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        if not 0 <= model < self.models:
            raise ValueError(f"model must be below {self.models}, got {model}")
        depth = self.depth.item(parent) + 1
        lane = self.lane.item(parent) if lane is None else lane
        was_leaf = self._children.item(parent) == 0 and self.status.item(parent) == Status.OPEN
        first = self._rows(count, parent=parent, depth=depth, model=model, lane=lane)
        self._adopt(parent, first, count)
        self.pending[first : first + count] = 1
        self.fresh_pending[parent] += count
        self.pending_by_model[model] += count
        node, closed = parent, int(was_leaf)
        while node >= 0:
            self.pending[node] += count
            self.leaves[node] -= closed
            node = self.parent.item(node)
        return Ask(parent, first, count, model, lane)

    def withdraw(self, ask: Ask, *, keep: int = 0) -> None:
        """Take back the children that were asked for last, all but the first few of them.

        Args:
            ask: the last one that was appended, none of it told.
            keep: how many of its children stay, from 0 to all.

        Raises:
            ValueError: when something was appended or told since, or `keep` is out of range.
        """
        if not 0 <= keep <= ask.count:
            raise ValueError(f"keep must be between 0 and {ask.count}, got {keep}")
        kept = ask.first + keep
        in_flight = (self.status[kept : self.size] == Status.PENDING).all()
        if ask.first + ask.count != self.size or not in_flight:
            raise ValueError(f"only the last ask can be withdrawn, got {ask}")
        count, node = self.size - kept, ask.parent
        self.size = kept
        for column in (self.status, self.visits, self.pending, self.copies):
            column[kept:] = 0
        self.fresh_pending[node] -= count
        self.pending_by_model[ask.model] -= count
        self._children[node] -= count
        opened = int(self._children.item(node) == 0)
        while node >= 0:
            self.pending[node] -= count
            self.leaves[node] += opened
            node = self.parent.item(node)

    def tell(
        self,
        node: int,
        score: float,
        *,
        status: Status = Status.OPEN,
        value: float | None = None,
        same_as: int | None = None,
    ) -> bool:
        """Say what a node in flight scored; whether that was news.

        Args:
            node: its row.
            score: in [0, 1].
            status: what it is now: open, terminal or closed.
            value: what the score is worth to the policy, 0 or more; None: the score itself.
            same_as: the row of an earlier node that it is the same as, or None.

        Raises:
            ValueError: for a row that does not exist, a score that is not in [0, 1], or a status
                that is not one of these.
        """
        if not self._in_flight(node):
            return False
        if status in (Status.PENDING, Status.FAILED):
            raise ValueError(f"status must be open, terminal or closed, got {status.name.lower()}")
        if not 0 <= score <= 1:  # also for NaN
            raise ValueError(f"score must be between 0 and 1, got {score}")
        value = score if value is None else value
        self.status[node], self.score[node], self.value[node] = status, score, value
        if same_as is not None:
            self.copies[same_as] += 1
            self.finished += self.status.item(same_as) == Status.TERMINAL
        if status == Status.TERMINAL:
            self.complete += 1
            self.finished += 1
            self.best_complete = max(self.best_complete, score)
        self.best_score = max(self.best_score, score)
        parent, square = self.parent.item(node), value * value
        self.fresh_visits[parent] += 1
        self.fresh_sum[parent] += value
        self.fresh_squares[parent] += square
        self.by_model[self.model.item(node)] += (1.0, value, square)
        self._landed(node)
        opened = int(status == Status.OPEN)
        self.open_children[parent] += opened
        while node >= 0:
            self.visits[node] += 1
            self.value_sum[node] += value
            self.value_squares[node] += square
            self.leaves[node] += opened
            node = self.parent.item(node)
        return True

    def fail(self, node: int) -> bool:
        """Say that a node in flight came to nothing; whether that was news.

        Raises:
            ValueError: for a row that does not exist.
        """
        if not self._in_flight(node):
            return False
        self.status[node] = Status.FAILED
        self._landed(node)
        return True

    def _in_flight(self, node: int) -> bool:
        if not 0 < node < self.size:
            raise ValueError(f"node must be a row from 1 to {self.size - 1}, got {node}")
        return self.status.item(node) == Status.PENDING

    def _landed(self, node: int) -> None:
        self.pending_by_model[self.model.item(node)] -= 1
        self.fresh_pending[self.parent.item(node)] -= 1
        while node >= 0:
            self.pending[node] -= 1
            node = self.parent.item(node)
