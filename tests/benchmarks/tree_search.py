"""How long a search tree takes to decide, beside treequest's steps on the same tree.

    python -m tests.benchmarks.tree_search

The trees are those that each policy grows itself on the made-up landscapes of tests/search. Printed
are the medians of an ask (withdrawn again, so that the tree stays as it is) and of a tell, for
trees of 1,000 and 10,000 nodes, in microseconds and as the share of a step of treequest's
ABMCTSA, ask and tell in place, at 1,000 nodes. All is measured twice, for machines are noisy, and
the better one counts. Exits with 1 when an ask at 1,000 nodes misses its target; how it grows
is only shown, for trees are as wide as luck makes them and a decision is linear in children.
"""

import copy
import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np

from tests.search.landscapes import LANDSCAPES, Landscape
from tscale_graph.search.adaptive import AdaptiveBranching
from tscale_graph.search.asking import SearchPolicy
from tscale_graph.search.tree import Tree
from tscale_graph.search.uct import UCT

SMALL, LARGE = 1_000, 10_000
TIMES = 300
SEEDS = (0, 1, 2)
POLICIES: dict[str, tuple[SearchPolicy, float]] = {
    "beta": (AdaptiveBranching("beta"), 100.0),
    "gaussian": (AdaptiveBranching("gaussian"), 100.0),
    "mixed": (AdaptiveBranching("mixed"), 500.0),
    "UCT": (UCT(width=5), 100.0),
}
"""With the most microseconds that an ask should take at 1,000 nodes."""
GROWTH = 1.5
"""How much longer an ask should take at 10,000 nodes at most."""


@dataclass(frozen=True)
class Took:
    """Microseconds: the median over the seeds of the medians of each tree."""

    ask: float
    tell: float


@dataclass(frozen=True)
class Measured:
    """A policy on a landscape, and what it should take; the peer where it is installed."""

    policy: str
    landscape: str
    small: Took
    large: Took
    target: float
    peer: float | None

    def __str__(self) -> str:
        missed = (" MISSED" if self.slow else "") + (" GROWS" if self.grows else "")
        beside = "" if self.peer is None else f", {self.small.ask / self.peer:.3f} of treequest's"
        return (
            f"{self.policy} on {self.landscape}: ask {self.small.ask:.0f} us at {SMALL:,} nodes "
            f"(target {self.target:.0f}{beside}), {self.large.ask:.0f} us at {LARGE:,}, "
            f"{self.growth:.2f} times (target {GROWTH}); tell {self.small.tell:.0f} us and "
            f"{self.large.tell:.0f} us{missed}"
        )

    @property
    def growth(self) -> float:
        """How many times as long an ask takes in the large tree."""
        return self.large.ask / self.small.ask

    @property
    def slow(self) -> bool:
        """Whether an ask of the small tree takes longer than it should."""
        return self.small.ask > self.target

    @property
    def grows(self) -> bool:
        """Whether an ask of the large tree takes longer than it should beside the small one."""
        return self.growth > GROWTH

    def better(self, again: "Measured") -> "Measured":
        """The lesser of each time of two measurements."""
        small, large = (
            Took(min(one.ask, two.ask), min(one.tell, two.tell))
            for one, two in ((self.small, again.small), (self.large, again.large))
        )
        return replace(self, small=small, large=large)


class Grown:
    """A tree that a policy grows on a landscape."""

    def __init__(self, policy: SearchPolicy, landscape: Landscape, seed: int) -> None:
        self.policy, self.landscape = policy, landscape
        self.tree, self.rng = Tree(), np.random.default_rng(seed)
        self.answers, self.found = random.Random(seed), [None]
        self.tells: list[float] = []

    def until(self, size: int) -> "Grown":
        """Go on until there are so many nodes."""
        tree = self.tree
        while tree.size < size:
            for ask in self.policy.ask(tree, 1, self.rng):
                for node in ask.nodes:
                    self.found.append(self.landscape.answer(self.found[ask.parent], self.answers))
                    score = self.found[node].score
                    value = self.policy.value(score)
                    started = time.perf_counter()
                    tree.tell(node, score, value=value)
                    self.tells.append(time.perf_counter() - started)
        return self

    def took(self) -> Took:
        """The median of an ask of the tree as it is now, and of its last tells."""
        asks = []
        for _ in range(TIMES):
            started = time.perf_counter()
            (ask,) = self.policy.ask(self.tree, 1, self.rng)
            asks.append(time.perf_counter() - started)
            self.tree.withdraw(ask)
        tells = self.tells[-TIMES:]
        return Took(statistics.median(asks) * 1e6, statistics.median(tells) * 1e6)


def over_seeds(trees: list[Grown]) -> Took:
    took = [each.took() for each in trees]
    return Took(
        statistics.median(each.ask for each in took), statistics.median(each.tell for each in took)
    )


def treequest_step(landscape: Landscape, distribution: str) -> float | None:
    """The median microseconds of a step of treequest's at 1,000 nodes; None if it is missing."""
    if find_spec("treequest") is None:
        return None
    import treequest

    answers = random.Random(0)
    algorithm = treequest.ABMCTSA(dist_type=distribution)
    state, took = algorithm.init_tree(), []
    generate = {"answer": lambda parent: (found := landscape.answer(parent, answers), found.score)}
    for _ in range(SMALL):
        started = time.perf_counter()
        state = algorithm.step(state, generate, inplace=True)
        took.append(time.perf_counter() - started)
    return statistics.median(took[-100:]) * 1e6


def measure() -> Iterator[Measured]:
    """Every policy on every landscape."""
    for landscape in LANDSCAPES:
        peers = {kind: treequest_step(landscape, kind) for kind in ("beta", "gaussian")}
        for name, (policy, target) in POLICIES.items():
            grown = [Grown(policy, landscape, seed).until(SMALL) for seed in SEEDS]
            smaller = [copy.deepcopy(each) for each in grown]
            larger = [each.until(LARGE) for each in grown]
            peer = peers.get(name, peers["gaussian"])
            first, again = (
                Measured(
                    name, landscape.name, over_seeds(smaller), over_seeds(larger), target, peer
                )
                for _ in range(2)
            )
            yield first.better(again)


def main() -> int:
    """Print each with its targets; the exit status."""
    missed = 0
    for each in measure():
        print(each, flush=True)
        missed += each.slow
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
