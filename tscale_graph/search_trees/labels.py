"""The few words that stand in a node of a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tscale_graph.search_trees.record import TreeNode

_READ = 2_000
"""Characters of a text that are looked at for its first words; more can be white space only."""


def standing(node: TreeNode) -> str:
    """How a node fared: its score, its visits, and what became of it unless it is open.

    Without a score the mean at and below it, with a tilde. "" for an open node of which nobody
    said anything.
    """
    said: list[str] = []
    if node.score is not None:
        said.append(f"{node.score:.2f}")
    elif node.value is not None:
        said.append(f"~{node.value:.2f}")
    if node.visits:
        said.append("1 visit" if node.visits == 1 else f"{node.visits:,} visits")
    if node.status != "open":
        said.append(node.status)
    return " · ".join(said)


def first_words(text: str, *, width: int = 60) -> str:
    r"""The start of a text on one line, without anything that cannot be printed.

    Args:
        text: any text.
        width: how many characters it may have, the ellipsis included.

    >>> first_words("  13 - 7 = 6\n(left: 6 9)", width=14)
    '13 - 7 = 6 (l…'
    """
    words = " ".join(text[:_READ].split())
    printable = "".join(character for character in words if character.isprintable()).strip()
    if not printable:
        return "no text"
    if len(printable) <= width and len(text) <= _READ:
        return printable
    return printable[: width - 1].rstrip() + "…"
