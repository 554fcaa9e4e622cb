"""What a run that thinks first is told, and the words that it puts to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage

from tscale_graph.answers import AnswerKind, pick_answer_kind
from tscale_graph.answers.tool_calls import OrToolCalls
from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.techniques.settings import OnExceeded, with_system
from tscale_graph.techniques.thinking.state import Phase, Way
from tscale_graph.techniques.tree_search.conversation import with_words

AskedWay = Literal["auto", "native", "prefill", "prompt"]
WAYS: tuple[AskedWay, ...] = get_args(AskedWay)

THINK = (
    "Think this through before you answer. Write down your reasoning only, and not the answer "
    "itself. When you are done, write {close}"
)
GO_ON = (
    "\n\nThis is your reasoning so far:\n\n{thought}\n\n"
    "Go on from there. Do not repeat what is there."
)
ANSWER = (
    "This is your reasoning:\n\n{thought}\n\n"
    "Give the answer now, in the form that was asked for. Do not reason any more."
)
FINAL = "Final answer:"
"""Keeps a model whose thought was cut from going on with it (s1's `Final Answer:`)."""


@dataclass(frozen=True)
class ThinkingSettings:
    """How a model thinks, and how its answer is read.

    Attributes:
        endpoint: the model.
        ways: how it is asked to think, the next where a provider refuses the one before.
        remark: what is to be said of these ways, or "".
        thinking_tokens: the most tokens of thought.
        min_thinking_tokens: the fewest, where the model stops before.
        wait: what it is told to go on with.
        markers: what begins and what ends a thought.
        max_output_tokens: the most tokens of the answer.
        temperature: sampling temperature; None leaves the model's own.
        system: a system prompt put before the conversation, or None.
        seed: makes runs repeatable with providers that take a seed; None does not.
        budget: for requests that bring none, or None.
        kind: how the answer is read; None is decided from the question and the answer.
        on_exceeded: "raise" or "return" when the budget ends before there is an answer.
    """

    endpoint: Endpoint
    ways: tuple[Way, ...]
    remark: str
    thinking_tokens: int
    min_thinking_tokens: int
    wait: str
    markers: tuple[str, str]
    max_output_tokens: int
    temperature: float | None
    system: str | None
    seed: int | None
    budget: Budget | None
    kind: AnswerKind | None
    on_exceeded: OnExceeded

    @property
    def answer_tokens(self) -> int:
        """The most tokens of the answer, the user's own limit on the model considered."""
        own = self.endpoint.own_output_limit
        return min(self.max_output_tokens, own or self.max_output_tokens)

    def kind_for(self, question: str, text: str) -> AnswerKind:
        """How to read the answer: as the user said, or as the question suggests."""
        return OrToolCalls(self.kind or pick_answer_kind(question, [text] if text else []))

    def conversation(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the model gets it."""
        return with_system(self.system, messages)

    def begun(self, thought: str, cue: str) -> str:
        """A thought with what the model is to go on with."""
        return f"{thought.rstrip()}\n\n{cue}" if cue else thought

    def to_think(
        self, messages: Sequence[BaseMessage], *, way: Way, thought: str
    ) -> list[BaseMessage]:
        """The prompt for a thought, or for what comes after the beginning of one."""
        asked, (opening, close) = self.conversation(messages), self.markers
        if way == "native":
            return asked
        if way == "prefill":
            # Claude refuses a message of its own that ends with white space.
            return [*asked, AIMessage(opening + thought.rstrip())]
        further = GO_ON.format(thought=thought.strip()) if thought else ""
        return with_words(asked, THINK.format(close=close) + further)

    def to_answer(
        self, messages: Sequence[BaseMessage], *, way: Way, thought: str, cut: bool
    ) -> list[BaseMessage]:
        """The prompt for the answer, after a thought.

        Args:
            messages: the conversation.
            way: how the model was asked to think.
            thought: what it thought; "" for nothing that could be shown.
            cut: it had not come to its end.
        """
        asked, (opening, close) = self.conversation(messages), self.markers
        if not thought.strip():
            return asked
        if way == "prefill":
            ending = f"\n\n{FINAL}" if cut else ""
            return [*asked, AIMessage(f"{opening}{thought.rstrip()}\n{close}{ending}")]
        return with_words(asked, ANSWER.format(thought=thought.strip()))

    @property
    def seam_bound(self) -> int:
        """The most tokens where a thought goes on with what it is told to."""
        return self.endpoint.counter.text_bound(self.begun(" ", self.wait))

    def words_bound(self, phase: Phase, way: Way) -> int:
        """The most tokens that a prompt has beyond the conversation and the thought."""
        if phase == "think":
            told = {"native": (), "prefill": (), "prompt": (THINK, GO_ON)}[way]
            told = (*told, self.wait)
        else:
            told = {"native": (ANSWER,), "prefill": (FINAL,), "prompt": (ANSWER,)}[way]
        words = (*told, *self.markers)
        return _TEMPLATE_TOKENS + sum(self.endpoint.counter.text_bound(word) for word in words)


_TEMPLATE_TOKENS = 24
"""More than a template adds to another message, and white space to words."""
