"""AB-MCTS: whole answers, refined with their verifier's feedback or sampled afresh, as it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from langgraph.graph import StateGraph

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.replies import Completion
from tscale_graph.search.adaptive import VARIANTS, AdaptiveBranching, Variant
from tscale_graph.techniques.checking import check_key, solution_key
from tscale_graph.techniques.feedback import to_better
from tscale_graph.techniques.settings import Answer, OnExceeded, check_number
from tscale_graph.techniques.state import question_of
from tscale_graph.techniques.tree_search.expanding import bare_node, failed
from tscale_graph.techniques.tree_search.growing import Growth
from tscale_graph.techniques.tree_search.loop import search_loop
from tscale_graph.techniques.tree_search.settings import search_settings
from tscale_graph.techniques.tree_search.state import ExpandTask, Node
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer, reads_solutions
from tscale_graph.votes import Selection


def ab_mcts(
    models: str | Askable | Sequence[str | Askable],
    verifier: Verifier | str,
    *,
    variant: Variant = "beta",
    max_nodes: int = 64,
    batch: int = 1,
    emphasis: float | None = 0.1,
    cost_weight: float = 0.05,
    select: str | Selection = "max",
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that searches over whole answers, wider or deeper as their scores suggest.

    Adaptive branching Monte Carlo tree search (Inoue et al. 2025, arXiv:2503.04412). Each node is
    an answer that a verifier scored. A new one is sampled from the question, or refines an answer
    that is there with its verifier's feedback; Thompson sampling decides which. The search ends
    when an answer has passed. Input: `messages` and `budget`. Output: `messages` with the answer
    appended, and `result`, whose `tree` shows what was searched.

    Args:
        models: one chat model or several: which of them makes a node is chosen by Thompson
            sampling as well, each at its own price.
        verifier: called as `verifier(question, answer)`, or the name of a built-in one. Its
            feedback is told to the model that refines.
        variant: "beta" and "gaussian" aggregate the scores below a node; "mixed" fits a
            hierarchical model to them.
        max_nodes: the most answers, at least 1.
        batch: answers that are sampled side by side in one round, at least 1.
        emphasis: how sharply scores near the best one count more than mediocre ones, as a
            difference of scores; None counts them as they are, as the paper does.
        cost_weight: how much more score a refined answer, or a dearer model, must promise for
            each doubling of what it costs beside the cheapest fresh answer; 0 leaves costs out.
        select: how the answer is chosen: "max", or another selection by scores.
        answer: how to read answers; "auto" first asks what the verifier wants.
        temperature: sampling temperature, 0 to 2; None leaves the models' own.
        max_output_tokens: the most tokens of one answer, at least 1.
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
        ImportError: when a model or verifier needs a package that is not installed.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
    if emphasis is not None:
        check_number("emphasis", emphasis, at_least=LEAST_EMPHASIS)
    check_number("cost_weight", cost_weight, at_least=0)
    checked = check_verifier(verifier)
    kind = answer_kind(preferred_answer(checked) if answer == "auto" else answer)
    settings = search_settings(
        [models] if isinstance(models, str | Runnable | StateGraph) else models,
        policy=AdaptiveBranching(variant, emphasis, cost_weight),
        growth=WholeAnswers(kind, reads_solutions(checked)),
        verifier=checked,
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
    )
    return search_loop(settings, technique="ab_mcts")


LEAST_EMPHASIS = 0.01
"""Scores that differ by less than this are not worth telling apart."""


@dataclass(frozen=True)
class WholeAnswers(Growth):
    """Every node is an answer to the question; a child refines its parent.

    Attributes:
        kind: how answers are read; None is decided from the question and the answer.
        solutions: the verifier is shown all that the model said.
    """

    complete: ClassVar[bool] = True

    kind: AnswerKind | None
    solutions: bool = False

    def prompt(
        self, messages: Sequence[BaseMessage], trail: Sequence[Node], *, reflections: Sequence[str]
    ) -> list[BaseMessage]:
        """The question; to refine, the last answer and what was said of it."""
        if not trail:
            return list(messages)
        last = trail[-1]
        told = to_better(last.candidate.text, score=last.score or 0.0, feedback=last.note)
        return [*messages, *told]

    async def grow(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """The answer that a completion holds; one without an answer has failed."""
        node = bare_node(task.expansion, completion, index)
        kind = self.kind or pick_answer_kind(question_of(task.messages), [completion.text])
        read = kind.extract(completion.text, truncated=completion.truncated)
        if read is None:
            cut = ", it was cut short" if completion.truncated else ""
            return failed(node, f"there is no answer in the text{cut}")
        candidate = node.candidate.model_copy(update={"answer": read})
        return node.model_copy(
            update={
                "candidate": candidate,
                "added": completion.text,
                "key": (solution_key(completion.text) if self.solutions else check_key(read, kind)),
                "complete": True,
            }
        )

    def judged_text(self, trail: Sequence[Node]) -> str:
        """The answer, or the whole solution."""
        last = trail[-1].candidate
        return last.text if self.solutions else last.answer or ""
