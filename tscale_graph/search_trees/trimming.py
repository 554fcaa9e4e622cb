"""Which nodes of a tree that is too large to draw are drawn."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tscale_graph.search_trees.record import SearchTree


def most_visited(tree: SearchTree, max_nodes: int) -> list[int]:
    """The indices of the nodes to draw, in order: the best path, then the most visited.

    Every node is drawn below one that is drawn too. Only a best path that is itself too long
    loses its middle.

    Args:
        tree: the tree.
        max_nodes: how many indices there may be, at least 2.

    Raises:
        ValueError: when `max_nodes` is below 2.
    """
    if max_nodes < 2:
        raise ValueError(f"max_nodes must be at least 2, got {max_nodes}")
    if len(tree.nodes) <= max_nodes:
        return list(range(len(tree.nodes)))
    path = tree.best_path or [0]
    if len(path) > max_nodes:
        last = max_nodes // 2
        return path[: max_nodes - last] + path[-last:]
    return _grown(tree, set(path), max_nodes)


def _grown(tree: SearchTree, kept: set[int], max_nodes: int) -> list[int]:
    """`kept` and the most visited of the nodes that hang on it, one after another."""
    below: list[list[int]] = [[] for _ in tree.nodes]
    for node in tree.nodes[1:]:
        if node.parent is not None:
            below[node.parent].append(node.index)
    edge = [
        (-tree.nodes[child].visits, child)
        for index in kept
        for child in below[index]
        if child not in kept
    ]
    heapq.heapify(edge)
    while edge and len(kept) < max_nodes:
        _, index = heapq.heappop(edge)
        kept.add(index)
        for child in below[index]:
            heapq.heappush(edge, (-tree.nodes[child].visits, child))
    return sorted(kept)
