"""Searches that go level by level: all partial solutions are one step longer after each round.

Beam search, diverse verifier tree search, REBASE and particle filtering are one loop that differs
only in how many continuations each partial solution gets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tscale_graph.search.asking import Ask, Costs
from tscale_graph.search.tree import ROOT, Status, Tree

Variant = Literal["beam", "dvts", "rebase", "particles"]
VARIANTS: tuple[Variant, ...] = ("beam", "dvts", "rebase", "particles")

_PATIENCE = 4
"""Starts from the root that may bring nothing new before a search gives up."""
_SURE = 1e-6
"""How near to 0 and 1 a score counts, so that its log-odds are finite."""


@dataclass(frozen=True, slots=True)
class LevelByLevel:
    """A policy that expands a whole level at once: `beams * width` continuations.

    A partial solution that scores 0 is a dead end. When all of a level are, and no solution has
    come to a good end, the search goes back: to where the level came from, then to the root.

    Attributes:
        variant: "beam" keeps the best `beams` and gives each `width` continuations; "dvts" keeps
            the best of each of `beams` independent subtrees (Beeching et al. 2024); "rebase"
            shares continuations out by the softmax of scores (Wu et al. 2024,
            arXiv:2408.00724); "particles" resamples partial solutions by their scores (Puri et
            al. 2025, arXiv:2502.01618).
        beams: partial solutions that are kept, at least 1.
        width: continuations of each, at least 1.
        temperature: of REBASE's softmax over scores, or of the particles' over log-odds.
        max_steps: the most steps of a solution, where that is told; None leaves it open.
    """

    variant: Variant = "beam"
    beams: int = 4
    width: int = 4
    temperature: float = 1.0
    max_steps: int | None = None

    @property
    def weighs_costs(self) -> bool:
        """No."""
        return False

    def ask(
        self, tree: Tree, k: int, rng: np.random.Generator, *, costs: Costs | None = None
    ) -> list[Ask]:
        """Expand the last level, when all of it has been told; nothing before that.

        Args:
            tree: what was found so far; the new rows are appended to it, in flight.
            k: not used: a level is asked for as a whole.
            rng: what to resample with.
            costs: not used.
        """
        if tree.pending.item(ROOT):
            return []
        if tree.size == 1:
            return self._first_level(tree)
        level = _last_level(tree)
        if not any(self._goes_on(tree, row) for row in level):
            return self._start_over(tree, level)
        if self.variant == "dvts":
            counts = self._best_of_lanes(tree, level)
        elif self.variant == "beam":
            counts = self._best(tree, level)
        else:
            counts = self._shared_out(tree, level, rng)
        # The best first: the budget may have no room for all.
        counts.sort(key=lambda each: -tree.score.item(each[0]))
        return [tree.append(node, count=count) for node, count in counts if count]

    def value(self, score: float) -> float:
        """The score itself."""
        return score

    def _first_level(self, tree: Tree) -> list[Ask]:
        if self.variant == "dvts":
            lanes = range(self.beams)
            return [tree.append(ROOT, count=self.width, lane=lane) for lane in lanes]
        return [tree.append(ROOT, count=self.beams * self.width)]

    def _goes_on(self, tree: Tree, row: int) -> bool:
        """Whether a partial solution may lead to one: a score of 0 says that it cannot."""
        return tree.status[row] == Status.OPEN and tree.score.item(row) > 0

    def _start_over(self, tree: Tree, level: range) -> list[Ask]:
        """Back to where a level of dead ends came from, a second time at most; else to the root."""
        too_deep = self.max_steps is not None and tree.depth.item(level[0]) >= self.max_steps
        too_deep = too_deep and any(tree.score[row] > 0 for row in level)
        dead_end = any(tree.score[row] == 0 for row in level)  # what failed has no score
        if tree.best_complete > 0 or too_deep or not dead_end:
            return []
        samples = self.beams * self.width
        parents = sorted({tree.parent.item(row) for row in level})
        while parents != [ROOT]:
            again = [
                row
                for row in parents
                if self._goes_on(tree, row) and len(tree.children(row)) < 2 * samples
            ]
            if again:
                each = max(1, samples // len(again))
                return [tree.append(row, count=each) for row in again]
            parents = sorted({tree.parent.item(row) for row in parents if row != ROOT})
        last = level[-_PATIENCE * samples :]  # starts from the root follow each other
        new = any(tree.status[row] in (Status.OPEN, Status.TERMINAL) for row in last)
        return self._first_level(tree) if new or tree.depth[level[0]] > 1 else []

    def _best(self, tree: Tree, level: range) -> list[tuple[int, int]]:
        """The best `beams` of the level; those that are complete need no continuation."""
        scored = [row for row in level if tree.status[row] in (Status.OPEN, Status.TERMINAL)]
        kept = sorted(scored, key=lambda row: -tree.score.item(row))[: self.beams]
        return [(row, self.width) for row in kept if self._goes_on(tree, row)]

    def _best_of_lanes(self, tree: Tree, level: range) -> list[tuple[int, int]]:
        """The best of each subtree; one whose best is complete has come to its end."""
        best: dict[int, int] = {}
        for row in level:
            lane, scored = tree.lane.item(row), tree.status[row] in (Status.OPEN, Status.TERMINAL)
            if scored and (lane not in best or tree.score[row] > tree.score[best[lane]]):
                best[lane] = row
        return [(row, self.width) for row in best.values() if self._goes_on(tree, row)]

    def _shared_out(
        self, tree: Tree, level: range, rng: np.random.Generator
    ) -> list[tuple[int, int]]:
        """Continuations by score; each complete solution takes one of them out.

        As long as all of those score 0 they take none: they were dead ends.
        """
        rows = [row for row in level if self._goes_on(tree, row)]
        scores = [tree.score.item(row) for row in rows]
        left = self.beams * self.width - (tree.finished if tree.best_complete > 0 else 0)
        if self.variant == "rebase":
            counts = rebase_counts(scores, left, temperature=self.temperature)
        else:
            arrived = [1 + tree.copies.item(row) for row in rows]
            counts = particle_counts(scores, arrived, left, temperature=self.temperature, rng=rng)
        return list(zip(rows, counts, strict=True))


def rebase_counts(scores: Sequence[float], budget: int, *, temperature: float) -> list[int]:
    """How many continuations each partial solution gets, best first, out of a budget.

    Of what is left of the budget each takes ceil(left * exp(R/T) / sum of exp(R/T) of itself and
    those after it) (Wu et al. 2024, arXiv:2408.00724; the released code's rounding).

    Args:
        scores: of the partial solutions, in [0, 1].
        budget: continuations to share out; 0 or less gives none.
        temperature: T, above 0; the lower, the more the best one gets.

    >>> rebase_counts([0.9, 0.1], 4, temperature=0.2)
    [4, 0]
    >>> rebase_counts([0.5, 0.5], 4, temperature=0.2)
    [2, 2]
    """
    counts = [0] * len(scores)
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    highest = max(scores, default=0.0)
    weights = [math.exp((scores[place] - highest) / temperature) for place in order]
    # From the small end, so that what is left never vanishes by rounding.
    masses = np.cumsum(weights[::-1])[::-1]
    for place, weight, mass in zip(order, weights, masses, strict=True):
        if budget <= 0:
            break
        counts[place] = min(budget, math.ceil(budget * weight / mass - 1e-9))
        budget -= counts[place]
    return counts


def particle_counts(
    scores: Sequence[float],
    arrived: Sequence[int],
    particles: int,
    *,
    temperature: float,
    rng: np.random.Generator,
) -> list[int]:
    """How many particles go on from each partial solution.

    The weights are the softmax of logit(score)/temperature (Puri et al. 2025,
    arXiv:2502.01618). While their effective number 1/sum(w²) is at least half of the particles, and
    none was lost, each goes on as it is; else they are resampled systematically.

    Args:
        scores: of the partial solutions, in [0, 1].
        arrived: how many particles have arrived at each, at least 1.
        particles: how many go on; 0 or less gives none.
        temperature: above 0.
        rng: what to resample with.
    """
    if not scores or particles <= 0:
        return [0] * len(scores)
    clipped = np.clip(np.asarray(scores, dtype=np.float64), _SURE, 1 - _SURE)
    odds = np.log(clipped / (1 - clipped)) / temperature
    alone = np.exp(odds - odds.max())
    weights = alone * arrived
    total = float(weights.sum())
    effective = total * total / float((alone * weights).sum())
    if sum(arrived) == particles and effective >= particles / 2:
        return list(arrived)
    weights /= total
    places = (rng.random() + np.arange(particles)) / particles
    chosen = np.searchsorted(np.cumsum(weights), places * (1 - 1e-12))
    return np.bincount(np.minimum(chosen, len(scores) - 1), minlength=len(scores)).tolist()


def _last_level(tree: Tree) -> range:
    """The rows of the deepest level: a level is appended as a whole, so they are the last ones."""
    depth = tree.depth.item(tree.size - 1)
    first = tree.size - 1
    while tree.depth.item(first - 1) == depth:
        first -= 1
    return range(first, tree.size)
