"""Calling any kind of verifier, and reading whatever it returns as a verdict."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from tscale_graph.budget import Budget
from tscale_graph.candidates import Verdict
from tscale_graph.models.threads import in_thread

Verifier = Callable[..., Any]
"""Called as `verifier(question, answer)`; returns, or is awaited for, a bool, a float in [0, 1],
a `Verdict`, or a mapping with a "score". A LangChain runnable gets `{"question", "answer"}`."""


async def verify(
    verifier: Verifier, question: str, answer: str, *, lease: Budget | None = None
) -> Verdict:
    """Ask a verifier about one answer.

    A synchronous verifier runs in a thread of its own. One whose signature has a `lease` gets
    the part of the budget that it may spend on models.

    Raises:
        ValueError: when a score is not in [0, 1].
        TypeError: when what it returned is no verdict.
    """
    runnable = getattr(verifier, "ainvoke", None)
    if runnable is not None:
        return read_verdict(await runnable({"question": question, "answer": answer}))
    names = _parameters(verifier)
    arguments: dict[str, Any] = {"lease": lease} if "lease" in names else {}
    if "outputs" in names:  # the calling convention of openevals
        arguments |= {"inputs": question} if "inputs" in names else {}
        positional: tuple[str, ...] = ()
        arguments["outputs"] = answer
    else:
        positional = (question, answer)
    if inspect.iscoroutinefunction(verifier) or inspect.iscoroutinefunction(
        getattr(verifier, "__call__", None)  # noqa: B004 - asks about the method, not callability
    ):
        return read_verdict(await verifier(*positional, **arguments))
    returned = await in_thread(lambda: verifier(*positional, **arguments))
    return read_verdict(await returned if inspect.isawaitable(returned) else returned)


def read_verdict(returned: Any) -> Verdict:
    """A verdict from what a verifier returned.

    >>> read_verdict(True).passed
    True
    >>> read_verdict(0.5).passed is None
    True

    Raises:
        ValueError: when a score is not in [0, 1].
        TypeError: when it is no verdict.
    """
    if isinstance(returned, Verdict):
        return returned
    if isinstance(returned, Mapping):
        found = cast(Mapping[str, Any], returned)
        if "score" in found:
            verdict = read_verdict(found["score"])
            comment = found.get("comment") or found.get("feedback") or ""
            return verdict.model_copy(update={"feedback": str(comment)})
    value = cast(Any, returned)
    if hasattr(value, "item"):
        value = value.item()  # a numpy scalar
    if isinstance(value, bool):
        return Verdict(score=float(value), passed=value)
    if isinstance(value, int | float):
        score = float(value)
        if math.isnan(score) or not 0 <= score <= 1:
            raise ValueError(f"a verifier's score must be between 0 and 1, got {value}")
        return Verdict(score=score, passed={1.0: True, 0.0: False}.get(score))
    raise TypeError(
        f"a verifier must return a bool, a float in [0, 1] or a Verdict, got {type(value).__name__}"
    )


def preferred_answer(verifier: Verifier) -> str:
    """How a verifier wants answers to be read: its `answer_kind`, else "auto"."""
    return str(getattr(verifier, "answer_kind", "auto"))


def _parameters(verifier: Verifier) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(verifier).parameters)
    except (TypeError, ValueError):  # a builtin without a signature
        return frozenset()
