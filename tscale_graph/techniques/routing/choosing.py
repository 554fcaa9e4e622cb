"""Which class serves a request: pure, on what is known before anything was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from tscale_graph.budget import Budget, Usage
from tscale_graph.policy import Policy

_BYTES_OF_A_TOKEN, _OF_A_MESSAGE = 4, 8


@dataclass(frozen=True)
class Route:
    """Who serves a request.

    Attributes:
        name: of the class whose technique runs.
        reasons: why it is not the class of the task; empty where it is.
    """

    name: str
    reasons: tuple[str, ...] = ()


def choose_route(
    policy: Policy,
    task_class: str,
    *,
    missing: Mapping[str, str],
    least: Mapping[str, Usage],
    budgets: Mapping[str, Budget | None],
) -> Route:
    """The first class that can be served and paid for.

    Looked at in turn: the class of the task, its fallback, the fallback of that, …, the default
    class, and the others as the policy has them. Where the budget pays for one whole sample of
    none of them, it is the one whose sample takes the fewest tokens.

    Args:
        policy: what falls back to what.
        task_class: of the task.
        missing: of the classes that cannot be served, what is missing.
        least: of the others, what one whole sample takes at most.
        budgets: of the request for each class: the request's own, or else that of the class; None
            where there is neither.
    """
    reasons: list[str] = []
    order = policy.order(task_class)
    for name in order:
        if name in missing:
            reasons.append(missing[name])
        elif (short := _short_of(budgets[name], least[name])) is not None:
            reasons.append(f"{short} of {policy.classes[name].technique_name}")
        else:
            return Route(name, tuple(reasons))
    served = [name for name in order if name not in missing]
    cheapest = min(served, key=lambda name: (least[name].tokens, least[name].calls))
    return Route(cheapest, tuple(reasons))


def class_of_technique(policy: Policy, technique: str, *, missing: Mapping[str, str]) -> str:
    """The first class that the technique of a name serves.

    Raises:
        ValueError: when no class of the policy has it, or none of these can be served.
    """
    name = technique.replace("-", "_")
    having = [one for one, entry in policy.classes.items() if entry.technique_name == name]
    served = next((one for one in having if one not in missing), None)
    if served is None:
        can = (entry.technique_name for one, entry in policy.classes.items() if one not in missing)
        why = f": {missing[having[0]]}" if having else ""
        known = ", ".join(dict.fromkeys(can))
        raise ValueError(f"technique must be one of {known}, got {technique!r}{why}")
    return served


def estimated_tokens(messages: Sequence[BaseMessage]) -> int:
    """What a conversation counts, roughly: what only tells techniques apart need not be exact."""
    texts = (len(str(message.text).encode()) for message in messages)
    return sum(-(-size // _BYTES_OF_A_TOKEN) + _OF_A_MESSAGE for size in texts)


def _short_of(budget: Budget | None, least: Usage) -> str | None:
    limit = None if budget is None else budget.exceeded_by(least)
    if budget is None or limit is None:
        return None
    needs = {"calls": least.calls, "tokens": least.tokens, "usd": least.usd}
    amount = getattr(budget, limit)
    return f"{limit}={amount} does not pay for one sample ({needs[limit]:,})"
