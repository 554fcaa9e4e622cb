"""A search tree in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tscale_graph.search_trees.labels import first_words, standing

if TYPE_CHECKING:
    from tscale_graph.search_trees.record import SearchTree, TreeNode

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;", "\n": "\\n"})


def to_graphviz(tree: SearchTree) -> str:
    """The digraph, top down; see `SearchTree.to_graphviz`."""
    best = set(tree.best_path)
    lines = [
        "digraph search_tree {",
        '    node [shape=box, style=rounded, fontname="Helvetica", fontsize=11]',
        "    edge [arrowsize=0.7]",
    ]
    lines += [f"    {line}" for node in tree.nodes for line in _drawn(node, node.index in best)]
    return "\n".join([*lines, "}"]) + "\n"


def escaped(text: str) -> str:
    r"""A text for a quoted DOT label, where it stands for itself.

    Graphviz reads character references in a label, and words like \N as a node's name.

    >>> print(escaped('say "\\N" & go'))
    say \"\\N\" &amp; go
    """
    return text.translate(_ESCAPES)


def _drawn(node: TreeNode, best: bool) -> Iterator[str]:
    label = "\n".join(line for line in (standing(node), first_words(node.text)) if line)
    looks = [f'label="{escaped(label)}"']
    styles = ["rounded"]
    if node.status == "failed":
        styles.append("dashed")
    if best:
        styles.append("filled")
        looks += ['fillcolor="#ffe08a"', 'color="#7a4b00"', "penwidth=2.5"]
    if len(styles) > 1:
        looks.append(f'style="{",".join(styles)}"')
    yield f"n{node.index} [{', '.join(looks)}]"
    if node.parent is not None:
        yield f"n{node.parent} -> n{node.index}" + (' [color="#7a4b00", penwidth=2.5]' * best)
