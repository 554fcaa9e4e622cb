"""Three made-up tasks to search: where to go wide, where to go deep, and where it depends.

An answer is a quality in [0, 1], which is its score, and whether refining it helps. Best of N
fresh answers wins on the needle, one long chain of refinements on the hill.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tscale_graph.search.asking import SearchPolicy
from tscale_graph.search.tree import Tree


@dataclass(frozen=True)
class Found:
    """An answer: its score, and whether it gets better by being refined."""

    score: float
    improves: bool


@dataclass(frozen=True)
class Landscape:
    name: str
    fresh: Callable[[random.Random], Found]
    refined: Callable[[Found, random.Random], Found]

    def answer(self, parent: Found | None, rng: random.Random) -> Found:
        return self.fresh(rng) if parent is None else self.refined(parent, rng)


def _clipped(score: float) -> float:
    return min(1.0, max(0.0, score))


def _needle(rng: random.Random) -> Found:
    return Found(rng.betavariate(1, 6), improves=False)


def _worse(parent: Found, rng: random.Random) -> Found:
    return Found(_clipped(parent.score * rng.uniform(0.3, 0.95)), improves=False)


def _foot(rng: random.Random) -> Found:
    return Found(rng.uniform(0.05, 0.25), improves=True)


def _step_up(parent: Found, rng: random.Random) -> Found:
    return Found(_clipped(parent.score + rng.uniform(-0.03, 0.07)), improves=True)


def _either(rng: random.Random) -> Found:
    return Found(rng.betavariate(2, 5), improves=rng.random() < 0.35)


def _if_it_helps(parent: Found, rng: random.Random) -> Found:
    found = _step_up(parent, rng) if parent.improves else _worse(parent, rng)
    return Found(found.score, parent.improves)


LANDSCAPES = (
    Landscape("needle", _needle, _worse),
    Landscape("hill", _foot, _step_up),
    Landscape("mixed", _either, _if_it_helps),
)


def scores_found(
    policy: SearchPolicy, landscape: Landscape, *, expansions: int, batch: int = 1, seed: int
) -> list[float]:
    """The scores that a policy is told, in order; those of a batch all after its last ask."""
    tree, rng = Tree(), np.random.default_rng(seed)
    answers = random.Random(f"{landscape.name}{seed}")
    found: list[Found | None] = [None]
    while tree.size <= expansions:
        asks = policy.ask(tree, min(batch, expansions + 1 - tree.size), rng)
        rows = [node for ask in asks for node in ask.nodes]
        found += [landscape.answer(found[tree.parent[node]], answers) for node in rows]
        for node in rows:
            score = found[node].score
            tree.tell(node, score, value=policy.value(score))
    return [each.score for each in found[1:]]
