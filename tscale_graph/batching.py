"""Many questions, one budget: for people who want answers rather than a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_messages

from tscale_graph.budget import Budget
from tscale_graph.candidates import Result
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.techniques.batching.graph import sampling_batch
from tscale_graph.techniques.batching.state import BatchRequest
from tscale_graph.techniques.nodes import run_blocking

Asked = str | Sequence[BaseMessage] | Mapping[str, Any]
_SUPERSTEPS = 1_000_000
"""No limit: the budget is one."""


async def abatch(
    questions: Sequence[Asked],
    policy: Policy | str = "self_consistency",
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> list[Result]:
    """Answer many questions out of one budget, and spend it where it gains most.

    Args:
        questions: each a question, a conversation that ends with one, or a mapping with
            `messages` (or `question`), and where the caller knows better `task_class`, and a
            `budget` of its own within the shared one.
        policy: what is done for each class; or the name of a technique, for one class alone.
        budget: of all of it. It is never exceeded.
        arguments: of `sampling_batch`: model, verifier, max_parallel, prior, classifier, seed;
            with a technique by name, its own too.

    Returns:
        One result for each question, in their order. A question that got no answer has a result
        without one, whose status or notes say why.

    Raises:
        ValueError: for an empty question, an unknown technique or class, or a bad argument; before
            any call.
    """
    requests = [_request(place, asked) for place, asked in enumerate(questions)]
    whole = Budget.of(budget)
    if not requests:
        return []
    own = {name: arguments.pop(name) for name in _OF_BATCHES if name in arguments}
    if isinstance(policy, str):
        entry = ClassPolicy(technique=policy, arguments=arguments)
        policy = Policy(default_class="all", classes={"all": entry})
    elif arguments:
        raise ValueError(f"a policy takes no further arguments, got {', '.join(arguments)}")
    graph = sampling_batch(policy, **own).compile()
    given = {"requests": requests, "budget": whole}
    out = await graph.ainvoke(given, {"recursion_limit": _SUPERSTEPS})
    return [Result.model_validate(result) for result in out["results"]]


def batch(
    questions: Sequence[Asked],
    policy: Policy | str = "self_consistency",
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> list[Result]:
    """Answer many questions out of one budget; `abatch` for synchronous code."""
    return run_blocking(abatch(questions, policy, budget=budget, **arguments))


_OF_BATCHES = ("model", "verifier", "max_parallel", "prior", "classifier", "seed")


def _request(place: int, asked: Asked) -> BatchRequest:
    """A question as a request.

    Raises:
        ValueError: when there is none, or it is something else.
    """
    given: dict[str, Any] = dict(asked) if isinstance(asked, Mapping) else {}
    question = given.pop("question", None) if isinstance(asked, Mapping) else asked
    messages = given.pop("messages", None) if question is None else question
    if isinstance(messages, str):
        messages = [("user", messages)] if messages.strip() else []
    if not messages:
        raise ValueError(f"question {place} is empty")
    if unknown := given.keys() - {"task_class", "budget"}:
        told = ", ".join(sorted(unknown))
        raise ValueError(
            f"question {place}: takes messages or question, task_class and budget, got {told}"
        )
    budget = given.get("budget")
    return BatchRequest(
        messages=convert_to_messages(messages),  # pyright: ignore[reportArgumentType]
        task_class=given.get("task_class"),
        budget=None if budget is None else Budget.of(budget),
    )
