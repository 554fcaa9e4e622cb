"""`tscale solve --show-tree`: where the tree of a search goes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tscale_graph.candidates import Result
from tscale_graph.search_trees.record import SUFFIXES
from tscale_graph.techniques.named import WITH_TREE


def check_tree_path(asked: argparse.Namespace) -> None:
    """Refuse, before anything is spent, a place that a tree cannot be written to.

    Raises:
        ValueError: for another technique, an unknown suffix or a folder that does not exist.
    """
    if asked.show_tree is None:
        return
    if asked.technique.replace("-", "_") not in WITH_TREE:
        names = ", ".join(name.replace("_", "-") for name in WITH_TREE)
        raise ValueError(f"--show-tree is for --technique {names}")
    path = Path(asked.show_tree)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--show-tree must end in {', '.join(SUFFIXES)}, got {asked.show_tree!r}")
    if not path.parent.is_dir():
        raise ValueError(f"--show-tree: there is no folder {path.parent}")


def save_tree(result: Result, path: str) -> None:
    """Write the tree of a search, in the format that the suffix names.

    Raises:
        OSError: when it cannot be written.
        ValueError: when there is no tree.
    """
    if result.tree is None:
        raise ValueError("the run left no tree to show")
    result.tree.save(path)
    print(f"the tree is in {path}", file=sys.stderr)
