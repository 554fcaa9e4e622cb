"""Adaptive branching: at each node, go wider or go deeper (AB-MCTS).

Inoue et al. 2025, arXiv:2503.04412. A node is a complete answer with a score. From the root down,
Thompson sampling decides between a fresh child and one that is there; where it decides for a fresh
one, or where nothing can be gone deeper into, that is what is asked for next.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tscale_graph.search.asking import Ask, Costs
from tscale_graph.search.mixed import MixedModel
from tscale_graph.search.posteriors import Arms, BetaScores, GaussianScores, Posterior
from tscale_graph.search.tree import ROOT, Floats, Status, Tree

Variant = Literal["beta", "gaussian", "mixed"]
VARIANTS: tuple[Variant, ...] = ("beta", "gaussian", "mixed")

FRESH = -1
"""The decision for a new child."""


@dataclass(frozen=True, slots=True)
class AdaptiveBranching:
    """AB-MCTS as a policy: `ask` a tree for what to try next.

    Attributes:
        variant: "beta" and "gaussian" aggregate the scores below a node (AB-MCTS-A); "mixed" fits
            a hierarchical model to a node's children (AB-MCTS-M).
        emphasis: how much more a good score counts than a mediocre one, as a difference of scores:
            a score r is worth r * exp((r - best) / emphasis) of the best one so far, so that what
            may beat the best is looked for rather than what is good on average. And while nothing
            scored above 0, refined answers are expected to do as fresh ones do. None counts
            scores as they are, as the paper does; so does the mixed model.
        cost_weight: how much score an arm must promise more for each doubling of what it costs
            beside the cheapest fresh answer; 0 leaves costs out.
        mixed: the priors of the mixed model.
    """

    variant: Variant = "beta"
    emphasis: float | None = 0.1
    cost_weight: float = 0.05
    mixed: MixedModel = field(default_factory=MixedModel)

    @property
    def weighs_costs(self) -> bool:
        """Unless they have no weight."""
        return self.cost_weight > 0

    def ask(
        self, tree: Tree, k: int, rng: np.random.Generator, *, costs: Costs | None = None
    ) -> list[Ask]:
        """Choose k answers to sample, one after the other, each knowing of those before it.

        Those with the same parent and the same model are one ask: one request may bring them.

        Args:
            tree: what was found so far; the new rows are appended to it, in flight.
            k: how many, at least 1.
            rng: what to draw with.
            costs: what answers cost; None where they all cost the same.
        """
        dear = _relative(costs) if costs is not None and self.weighs_costs else None
        asks: list[Ask] = []
        for _ in range(k):
            node = ROOT
            while (child := self.decide(tree, node, rng, dear=dear)) != FRESH:
                node = child
            model = self._model(tree, node, rng, dear=dear)
            asks.append(tree.append(node, model=model))
        for ask in reversed(asks):
            tree.withdraw(ask)
        counts = Counter((ask.parent, ask.model) for ask in asks)
        return [
            tree.append(parent, count=count, model=model)
            for (parent, model), count in counts.items()
        ]

    def value(self, score: float) -> float:
        """What a score is worth if 1 is the best so far."""
        emphasis = self._emphasis
        return score if emphasis is None else score * math.exp((score - 1.0) / emphasis)

    @property
    def _emphasis(self) -> float | None:
        return None if self.variant == "mixed" else self.emphasis

    def decide(
        self,
        tree: Tree,
        node: int,
        rng: np.random.Generator,
        *,
        dear: tuple[Floats, Floats] | None = None,
    ) -> int:
        """A child to go into, or `FRESH` for a new one.

        Args:
            tree: what was found so far.
            node: an open node of it.
            rng: what to draw with.
            dear: of a fresh and of a refined answer by each model, how much dearer than the
                cheapest it is, in doublings (see `_relative`).
        """
        if tree.open_children.item(node) == 0:
            return FRESH
        # Below the root every answer refines another, and whatever is chosen costs the same.
        doublings = float(dear[1].min() - dear[0].min()) if dear and node == ROOT else 0.0
        if self.variant == "mixed":
            return self._by_mixed_model(tree, node, rng, doublings=doublings)
        return self._by_aggregates(tree, node, rng, doublings=doublings)

    def _by_aggregates(
        self, tree: Tree, node: int, rng: np.random.Generator, *, doublings: float
    ) -> int:
        visits, total = tree.visits.item(node), tree.value_sum.item(node)
        squares, pending = tree.value_squares.item(node), tree.pending.item(node)
        if node != ROOT:
            own = tree.value.item(node)
            visits, total, squares = visits - 1, total - own, squares - own * own
        fresh_visits, fresh_total = tree.fresh_visits.item(node), tree.fresh_sum.item(node)
        fresh_squares, fresh_pending = (
            tree.fresh_squares.item(node),
            tree.fresh_pending.item(node),
        )
        posterior, scale = _POSTERIORS[self.variant], self._scale(tree)
        draw = posterior.draw
        square = scale * scale
        wide = draw(fresh_visits, fresh_total * scale, fresh_squares * square, fresh_pending, rng)
        deep = draw(
            visits - fresh_visits,
            (total - fresh_total) * scale - self._doubt(tree, doublings),
            (squares - fresh_squares) * square,
            pending - fresh_pending,
            rng,
        )
        return (
            FRESH
            if wide + self.cost_weight * doublings > deep
            else self._best_child(tree, node, rng)
        )

    def _doubt(self, tree: Tree, doublings: float) -> float:
        """What is taken off the expected sum of refined answers while nothing scored above 0.

        A verifier that says only pass or fail gives nothing to climb. As long as all have failed,
        one that refines them is expected to do as they did, (1/2) / (n + 1) on average, less by
        what it costs more, and never more than 1/2, as an arm of which nothing is known: half of
        a search would go into finding that out.
        """
        if self.variant != "beta" or self.emphasis is None or tree.best_score > 0:
            return 0.0
        return max(0.0, 0.5 - 0.5 / (tree.visits.item(ROOT) + 1) * 2.0**-doublings)

    def _best_child(self, tree: Tree, node: int, rng: np.random.Generator) -> int:
        into = tree.children(node)
        if tree.open_children.item(node) < into.size:
            into = into[tree.status.take(into) == Status.OPEN]
        if into.size == 1:
            return into.item(0)
        below = Arms(
            tree.visits.take(into),
            tree.value_sum.take(into),
            tree.value_squares.take(into),
            tree.pending.take(into),
        )
        drawn = self._draw(tree, below, rng)
        return into.item(drawn.argmax())

    def _draw(self, tree: Tree, seen: Arms, rng: np.random.Generator) -> Floats:
        """The mean value of each arm, drawn from its posterior, in terms of the best so far."""
        scale = self._scale(tree)
        scaled = Arms(
            seen.counts, seen.totals * scale, seen.squares * (scale * scale), seen.pending
        )
        return _POSTERIORS[self.variant].draw_each(scaled, rng)

    def _scale(self, tree: Tree) -> float:
        """What turns values into terms of the best score so far."""
        emphasis = self._emphasis
        return 1.0 if emphasis is None else math.exp((1.0 - tree.best_score) / emphasis)

    def _by_mixed_model(
        self,
        tree: Tree,
        node: int,
        rng: np.random.Generator,
        *,
        doublings: float,
    ) -> int:
        children = tree.children(node)
        visits = tree.visits.take(children)
        seen = children if visits.all() else children[visits > 0]
        counts: Floats = tree.visits.take(seen).astype(np.float64)
        sums, squares = tree.value_sum.take(seen), tree.value_squares.take(seen)
        if tree.pending.item(node):
            pending, means = tree.pending.take(seen), sums / counts
            counts += pending
            sums += pending * means
            squares += pending * means * means
        fresh, drawn = self.mixed.fit(counts, sums, squares).draw(rng)
        if tree.open_children.item(node) < len(seen):
            drawn[tree.status.take(seen) != Status.OPEN] = -np.inf
        best = drawn.argmax()
        return FRESH if fresh + self.cost_weight * doublings > drawn[best] else seen.item(best)

    def _model(
        self,
        tree: Tree,
        node: int,
        rng: np.random.Generator,
        *,
        dear: tuple[Floats, Floats] | None,
    ) -> int:
        """Which model to ask, by the scores that each has had anywhere in the tree."""
        if tree.models == 1:
            return 0
        counts, totals, squares = tree.by_model.T
        drawn = self._draw(tree, Arms(counts, totals, squares, tree.pending_by_model), rng)
        if dear is not None:
            drawn = drawn - self.cost_weight * (dear[0] if node == ROOT else dear[1])
        return int(drawn.argmax())


_POSTERIORS: dict[Variant, Posterior] = {
    "beta": BetaScores(),
    "gaussian": GaussianScores(),
    "mixed": GaussianScores(mean=0.5),
}
"""Of arms by themselves; the mixed model chooses between models with that of its prior mean."""


def _relative(costs: Costs) -> tuple[Floats, Floats]:
    """How often the cheapest fresh answer's cost doubles to come to each: what to make up for."""
    least = min(costs.fresh)
    return np.log2(np.array(costs.fresh) / least), np.log2(np.array(costs.refined) / least)
