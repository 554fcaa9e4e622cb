"""What a tree search tried: a record of its nodes, and pictures of it.

A `SearchTree` is plain data. It is written as JSON, drawn as Mermaid or DOT, and shown as one
HTML page that needs no network.
"""

from __future__ import annotations

from tscale_graph.search_trees.record import SearchTree, TreeNode

__all__ = ["SearchTree", "TreeNode"]
