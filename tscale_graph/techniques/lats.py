"""LATS: the turns of an agent as a tree, with values, backtracking and reflections."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.budget import Budget
from tscale_graph.candidates import Verdict
from tscale_graph.models.endpoint import chat_endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.replies import Completion
from tscale_graph.search.uct import UCT
from tscale_graph.techniques.checking import short_key
from tscale_graph.techniques.environments import Actor, Environment, actor
from tscale_graph.techniques.settings import Answer, OnExceeded, check_count, check_number
from tscale_graph.techniques.state import question_of
from tscale_graph.techniques.tree_search.conversation import conversation, with_words
from tscale_graph.techniques.tree_search.expanding import bare_node, failed
from tscale_graph.techniques.tree_search.growing import Growth
from tscale_graph.techniques.tree_search.loop import search_loop
from tscale_graph.techniques.tree_search.settings import search_settings
from tscale_graph.techniques.tree_search.state import ExpandTask, Node
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer
from tscale_graph.verifiers.judges import judge
from tscale_graph.votes import Selection

RUBRIC = (
    "The answer may be an attempt that is not finished yet: turns of an agent with its tool calls "
    "and what they brought. Score how likely the attempt is to lead to a correct and complete "
    "answer, or, where it has come to an answer, whether that is correct and complete."
)
"""What a model is told that judges attempts."""
LEARNT = "Earlier attempts at this did not pass. What was learnt from them:\n{reflections}"
"""How reflections are shown to later attempts."""
ANSWER_NOW = "Give your final answer now, without using any tool."
"""What a model is told when the budget has no room for more turns."""
_PER_MESSAGE = 16
"""More tokens than a chat template adds to a message."""
_LESSON_CHARACTERS = 200
_UNKNOWN = 0.5
"""The value of an attempt of which nothing is known."""


def lats(
    model: str | Runnable[Any, Any],
    *,
    tools: Sequence[BaseTool | type[BaseModel] | Callable[..., Any]] = (),
    value: Verifier | str | None = None,
    environment: Environment | Callable[[], Environment] | None = None,
    width: int = 5,
    max_depth: int = 8,
    max_nodes: int = 100,
    exploration: float = 1.0,
    value_weight: float = 0.5,
    reflections: int = 4,
    batch: int = 1,
    select: str | Selection = "max",
    answer: Answer = "auto",
    temperature: float | None = 1.0,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that searches over the turns of an agent.

    Language agent tree search (Zhou et al. 2024, arXiv:2310.04406). Each node is a turn: what the
    model said, the tools it called, what they brought. UCT selects the attempt to go on with,
    `width` different turns are sampled and run, each from the state that its attempt had
    reached; a new turn's value is the mean of a value function's score and of how many of its
    siblings did the same (of a final answer, the score alone), and is backed up along its attempt
    in place of a rollout. Attempts that came to an answer that did not pass are reflected on, and
    later turns are told, as they are of tool calls that failed. A tool that interrupts the run
    fails its turn. Where no attempt is left to go on with, the search starts over. It ends when an
    answer has passed. Where the budget ends before there is an answer, the best attempt is asked
    for one, in a call that was reserved for it. Input: `messages` and `budget`. Output: `messages`
    with the answer appended, and `result`, whose `tree` shows what was searched.

    Args:
        model: a chat model that calls tools, "local", or "provider:model".
        tools: LangChain tools, functions, or pydantic classes: schemas of what only the
            environment can do. A tool whose metadata says {"side_effects": True} needs one, too.
        value: scores attempts. None: the model itself, as a judge. A judge or reward model (or
            anything with a true `judges_partial`) sees the whole attempt, finished or not;
            any other verifier sees final answers only, as the question and an answer.
        environment: what the tools act on, if it has to go back when the search does: a class
            or function that makes one with `snapshot`, `restore` and `step`.
        width: turns that are sampled from one node, at least 1.
        max_depth: the most turns of one attempt, at least 1.
        max_nodes: the most turns of all attempts, at least 1; the call for an answer that ends
            a search without one comes on top.
        exploration: the weight of UCT's bonus, 0 or more.
        value_weight: of the value function, in [0, 1]; the rest is that of agreement.
        reflections: the most failures that are reflected on; 0 tells later turns nothing.
        batch: nodes that are expanded side by side in one round, at least 1.
        select: how the answer is chosen among final ones: "max", or another selection.
        answer: how to read answers; "auto" first asks what the value function wants.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one turn, at least 1.
        max_parallel: the most calls in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built; for a tool that is
            declared to have side effects where there is no environment.
        ImportError: when the model or value function needs a package that is not installed.
    """
    for name, count, least in (
        ("width", width, 1),
        ("max_depth", max_depth, 1),
        ("reflections", reflections, 0),
    ):
        check_count(name, count, at_least=least)
    check_number("exploration", exploration, at_least=0)
    if not 0 <= value_weight <= 1:
        raise ValueError(f"value_weight must be between 0 and 1, got {value_weight}")
    acting, loaded = actor(tools, environment), load_model(model)
    chat_endpoint(loaded, technique="lats")
    scorer = judge(loaded, rubric=RUBRIC, pass_at=1.0) if value is None else check_verifier(value)
    prefers = preferred_answer(scorer)
    settings = search_settings(
        [_with_tools(loaded, acting)],
        policy=UCT(width, exploration),
        growth=Turns(
            acting=acting,
            max_depth=max_depth,
            value_weight=value_weight,
            whole_attempts=bool(getattr(scorer, "judges_partial", False)),
            kind=answer_kind(prefers if answer == "auto" else answer),
        ),
        verifier=scorer,
        max_nodes=max_nodes,
        batch=batch,
        select=select,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
        reflects=reflections,
    )
    return search_loop(settings, technique="lats")


def _with_tools(model: Runnable[Any, Any], acting: Actor) -> Runnable[Any, Any]:
    if not acting.offered:
        return model
    bind: Any = getattr(model, "bind_tools", None)
    if bind is None:
        raise ValueError(f"model must be able to call tools, got {type(model).__name__}")
    try:
        return bind(acting.offered)
    except NotImplementedError:
        name = type(model).__name__
        raise ValueError(f"model must be able to call tools, and {name} is not") from None


@dataclass(frozen=True)
class Turns(Growth):
    """Every node is one more turn of an agent.

    Attributes:
        acting: runs the tools.
        max_depth: the most turns of one attempt.
        value_weight: of the value function beside agreement.
        whole_attempts: the value function is shown whole attempts, finished or not.
        kind: how final answers are read; None is decided from the question and the answer.
    """

    compares: ClassVar[bool] = True

    acting: Actor
    max_depth: int
    value_weight: float
    whole_attempts: bool
    kind: AnswerKind | None

    def prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node], *, reflections: Sequence[str]
    ) -> list[BaseMessage]:
        """The conversation, what was learnt from failures, and the attempt so far."""
        told = with_words(messages, _learnt(reflections)) if reflections else messages
        return conversation(told, trail)

    def closing_prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node]
    ) -> list[BaseMessage]:
        """The attempt so far, and the demand for an answer."""
        return with_words(conversation(messages, trail), ANSWER_NOW)

    def words_bound(self, *, reflections: Sequence[str], closing: bool) -> int:
        """What was learnt, by its bytes; or the demand for an answer."""
        told = ANSWER_NOW if closing else _learnt(reflections) if reflections else ""
        return len(told.encode()) + _PER_MESSAGE if told else 0

    def same_action(self, completion: Completion) -> str:
        """What the model does, however it words it; text without a call is itself."""
        if completion.error is not None:
            return ""
        calls = [[call["name"], call["args"]] for call in completion.tool_calls]
        return json.dumps(calls or completion.text.strip(), sort_keys=True, default=str)

    async def grow(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """Run the tools that a turn calls; a turn without any is the final answer."""
        node = bare_node(task.expansion, completion, index)
        calls: Any = list(completion.tool_calls)
        said = AIMessage(completion.text, tool_calls=[] if task.expansion.closing else calls)
        if task.expansion.closing or not calls:
            unread = completion.tool_text != "" and not calls
            if unread and not task.expansion.closing:
                return failed(node, "the model's tool call could not be read")
            if not completion.text.strip():
                return failed(node, "the model gave no action")
            action = self.same_action(completion)
            kind = self.kind or pick_answer_kind(question_of(task.messages), [completion.text])
            read = kind.extract(completion.text, truncated=completion.truncated)
            if read is None and completion.truncated and not task.expansion.closing:
                return failed(node, "the model's turn was cut short")
            return node.model_copy(
                update={
                    "candidate": node.candidate.model_copy(update={"answer": read}),
                    "messages": [said],
                    "added": completion.text,
                    "complete": True,
                    "key": short_key(f"{task.expansion.parent} answers {action}"),
                }
            )
        before = task.trail[-1].snapshot if task.trail else None
        try:
            acted = await self.acting.act(
                calls, snapshot=before, first=not task.trail, deadline=task.deadline
            )
        except TimeoutError:
            cut = node.candidate.model_copy(update={"cut_off_by": "seconds"})
            late = node.model_copy(update={"candidate": cut})
            return failed(late, "the deadline came before the tools were done")
        observed = [str(message.text) for message in acted.messages]
        action = self.same_action(completion)
        done = short_key(json.dumps([action, observed, acted.snapshot], sort_keys=True))
        grown = node.model_copy(
            update={
                "messages": [said, *acted.messages],
                "added": _shown(completion.text, calls, observed),
                "snapshot": acted.snapshot,
                "closed": len(task.trail) + 1 >= self.max_depth,
            }
        )
        for earlier in task.trail:
            # The same action with the same outcome in the same state leads nowhere new.
            if earlier.key.partition(" does ")[2] == done:
                return failed(grown, f"the same as node {earlier.index}, which it goes on from")
        return grown.model_copy(update={"key": f"{task.expansion.parent} does {done}"})

    def lesson(self, node: Node) -> str:
        """Which tool call failed, and how."""
        called = node.candidate.tool_calls
        if not called or node.messages or node.candidate.error or node.candidate.cut_off_by:
            return ""
        done = ", ".join(
            f"{call['name']}({json.dumps(call['args'], default=str)})" for call in called
        )
        return f"{done[:_LESSON_CHARACTERS]} failed: {node.note[:_LESSON_CHARACTERS]}"

    def judges(self, node: Node) -> bool:
        """Whether the value function is asked of a node: some know final answers only."""
        return self.whole_attempts or node.complete

    def judged_text(self, trail: Sequence[Node]) -> str:
        """The attempt, or its final answer for a value function that knows no other."""
        last = trail[-1]
        if self.whole_attempts:
            return "\n\n".join(node.added for node in trail)
        return last.candidate.text if last.candidate.answer is None else last.candidate.answer

    def score(self, node: Node, verdict: Verdict | None) -> float:
        """The mean of value and agreement; of a final answer, the value."""
        value = _UNKNOWN if verdict is None else verdict.score
        if node.complete:
            return value
        return self.value_weight * value + (1 - self.value_weight) * node.agreement


def _learnt(reflections: Sequence[str]) -> str:
    return LEARNT.format(reflections="\n".join(f"- {one}" for one in reflections))


def _shown(text: str, calls: Sequence[ToolCall], observed: Sequence[str]) -> str:
    """A turn in words."""
    lines = [text] if text.strip() else []
    for call, brought in zip(calls, observed, strict=True):
        lines += [f"{call['name']}({json.dumps(call['args'], default=str)})", f"→ {brought}"]
    return "\n".join(lines)
