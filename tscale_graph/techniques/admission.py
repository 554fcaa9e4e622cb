"""Letting a request in: its budget, wherever that was put, its deadline, and what is kept back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.runtime import get_runtime

from tscale_graph.budget import Budget, Usage
from tscale_graph.models.inner_runs import take_seed
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.threads import in_thread
from tscale_graph.techniques.reading import grant_samples
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, Snapshot, question_of


async def admit_request(
    settings: SamplingSettings,
    state: Mapping[str, Any],
    run: Snapshot,
    config: RunnableConfig,
    now: float,
) -> Admission:
    """Find the budget of a request and how large its prompt is, before any call.

    Args:
        settings: what the technique was told.
        state: as the graph has it, with the budget that the request brought.
        run: the same, parsed.
        config: of the run.
        now: seconds since the epoch, from which the budget's seconds count.

    Raises:
        ValueError: when there is no question, no budget, or no price to keep to it by.
    """

    def sized(bare: Admission) -> Admission:
        prompt = settings.prompt(run.messages)
        question = question_of(run.messages)
        bound = settings.endpoint.counter.prompt_bound(prompt)
        beside = _beside(settings, question)
        admitted = bare.model_copy(update={"prompt_bound": bound, "beside": beside})
        return _with_reserve(settings, question, admitted)

    return await let_in(
        state,
        config,
        now,
        default=settings.budget,
        seed=settings.seed,
        unpriced=_unpriced(settings),
        sized=sized,
        asks_servers=_asks_servers(settings),
    )


async def let_in(
    state: Mapping[str, Any],
    config: RunnableConfig,
    now: float,
    *,
    default: Budget | None,
    seed: int | None,
    unpriced: str | None,
    sized: Callable[[Admission], Admission],
    asks_servers: bool,
) -> Admission:
    """Find the budget of a request, stamp its deadline, and find out how large its prompt is.

    Args:
        state: as the graph has it, with the question and the budget that the request brought.
        config: of the run.
        now: seconds since the epoch, from which the budget's seconds count.
        default: the budget of requests that bring none, or None.
        seed: the technique's own; in the place of a model, the run's.
        unpriced: the name of a model that will be called and whose price is not known, or None.
        sized: fills in what it takes to size a request.
        asks_servers: that may wait for a server.

    Raises:
        ValueError: when there is no question, no budget, or no price to keep to it by.
    """
    if not state.get("messages"):
        raise ValueError('no question: "messages" is empty')
    budget = find_budget(state, config, default)
    if budget.usd is not None and unpriced is not None:
        raise ValueError(unknown_price(unpriced))
    deadline = None if budget.seconds is None else now + budget.seconds
    given = take_seed()
    bare = Admission(
        budget=budget,
        opened_at=now,
        deadline=deadline,
        prompt_bound=0,
        seed=seed if given is None else given,
    )
    if not asks_servers:
        return sized(bare)
    try:
        async with asyncio.timeout(budget.seconds):
            return await in_thread(lambda: sized(bare))
    except TimeoutError:
        return bare  # whose time is up, so that nothing is granted


def find_budget(
    state: Mapping[str, Any], config: RunnableConfig | None, default: Budget | None
) -> Budget:
    """The budget of a request.

    Looked for in the state, in `config["configurable"]["budget"]`, in the run's context, and
    last in the technique's own default.

    Raises:
        ValueError: when there is none, and it says where to put one, or it is not a budget.
    """
    found = brought_budget(state, config) or default
    if found is not None:
        return found
    raise ValueError(
        'no budget: put one into the input as {"messages": …, "budget": Budget(tokens=20_000)}, '
        'into config["configurable"]["budget"], or give the technique or the chat model budget=…'
    )


def brought_budget(state: Mapping[str, Any], config: RunnableConfig | None) -> Budget | None:
    """The budget that a request brought, in one of those places; None when it brought none.

    Raises:
        ValueError: when it is not a budget.
    """
    configurable = (config or {}).get("configurable") or {}
    for found in (state.get("budget"), configurable.get("budget"), _from_context()):
        if found is not None:
            return Budget.of(found)
    return None


def _from_context() -> Any:
    try:
        get_config()
    except RuntimeError:  # outside a graph there is no context to look at
        return None
    context = getattr(get_runtime(), "context", None)
    if isinstance(context, Mapping):
        return context.get("budget")  # pyright: ignore[reportUnknownVariableType]
    return getattr(context, "budget", None)


def _unpriced(settings: SamplingSettings) -> str | None:
    """The name of a model that will be called and whose price is not known, or None."""
    if settings.endpoint.unpriced is not None:
        return settings.endpoint.unpriced
    judges = (settings.verifier, settings.kind, settings.closing)
    return next((name for one in judges if (name := getattr(one, "unpriced", None))), None)


def _asks_servers(settings: SamplingSettings) -> bool:
    """Whether sizing a request may wait for a server, to count tokens or to start it."""
    judges = settings.closing is not None or settings.semantic is not None
    judges = judges or hasattr(settings.verifier, "needs")
    return judges or settings.endpoint.counter.asks_server


def _beside(settings: SamplingSettings, question: str) -> Usage:
    """What judging one sample may take, and comparing it, where models do that."""
    asked = (getattr(one, "needs", None) for one in (settings.verifier, settings.kind))
    return Usage.total(
        needs(question, answer_tokens=settings.max_output_tokens) for needs in asked if needs
    )


def _with_reserve(settings: SamplingSettings, question: str, admission: Admission) -> Admission:
    """Keep back what the closing calls may take, but never more than half of the budget.

    As many calls as some number of finalists needs; and nothing where the rest would not buy
    two samples to choose between.
    """
    closing, budget = settings.closing, admission.budget
    if closing is None:
        return admission
    most = min(closing.at_most, settings.max_samples)
    calls = budget.calls // 2 if budget.calls is not None else None
    for finalists in range(most, 1, -1):
        wanted = closing.needs(
            question, finalists=finalists, answer_tokens=settings.max_output_tokens
        )
        if calls is None or wanted.calls <= calls:
            break
    else:
        return admission
    tokens = wanted.tokens if budget.tokens is None else min(wanted.tokens, budget.tokens // 2)
    reserved = Usage(
        calls=wanted.calls,
        input_tokens=tokens,
        usd=wanted.usd if budget.usd is None else min(wanted.usd, budget.usd / 2),
    )
    kept = admission.model_copy(update={"reserved": reserved})
    run = Snapshot(admission=kept)
    rest = grant_samples(settings, run, kept, wanted=2, together=False)
    return kept if rest.samples == 2 else admission
