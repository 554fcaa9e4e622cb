"""Calling any kind of verifier, and reading whatever it returns as a verdict."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from tscale_graph.budget import Budget
from tscale_graph.candidates import Verdict
from tscale_graph.models.threads import in_thread

Verifier = Callable[..., Any]
"""Called as `verifier(question, answer)`; returns, or is awaited for, a bool, a float in [0, 1],
a `Verdict`, or a mapping with a "score". A LangChain runnable gets `{"question", "answer"}`."""


async def verify(
    verifier: Verifier,
    question: str,
    answer: str,
    *,
    lease: Budget | None = None,
    deadline: float | None = None,
) -> Verdict:
    """Ask a verifier about one answer.

    A synchronous verifier runs in a thread of its own. One whose signature has a `lease` gets
    the part of the budget that it may spend on models, and one that has a `deadline` gets the
    time at which the run ends, in seconds since the epoch.

    An openevals evaluator gets the question as `inputs` and the answer as `outputs`; what else
    it needs is given beforehand, as `functools.partial(exact_match, reference_outputs="3")`. A
    model that it brings itself is called outside the budget, and its calls are not counted:
    `judge(model, prompt=…)` takes the same prompts and keeps to the budget.

    Raises:
        ValueError: when a score is not in [0, 1], or an evaluator needs what it was not given.
        TypeError: when what it returned is no verdict.
        VerifierError: from a verifier that came to no verdict.
    """
    runnable = getattr(verifier, "ainvoke", None)
    if runnable is not None:
        return read_verdict(await runnable({"question": question, "answer": answer}))
    names = parameters(verifier)
    offered = {"lease": lease, "deadline": deadline}
    arguments: dict[str, Any] = {name: offered[name] for name in offered if name in names}
    if "outputs" in names:  # the calling convention of openevals
        _check_evaluator(verifier)
        arguments |= {"inputs": question} if "inputs" in names else {}
        positional: tuple[str, ...] = ()
        arguments["outputs"] = answer
    else:
        positional = (question, answer)
    called: Any = type(verifier).__call__
    if inspect.iscoroutinefunction(verifier) or inspect.iscoroutinefunction(called):
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
        _check_score(returned.score)
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
        _check_score(score)
        return Verdict(score=score, passed={1.0: True, 0.0: False}.get(score))
    raise TypeError(
        f"a verifier must return a bool, a float in [0, 1] or a Verdict, got {type(value).__name__}"
    )


def _check_score(score: float) -> None:
    if not 0 <= score <= 1:  # also for NaN
        raise ValueError(f"a verifier's score must be between 0 and 1, got {score}")


def preferred_answer(verifier: Verifier) -> str:
    """How a verifier wants answers to be read: its `answer_kind`, else "auto"."""
    return str(getattr(verifier, "answer_kind", "auto"))


def reads_solutions(verifier: Verifier) -> bool:
    """Whether it is shown all that the model said, and not the answer that was read from it.

    So it is with reward models: it says so by a true `reads_solutions`.
    """
    return bool(getattr(verifier, "reads_solutions", False))


def only_scores(verifier: Verifier) -> bool:
    """Whether it never says that an answer has passed, so that nothing is settled by any answer.

    So it is with process reward models, and with reward models and judges that have no `pass_at`:
    they say so by a true `only_scores`.
    """
    return bool(getattr(verifier, "only_scores", False))


def parameters(verifier: Verifier) -> frozenset[str]:
    """The names of what a verifier can be called with."""
    try:
        return _known_parameters(verifier)
    except TypeError:  # not hashable
        return _read_parameters(verifier)


def _read_parameters(verifier: Verifier) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(verifier).parameters)
    except (TypeError, ValueError):  # a builtin without a signature
        return frozenset()


_known_parameters = lru_cache(maxsize=64)(_read_parameters)


def asks_unleased(verifier: Verifier) -> bool:
    """Whether a verifier may well call a model without taking a lease for it.

    So it is with LangChain runnables and with evaluators in openevals' manner.
    """
    runs = hasattr(verifier, "ainvoke")
    return (runs or "outputs" in parameters(verifier)) and "lease" not in parameters(verifier)


def _check_evaluator(evaluator: Verifier) -> None:
    """Refuse an openevals evaluator that needs more than a question and an answer."""
    needed = inspect.signature(evaluator).parameters.values()
    for parameter in needed:
        required = parameter.default is parameter.empty and parameter.kind in (
            parameter.KEYWORD_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        )
        if required and parameter.name not in ("inputs", "outputs", "lease", "deadline"):
            raise ValueError(
                f"the evaluator needs {parameter.name}: give it beforehand with "
                f"functools.partial(evaluator, {parameter.name}=…)"
            )
