"""The record of a tree search: its nodes in the order in which they were made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tscale_graph.budget import Usage
from tscale_graph.search_trees.graphviz import to_graphviz
from tscale_graph.search_trees.mermaid import to_mermaid
from tscale_graph.search_trees.page import to_html

SUFFIXES = (".html", ".json", ".mmd", ".dot", ".gv")
"""What the file of a saved tree can end in."""

Status = Literal["open", "terminal", "failed", "duplicate"]
"""What became of a node.

"open" could be expanded further, "terminal" holds an answer, "failed" was given up, and
"duplicate" says what another node says already.
"""


def _in_whole_characters(text: str) -> str:
    """The text as any file can hold it: models do cut a character in half."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


_Text = Annotated[str, AfterValidator(_in_whole_characters)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class TreeNode(BaseModel):
    """One node of a search.

    Half a character in a text (a lone surrogate) is replaced by U+FFFD, so that a tree can always
    be written.

    Attributes:
        index: its place in the order of making, from 0; 0 is the root, the question itself.
        parent: the index of the node that it continues, always lower; None for the root.
        depth: how many steps it is from the root.
        status: what became of it.
        score: what a verifier or value function said of it, in [0, 1]; None without a word.
        visits: how many scored nodes there are at and below it.
        value: the mean of their scores, in [0, 1]; None when there are none.
        model: the model that made it, or None.
        text: what it added: a reasoning step, a whole answer, or an action and what came of it.
        note: why it failed, or what a verifier answered; "" when there is nothing to say.
        usage: what making it cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(ge=0)
    parent: int | None
    depth: int = Field(ge=0)
    status: Status
    score: _Share | None = None
    visits: int = Field(default=0, ge=0)
    value: _Share | None = None
    model: _Text | None = None
    text: _Text
    note: _Text = ""
    usage: Usage = Usage()


class SearchTree(BaseModel):
    """Every node that a search made, and which of them holds its answer.

    Attributes:
        technique: the technique that searched.
        question: what was asked.
        nodes: all nodes, each at the place of its index; at least the root.
        best: the index of the node of the best answer, or None without one.
        usage: what the search cost, with what belongs to no node (reflections); None: what the
            nodes add up to.

    Raises:
        ValidationError: when an index is out of place, a parent is not before its child, a depth
            is not one more than the parent's, or `best` is no node.

    >>> root = TreeNode(index=0, parent=None, depth=0, status="open", text="2 + 2?")
    >>> four = TreeNode(index=1, parent=0, depth=1, status="terminal", score=1.0, text="4")
    >>> tree = SearchTree(technique="beam", question="2 + 2?", nodes=[root, four], best=1)
    >>> tree.best_path
    [0, 1]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    technique: _Text
    question: _Text
    nodes: list[TreeNode] = Field(min_length=1)
    best: int | None = None
    usage: Usage | None = None

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        for place, node in enumerate(self.nodes):
            self._check(place, node)
        if self.best is not None:
            self._require(self.best, named="best")
        return self

    def path(self, index: int) -> list[int]:
        """The indices from the root to a node, both included.

        Raises:
            ValueError: when there is no such node.
        """
        self._require(index, named="index")
        steps: list[int] = []
        at: int | None = index
        while at is not None:
            steps.append(at)
            at = self.nodes[at].parent
        return steps[::-1]

    @property
    def best_path(self) -> list[int]:
        """The indices from the root to the best answer; empty without one."""
        return [] if self.best is None else self.path(self.best)

    def children(self, index: int) -> list[int]:
        """The indices of the nodes that continue a node, in the order of their making.

        Raises:
            ValueError: when there is no such node.
        """
        self._require(index, named="index")
        return [node.index for node in self.nodes[index + 1 :] if node.parent == index]

    def to_json(self) -> str:
        """All of it as JSON; `from_json` reads it back."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The tree that `to_json` wrote.

        Raises:
            ValidationError: when the text is not such JSON.
        """
        return cls.model_validate_json(text)

    def to_mermaid(self, *, max_nodes: int = 200) -> str:
        """A Mermaid flowchart, best path thick, failed nodes dashed.

        A larger tree loses its least visited nodes, never the best answer; one more node says
        how many are missing. Mermaid itself refuses more than 500 edges or 50,000 characters
        unless `maxEdges` and `maxTextSize` are raised.

        Args:
            max_nodes: how many nodes of the search are drawn, at least 2.

        Raises:
            ValueError: when `max_nodes` is below 2.
        """
        return to_mermaid(self, max_nodes=max_nodes)

    def to_graphviz(self) -> str:
        """The whole tree in DOT, best path thick, failed nodes dashed."""
        return to_graphviz(self)

    def to_html(self) -> str:
        """One page to look through the tree in a browser; it loads nothing from anywhere."""
        return to_html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tree to a file, in the format that its name ends in.

        Args:
            path: ends in .html, .json, .mmd (Mermaid), .dot or .gv (DOT).

        Raises:
            ValueError: when it ends in anything else.
            OSError: when the file cannot be written.
        """
        file = Path(path)
        match file.suffix.lower():
            case ".html":
                written = self.to_html()
            case ".json":
                written = self.to_json()
            case ".mmd":
                written = self.to_mermaid()
            case ".dot" | ".gv":
                written = self.to_graphviz()
            case _:
                raise ValueError(
                    f"path must end in .html, .json, .mmd, .dot or .gv, got {file.name}"
                )
        file.write_text(written, encoding="utf-8", newline="\n")

    def _check(self, place: int, node: TreeNode) -> None:
        if node.index != place:
            raise ValueError(
                f"index of the node at place {place} must be {place}, got {node.index}"
            )
        if place == 0:
            if node.parent is not None:
                raise ValueError(f"parent of node 0 must be None, got {node.parent}")
            depth = 0
        else:
            if node.parent is None or not 0 <= node.parent < place:
                raise ValueError(
                    f"parent of node {place} must be a node before it, got {node.parent}"
                )
            depth = self.nodes[node.parent].depth + 1
        if node.depth != depth:
            raise ValueError(f"depth of node {place} must be {depth}, got {node.depth}")

    def _require(self, index: int, *, named: str) -> None:
        if not 0 <= index < len(self.nodes):
            raise ValueError(f"{named} must be from 0 to {len(self.nodes) - 1}, got {index}")
