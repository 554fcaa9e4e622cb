"""The state of a tree search: nodes that are only ever appended, and what is in flight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, field_validator
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import Candidate, Result
from tscale_graph.search.asking import Ask, SearchPolicy
from tscale_graph.search.tree import ROOT, Status, Tree
from tscale_graph.techniques.state import (
    Admission,
    RequestBudget,
    add_notes,
    add_usage,
    either,
    later,
    latest,
    question_of,
    since_admission,
)

Fate = Literal["open", "terminal", "closed", "failed"]
"""What became of a node."""


class Node(BaseModel):
    """A node that came back: what a model added to its parent, and what that is worth.

    Attributes:
        index: its row in the tree, from 1.
        parent: the row above.
        model: which model made it.
        lane: which of several independent subtrees it is in; -1 where there is one.
        candidate: what the model said; `text` is the whole solution so far.
        added: what this node added to its parent's text.
        messages: what it added to the conversation, where the tree is one of conversations.
        snapshot: what the environment was like afterwards, as plain data.
        key: nodes with the same one are the same; "" is like no other.
        complete: it is a whole answer, by what the model did.
        closed: it is not gone on from, whatever it scores.
        same_as: the earlier node that it is the same as, or None.
        action: what its siblings have in common that did the same; "" for nothing.
        agreement: share of its siblings that did the same, in (0, 1].
        prompt_tokens: what a prompt that goes on from here counts at most beyond the first one.
        fate: what became of it, once it was scored.
        score: in [0, 1], or None when it failed.
        note: why it failed, or what the verifier had to say.
        checked: what scoring it cost.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    index: int
    parent: int
    model: int = 0
    lane: int = -1
    candidate: Candidate
    added: str = ""
    messages: list[AnyMessage] = []
    snapshot: Any = None
    key: str = ""
    complete: bool = False
    closed: bool = False
    same_as: int | None = None
    action: str = ""
    agreement: float = 1.0
    prompt_tokens: int = 0
    fate: Fate | None = None
    score: float | None = None
    note: str = ""
    checked: Usage = Usage()

    @property
    def usage(self) -> Usage:
        """What it cost, its scoring included."""
        return self.candidate.usage + self.checked


class Expansion(BaseModel):
    """Children that were asked for, and what they may spend.

    Attributes:
        parent: the node to expand.
        first: the row of the first child.
        count: how many.
        model: which model is asked.
        lane: of which independent subtree.
        lease: what each of them may spend, or all of them together.
        together: they are completions of one request, and share one lease.
        prompt_tokens: what the prompt counts at most.
        granted_by: what tells this grant from all others.
        distrusted: the model went over its limit before, so it is watched.
        at_once: how many of them may be in flight together; None leaves it open.
        closing: not a step but the rest of the answer.
    """

    model_config = ConfigDict(frozen=True)

    parent: int
    first: int
    count: int
    model: int = 0
    lane: int = -1
    lease: Budget
    together: bool = False
    prompt_tokens: int = 0
    granted_by: str = ""
    distrusted: bool = False
    at_once: int | None = None
    closing: bool = False


class ExpandTask(BaseModel):
    """What one `Send` carries: an expansion and all that it needs to know.

    Attributes:
        expansion: what to add, and what it may spend.
        messages: the conversation that the search is about.
        trail: the nodes from below the root to the one to expand.
        reflections: what was learnt from failures so far.
        deadline: when the time is up, or None.
        seed: of the run; each node adds its index to it.
        begun: runs in the place of completions were begun before, and go on.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    expansion: Expansion
    messages: list[AnyMessage]
    trail: list[Node] = []
    reflections: list[str] = []
    deadline: float | None = None
    seed: int | None = None
    begun: bool = False


def add_nodes(
    old: Sequence[Node], writes: Sequence[Sequence[Node | Mapping[str, Any]]]
) -> list[Node]:
    """Append nodes, given as models or as plain dicts."""
    return [*old, *(Node.model_validate(node) for write in writes for node in write)]


def add_returned(
    old: Sequence[Node] | None, new: Sequence[Node | Mapping[str, Any]] | None
) -> list[Node]:
    """Collect the nodes of one round, by index; None starts the next round."""
    if new is None:
        return []
    parsed = [Node.model_validate(node) for node in new]
    by_index = {node.index: node for node in [*(old or ()), *parsed]}
    return [by_index[index] for index in sorted(by_index)]


def add_count(old: int | None, new: int | None) -> int:
    """Add to a count; None starts again."""
    return 0 if new is None else (old or 0) + new


class Working(BaseModel):
    """What a run keeps at hand in this process, and can always be made again from its nodes.

    Nothing of it crosses to another machine, where it is made again.

    Attributes:
        tree: the nodes' statistics.
        by_key: the first node of each key that has a score.
        best_partial: the best-scored node that is no whole answer; the root before there is one.
        best_partial_score: its score.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tree: Tree = Field(exclude=True)
    by_key: dict[str, int] = Field(default_factory=dict, exclude=True)
    best_partial: int = Field(default=ROOT, exclude=True)
    best_partial_score: float = Field(default=-1.0, exclude=True)


class SearchState(TypedDict, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        result: written by the last node.
        admission: what was let in, once it was.
        entropy: what the search draws with.
        nodes: every node that came back and was scored.
        returned: those of the round that is going on.
        wave: the expansions of that round.
        queue: expansions that wait for the next.
        reserved: kept back for the call that completes a partial answer.
        working: statistics of the nodes, kept in this process only.
        spent: what finished rounds cost, and what was learnt from them.
        reflections: what was learnt from failures.
        reflected: how many failures were reflected on.
        remarks: what could not be done, for the result's notes.
        cut_off_by: the limit that ended the search, or None.
        delivery: what tells the last nodes from all others, when they are verified.
        clock: the latest time that any I/O ended.
        separate: a provider did not give several completions for one request.
        distrusted: a model went over its output limit.
        remaining_steps: supersteps that the graph's recursion limit leaves, kept by LangGraph.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    result: Result
    admission: Admission | None
    entropy: int
    nodes: Annotated[list[Node], DeltaChannel(add_nodes)]
    returned: Annotated[list[Node], add_returned]
    wave: list[Expansion]
    queue: list[Ask]
    reserved: Usage
    working: Annotated[Any, UntrackedValue]
    spent: Annotated[Usage, add_usage]
    reflections: Annotated[list[str], add_notes]
    reflected: Annotated[int, add_count]
    remarks: Annotated[list[str], add_notes]
    cut_off_by: Limit | None
    delivery: Annotated[str, latest]
    clock: Annotated[float, later]
    separate: Annotated[bool, either]
    distrusted: Annotated[bool, either]
    remaining_steps: RemainingSteps


class SearchRun(BaseModel):
    """The state as a node sees it, parsed: what crosses machines arrives as plain dicts."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    messages: list[AnyMessage] = []
    admission: Admission | None = None
    entropy: int = 0
    nodes: SkipValidation[list[Node]] = []
    returned: list[Node] = []
    wave: list[Expansion] = []
    queue: list[Ask] = []
    working: Any = None
    reserved: Usage = Usage()
    spent: Usage = Usage()
    reflections: list[str] = []
    reflected: int = 0
    remarks: list[str] = []
    cut_off_by: Limit | None = None
    delivery: str = ""
    clock: float = 0.0
    separate: bool = False
    distrusted: bool = False
    remaining_steps: int | None = None

    @field_validator("nodes", mode="before")
    @classmethod
    def _parsed(cls, nodes: list[Any]) -> list[Node]:
        """They grow, so that nodes of this process are not looked at again one by one."""
        known = not nodes or isinstance(nodes[0], Node)
        return nodes if known else [Node.model_validate(node) for node in nodes]

    @property
    def question(self) -> str:
        """The text of the last human message, else of the last message."""
        return question_of(self.messages)

    @property
    def usage(self) -> Usage:
        """What was spent so far; `seconds` since admission."""
        total = Usage.total([self.spent, *usages(self.returned)])
        return since_admission(total, self.admission, self.clock)

    def node(self, index: int) -> Node:
        """A node by its row in the tree."""
        return self.nodes[index - 1]

    def trail(self, index: int) -> list[Node]:
        """The nodes from below the root to one."""
        found: list[Node] = []
        while index != ROOT:
            found.append(self.node(index))
            index = found[-1].parent
        return found[::-1]

    def at_hand(self, policy: SearchPolicy, *, models: int) -> Working:
        """The statistics of the nodes, made again where another process had them."""
        if isinstance(self.working, Working):
            return self.working
        working = Working(tree=Tree(models=models))
        for node in self.nodes:
            working.tree.append(node.parent, model=node.model, lane=node.lane, closing=True)
            register(working, node, policy)
        for ask in [*self.wave, *self.queue]:
            if ask.first >= working.tree.size:
                working.tree.append(
                    ask.parent, count=ask.count, model=ask.model, lane=ask.lane, closing=True
                )
        return working


def register(working: Working, node: Node, policy: SearchPolicy) -> None:
    """Tell the tree what became of a node."""
    if node.fate is None or node.fate == "failed" or node.score is None:
        working.tree.fail(node.index)
        return
    if node.key:
        working.by_key.setdefault(node.key, node.index)
    value = policy.value(node.score)
    partial = node.same_as is None and not node.complete
    if partial and node.score > working.best_partial_score:
        working.best_partial, working.best_partial_score = node.index, node.score
    status = _STATUS[node.fate]
    working.tree.tell(node.index, node.score, status=status, value=value, same_as=node.same_as)


_STATUS: dict[Fate, Status] = {
    "open": Status.OPEN,
    "terminal": Status.TERMINAL,
    "closed": Status.CLOSED,
}


def has_passed(node: Node) -> bool:
    """Whether a node is a whole answer that the verifier passed."""
    verdict = node.candidate.verdict
    return node.complete and verdict is not None and verdict.passed is True


def usages(nodes: Sequence[Node]) -> list[Usage]:
    """What nodes cost, and their scoring."""
    return [usage for node in nodes for usage in (node.candidate.usage, node.checked)]
