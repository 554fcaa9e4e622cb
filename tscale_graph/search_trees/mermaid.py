"""A search tree as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tscale_graph.search_trees.labels import first_words, standing
from tscale_graph.search_trees.trimming import most_visited

if TYPE_CHECKING:
    from tscale_graph.search_trees.record import SearchTree, TreeNode

_LOOKS = (
    "classDef best fill:#ffe08a,stroke:#7a4b00,stroke-width:3px,color:#1a1a1a",
    "classDef failed stroke-dasharray:5 4",
    "classDef left_out fill:none,stroke:none",
)

_SPEAKS = re.compile(r"(?=[\x00-\x7f])[^a-zA-Z0-9 ,+\-=()/'!?]")
_OPENS_A_BLOCK = re.compile(r"\d*([-+=.)])")
_READ_ONCE_MORE = re.compile(r"\$(?=\$)|:(?=fa-)|ﬂ(?=°)|¶(?=ß)")


def to_mermaid(tree: SearchTree, *, max_nodes: int = 200) -> str:
    """The flowchart, top down; see `SearchTree.to_mermaid`."""
    drawn = most_visited(tree, max_nodes)
    lines = ["flowchart TD"]
    lines += [f'    n{index}["{_label(tree.nodes[index])}"]' for index in drawn]
    lines += [f"    {edge}" for edge in _edges(tree, drawn)]
    left_out = len(tree.nodes) - len(drawn)
    if left_out:
        lines.append(f'    left_out["{left_out:,} more {"node" if left_out == 1 else "nodes"}"]')
        lines.append("    n0 -.- left_out")
    lines += [f"    {look}" for look in _LOOKS]
    lines += [f"    {line}" for line in _classes(tree, drawn)]
    if left_out:
        lines.append("    class left_out left_out")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """A line of text for a quoted Mermaid label, where it stands for itself.

    Mermaid reads a label as Markdown first, so that what would begin a list or a link is written
    as a character code too. It looks for formulas, icons and its own notation for codes after
    decoding; a space without width parts those.

    >>> escaped('1. say "hi" <b>')
    '1#46; say #34;hi#34; #60;b#62;'
    """
    parted = _READ_ONCE_MORE.sub(lambda found: found[0] + "\u200b", text)
    opening = _OPENS_A_BLOCK.match(parted)
    at = opening.start(1) if opening else -1
    return "".join(
        f"#{ord(character)};" if place == at or _SPEAKS.match(character) else character
        for place, character in enumerate(parted)
    )


def _label(node: TreeNode) -> str:
    lines = [standing(node), first_words(node.text)]
    return "<br/>".join(escaped(line) for line in lines if line)


def _edges(tree: SearchTree, drawn: list[int]) -> Iterator[str]:
    here = set(drawn)
    best = set(tree.best_path)
    for index in drawn[1:]:
        above = parent = tree.nodes[index].parent
        while above is not None and above not in here:
            above = tree.nodes[above].parent
        arrow = "-.->" if above != parent else "==>" if index in best else "-->"
        yield f"n{above} {arrow} n{index}"


def _classes(tree: SearchTree, drawn: list[int]) -> Iterator[str]:
    here = set(drawn)
    best = [index for index in tree.best_path if index in here]
    failed = [index for index in drawn if tree.nodes[index].status == "failed"]
    for name, members in (("best", best), ("failed", failed)):
        if members:
            yield f"class {','.join(f'n{index}' for index in members)} {name}"
