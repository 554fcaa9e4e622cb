"""Upper confidence bounds for trees: go where the mean is high or little is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tscale_graph.search.asking import Ask, Costs
from tscale_graph.search.tree import ROOT, Status, Tree


@dataclass(frozen=True, slots=True)
class UCT:
    """UCT as a policy (Kocsis & Szepesvári 2006; in LATS: Zhou et al. 2024, arXiv:2310.04406).

    From the root to an open leaf, by the largest V(s) + w * sqrt(ln N(parent) / N(s)). V is the
    mean score at and below a node. A node in flight counts as a visit that scored 0 (virtual
    loss), so that the expansions of a batch go different ways. Subtrees without an open leaf
    are passed by. Where nothing open is left, the root is widened: the search starts over, and
    gives up once that has brought nothing new `patience` times.

    Attributes:
        width: how many children an expansion asks for, at least 1.
        exploration: w, 0 or more.
        patience: how often in a row widening the root may come to nothing.
    """

    width: int = 5
    exploration: float = 1.0
    patience: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.exploration < math.inf:
            raise ValueError(f"exploration must be finite and 0 or more, got {self.exploration}")

    @property
    def weighs_costs(self) -> bool:
        """No."""
        return False

    def ask(
        self, tree: Tree, k: int, rng: np.random.Generator, *, costs: Costs | None = None
    ) -> list[Ask]:
        """Choose up to k expansions: as many as there are open leaves; without any, the root.

        Args:
            tree: what was found so far; the new rows are appended to it, in flight.
            k: how many, at least 1.
            rng: not used: nothing here is drawn.
            costs: not used.
        """
        asks: list[Ask] = []
        while len(asks) < k and tree.leaves.item(ROOT) > 0:
            asks.append(tree.append(self.select(tree), count=self.width))
        if not asks and not tree.pending.item(ROOT) and self._may_widen(tree):
            asks.append(tree.append(ROOT, count=self.width))
        return asks

    def _may_widen(self, tree: Tree) -> bool:
        """Whether the last tries from the root have brought anything that was not there."""
        last = tree.children(ROOT)[-self.patience * self.width :]
        barren = (Status.CLOSED, Status.FAILED)
        tried_enough = len(last) == self.patience * self.width
        return not (tried_enough and all(tree.status.item(row) in barren for row in last))

    def value(self, score: float) -> float:
        """The score itself."""
        return score

    def select(self, tree: Tree) -> int:
        """The open leaf to expand next.

        Raises:
            ValueError: when the tree has none.
        """
        if tree.leaves.item(ROOT) == 0:
            raise ValueError("tree must have an open leaf, got one without")
        node = ROOT
        while children := tree.children(node).tolist():
            log_visits = math.log(tree.visits.item(node) + tree.pending.item(node))
            highest = -math.inf
            for child in children:
                if tree.leaves.item(child) == 0:
                    continue
                visits = tree.visits.item(child) + tree.pending.item(child)
                bonus = self.exploration * math.sqrt(log_visits / visits)
                bound = tree.value_sum.item(child) / visits + bonus
                if bound > highest:
                    node, highest = child, bound
        return node
