"""Beam search over reasoning steps, and its relatives: DVTS, REBASE and particle filtering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.answers.marked import marked_answers
from tscale_graph.budget import Budget
from tscale_graph.candidates import Verdict
from tscale_graph.models.endpoint import chat_endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.replies import Completion
from tscale_graph.search.levels import VARIANTS, LevelByLevel, Variant
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.techniques.checking import short_key
from tscale_graph.techniques.settings import Answer, OnExceeded, check_count, check_number
from tscale_graph.techniques.tree_search.conversation import (
    CONTINUATIONS,
    REST,
    Continuation,
    going_on,
    prefills,
    what_came_new,
)
from tscale_graph.techniques.tree_search.expanding import bare_node, failed
from tscale_graph.techniques.tree_search.growing import Growth
from tscale_graph.techniques.tree_search.loop import search_loop
from tscale_graph.techniques.tree_search.settings import search_settings
from tscale_graph.techniques.tree_search.state import ExpandTask, Node
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer
from tscale_graph.verifiers.process.aggregates import AGGREGATES, Aggregate, check_aggregate
from tscale_graph.votes import Selection

LEAST_TEMPERATURE = 1e-3
"""Of scores: as good as always the best one."""
_ATTEMPTS = 4
"""How often a search may come to nothing and go back, if it is not told."""
_TEMPERATURES: dict[Variant, float] = {"beam": 1.0, "dvts": 1.0, "rebase": 0.2, "particles": 1.0}

NEXT_STEP = (
    "This is the solution so far:\n\n{so_far}\n\n"
    "Continue it with the next step only. Do not repeat what is there, and do not comment on it."
)
"""What a model is told that does not go on from an assistant message."""


def beam_search(
    model: str | Runnable[Any, Any],
    scorer: Verifier | str,
    *,
    beams: int = 4,
    width: int = 4,
    variant: Variant = "beam",
    steps: str | StepSplitter | None = None,
    max_steps: int = 24,
    step_tokens: int = 256,
    aggregate: Aggregate | None = None,
    score_temperature: float | None = None,
    continuation: Continuation = "auto",
    max_nodes: int | None = None,
    select: str | Selection = "weighted",
    answer: Answer = "auto",
    temperature: float | None = 0.8,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that builds answers step by step, and goes on from the steps that score best.

    All partial solutions grow by one step a round; `beams * width` steps are sampled, scored, and
    some are gone on from (`LevelByLevel` says how many of each). The search ends when an answer
    passes, when every solution has come to its end, or after `max_steps`. A step that scores 0 is a
    dead end: where nothing else is left, the search goes back and tries again. Where the budget
    ends before there is a whole answer, the best partial one is completed in one call that was
    reserved for it. Input: `messages` and `budget`. Output: `messages` with the answer appended,
    and `result`, whose `tree` shows what was searched.

    Args:
        model: a chat model, "local", or "provider:model".
        scorer: a verifier that gives `step_scores` (a process reward model, "countdown"), or one
            that scores a partial solution as a whole, such as a judge. It is shown the solution
            so far, as text.
        beams: partial solutions that are kept, at least 1.
        width: continuations of each, at least 1.
        variant: "beam", "dvts", "rebase" or "particles".
        steps: where a step ends: "paragraph", "line", "sentence", "delimiter:…". None is as the
            scorer cuts solutions, where it does, else "paragraph".
        max_steps: the most steps of one solution, at least 1.
        step_tokens: the most tokens of one step, at least 1.
        aggregate: how step scores become one: "last", "min", "prod" or "mean". None is the
            scorer's own, where it has one, else "last".
        score_temperature: of "rebase" (0.2 if None) and "particles" (1).
        continuation: "prefill" ends the prompt with the solution so far as an assistant
            message; "prompt" asks for the next step in words; "auto" does what the model is known
            for.
        max_nodes: the most steps of all solutions; None: 4 * beams * width * max_steps.
        select: how the answer is chosen among whole ones, by scores.
        answer: how to read answers; "auto" first asks what the scorer wants.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of a solution that is completed in one call.
        max_parallel: the most calls in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model or scorer needs a package that is not installed.
    """
    for name, value in (
        ("beams", beams),
        ("width", width),
        ("max_steps", max_steps),
        ("step_tokens", step_tokens),
    ):
        check_count(name, value, at_least=1)
    for name, value, known in (
        ("variant", variant, VARIANTS),
        ("continuation", continuation, CONTINUATIONS),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    if score_temperature is not None:
        check_number("score_temperature", score_temperature, at_least=LEAST_TEMPERATURE)
    loaded, checked = load_model(model), check_verifier(scorer)
    asked = chat_endpoint(loaded, technique="beam_search")
    prefers = preferred_answer(checked)
    splitter = steps or getattr(checked, "splitter", None) or "paragraph"
    settings = search_settings(
        [loaded],
        policy=LevelByLevel(
            variant, beams, width, score_temperature or _TEMPERATURES[variant], max_steps
        ),
        growth=Steps(
            splitter=step_splitter(splitter),
            prefill=prefills(asked, continuation),
            max_steps=max_steps,
            step_tokens=step_tokens,
            aggregate=check_aggregate(aggregate or getattr(checked, "aggregate", "last")),
            judged=None if prefers in ("auto", "text") else answer_kind(prefers),
        ),
        verifier=checked,
        max_nodes=_ATTEMPTS * beams * width * max_steps if max_nodes is None else max_nodes,
        select=select,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    return search_loop(settings, technique="beam_search")


@dataclass(frozen=True)
class Steps(Growth):
    """Every node is one more step of a solution.

    Attributes:
        splitter: where a step ends.
        prefill: the prompt ends with the solution so far, as an assistant message.
        max_steps: the most steps of one solution.
        step_tokens: the most tokens of one step.
        aggregate: how step scores become one.
        judged: what the scorer is shown of a solution; None: all of it.
    """

    splitter: StepSplitter
    prefill: bool
    max_steps: int
    step_tokens: int
    aggregate: Aggregate
    judged: AnswerKind | None

    def prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node], *, reflections: Sequence[str]
    ) -> list[BaseMessage]:
        """The question, and the solution so far to go on from."""
        return self._continued(messages, trail, NEXT_STEP)

    def closing_prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node]
    ) -> list[BaseMessage]:
        """The same, for all that is missing."""
        return self._continued(messages, trail, REST)

    def _continued(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node], words: str
    ) -> list[BaseMessage]:
        return going_on(messages, _so_far(trail), prefill=self.prefill, words=words)

    def stop(self, *, closing: bool) -> list[str] | None:
        """What ends a step, where a provider can look for it."""
        return None if closing else self.splitter.stop

    def output_limit(self, most: int, *, closing: bool) -> int:
        """That of a step, or of all the rest."""
        return most if closing else min(most, self.step_tokens)

    async def grow(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """The step that a completion begins with; one that says nothing has ended the solution."""
        node = bare_node(task.expansion, completion, index)
        trail, so_far = task.trail, _so_far(task.trail)
        text = what_came_new(completion.text, so_far)
        if task.expansion.closing and (so_far + text).strip():
            return self._whole(node, so_far + text, text)
        step = self.splitter.first(text)
        if not step.strip():
            if not so_far or completion.truncated:
                return failed(node, "the model gave no step")
            return self._whole(node, so_far, "")
        if marked_answers(step):
            return self._whole(node, so_far + step, step)
        stopped = step == text and not completion.truncated and self.splitter.stop is not None
        if stopped and not step.endswith(self.splitter.delimiter):
            step += self.splitter.delimiter
        earlier = [before.added.strip() for before in trail]
        if step.strip() in earlier:
            told = f"the same as step {earlier.index(step.strip()) + 1}"
            return failed(node.model_copy(update={"added": step}), told)
        whole = so_far + step
        return node.model_copy(
            update={
                "candidate": node.candidate.model_copy(update={"text": whole}),
                "added": step,
                "key": short_key(" ".join(whole.split())),
                "closed": len(trail) + 1 >= self.max_steps,
            }
        )

    def _whole(self, node: Node, whole: str, added: str) -> Node:
        """A node that ends its solution; what would part it from a next step is left out."""
        whole = whole.rstrip().removesuffix(self.splitter.delimiter.strip()).rstrip()
        return node.model_copy(
            update={
                "candidate": node.candidate.model_copy(update={"text": whole}),
                "added": added,
                "key": short_key(f"{' '.join(whole.split())} ∎"),
                "complete": True,
            }
        )

    def judged_text(self, trail: Sequence[Node]) -> str:
        """The solution so far, as the scorer reads answers."""
        text = trail[-1].candidate.text.rstrip()
        read = self.judged.extract(text) if self.judged is not None else None
        return text if read is None else read

    def score(self, node: Node, verdict: Verdict | None) -> float:
        """That of the steps, aggregated, where the scorer gives them; else of the whole."""
        if verdict is None:
            return 0.0
        steps = verdict.step_scores
        return AGGREGATES[self.aggregate](steps) if steps else verdict.score

    def ends(self, node: Node, verdict: Verdict) -> bool:
        """A solution that passes is whole, whatever the model would say next.

        Of one that is not, a pass counts where the scorer knows steps from solutions, or where it
        was shown an answer; else the solution so far is fine, and goes on.
        """
        text = node.candidate.text
        shown = self.judged is not None and self.judged.extract(text) is not None
        return node.complete or (verdict.passed is True and (shown or bool(verdict.step_scores)))


def _so_far(trail: Sequence[Node]) -> str:
    return trail[-1].candidate.text if trail else ""
