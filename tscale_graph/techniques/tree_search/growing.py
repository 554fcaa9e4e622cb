"""What a technique grows: how a node's prompt reads, and what a completion adds to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from langchain_core.messages import BaseMessage

from tscale_graph.candidates import Verdict
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.tree_search.state import ExpandTask, Node


class Growth(ABC):
    """What a search technique has to say for itself; the rest of the loop is shared.

    Attributes:
        complete: every node is a whole answer.
        compares: a node's score depends on its siblings, so that they come in one round.
    """

    complete: ClassVar[bool] = False
    compares: ClassVar[bool] = False

    @abstractmethod
    def prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node], *, reflections: Sequence[str]
    ) -> list[BaseMessage]:
        """What the model is asked, to add a child to the last node of a trail."""

    def closing_prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node]
    ) -> list[BaseMessage]:
        """What it is asked for the rest of an answer, where not every node is one."""
        return self.prompt(messages, trail, reflections=[])

    def stop(self, *, closing: bool) -> list[str] | None:
        """Sequences that end a completion; None: the model ends it."""
        return None

    def output_limit(self, most: int, *, closing: bool) -> int:
        """The most tokens of one completion, of an answer of so many."""
        return most

    def words_bound(self, *, reflections: Sequence[str], closing: bool) -> int:
        """Tokens at most that a prompt has beside those of one without reflections."""
        return 0

    def same_action(self, completion: Completion) -> str:
        """What completions of one prompt have in common that come to the same; "" for nothing."""
        return ""

    @abstractmethod
    async def grow(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """The node that a completion makes. Whatever goes wrong is in what comes back."""

    def lesson(self, node: Node) -> str:
        """What later prompts are told of a node that failed; "" for nothing."""
        return ""

    def judges(self, node: Node) -> bool:
        """Whether the verifier is asked of a node."""
        return True

    @abstractmethod
    def judged_text(self, trail: Sequence[Node]) -> str:
        """What the verifier is shown of the last node of a trail."""

    def score(self, node: Node, verdict: Verdict | None) -> float:
        """What a verdict says of the node, in [0, 1]; without one, what it is worth anyway."""
        return verdict.score if verdict else 0.0

    def ends(self, node: Node, verdict: Verdict) -> bool:
        """Whether a node is a whole answer, by what the verifier said of it."""
        return node.complete
