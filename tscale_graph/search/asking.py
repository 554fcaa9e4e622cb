"""Ask and tell: who decides what to expand is apart from who does the work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from tscale_graph.search.tree import Tree


@dataclass(frozen=True, slots=True)
class Ask:
    """Children that a policy wants: plain numbers, so that it can be kept and sent.

    Attributes:
        parent: the node to expand.
        first: the first of the new rows, which are consecutive.
        count: how many.
        model: which of the models to ask.
        lane: of which independent subtree they are.
    """

    parent: int
    first: int
    count: int
    model: int = 0
    lane: int = -1

    @property
    def nodes(self) -> range:
        """The new rows."""
        return range(self.first, self.first + self.count)

    def split(self, count: int) -> tuple[Ask, Ask | None]:
        """The first so many children, and the rest of them, if there is one."""
        if count >= self.count:
            return self, None
        rest = replace(self, first=self.first + count, count=self.count - count)
        return replace(self, count=count), rest


@dataclass(frozen=True, slots=True)
class Costs:
    """What an answer is expected to cost, by model, in any one unit.

    Attributes:
        fresh: [models] of an answer to the question, each above 0.
        refined: [models] of one that goes on from another.
    """

    fresh: tuple[float, ...]
    refined: tuple[float, ...]


class SearchPolicy(Protocol):
    """Decides what to expand next."""

    @property
    def weighs_costs(self) -> bool:
        """Whether what answers cost makes a difference to it."""
        ...

    def ask(
        self, tree: Tree, k: int, rng: np.random.Generator, *, costs: Costs | None = None
    ) -> list[Ask]:
        """Choose expansions, each knowing of those before it; none when there is nothing left.

        Args:
            tree: what was found so far; the new rows are appended to it, in flight.
            k: how many expansions, at least 1; a policy that goes level by level asks for all
                of a level.
            rng: what to draw with.
            costs: what answers cost, or None where they all cost the same.
        """
        ...

    def value(self, score: float) -> float:
        """What a score in [0, 1] is worth: what the tree adds up; 0 or more."""
        ...
