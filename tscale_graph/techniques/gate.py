"""The budget node: finds the budget of a request, and lets no sample start without a lease."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.runtime import get_runtime
from langgraph.types import Send

from tscale_graph.budget import Budget, Usage
from tscale_graph.models.pricing import unknown_price
from tscale_graph.techniques.confidence import confidence_floor
from tscale_graph.techniques.nodes import running_synchronously
from tscale_graph.techniques.reading import grant_samples, next_wave, samples_left, standing_of
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import (
    Admission,
    SampleTask,
    SamplingState,
    Snapshot,
    Wave,
    question_of,
)
from tscale_graph.votes import DeepConf

SENDS = 64
"""The most tasks of one wave: their cost grows faster than their number."""
SENDS_UNDER_INVOKE = 4
"""Under `invoke` LangGraph runs tasks on few threads; samples in one task still overlap."""


def find_budget(
    state: Mapping[str, Any], config: RunnableConfig | None, default: Budget | None
) -> Budget:
    """The budget of a request.

    Looked for in the state, in `config["configurable"]["budget"]`, in the run's context, and
    last in the technique's own default.

    Raises:
        ValueError: when there is none; it says where to put one.
        ValidationError: when it is not a budget.
    """
    configurable = (config or {}).get("configurable") or {}
    for found in (state.get("budget"), configurable.get("budget"), _from_context(), default):
        if found is not None:
            return Budget.model_validate(found)
    raise ValueError(
        'no budget: put one into the input as {"messages": …, "budget": Budget(tokens=20_000)}, '
        'into config["configurable"]["budget"], or give the technique budget=…'
    )


def _from_context() -> Any:
    try:
        get_config()
    except RuntimeError:  # outside a graph there is no context to look at
        return None
    context = getattr(get_runtime(), "context", None)
    if isinstance(context, Mapping):
        return context.get("budget")  # pyright: ignore[reportUnknownVariableType]
    return getattr(context, "budget", None)


@dataclass(frozen=True)
class BudgetGate:
    """Stamps the deadline, grants leases for a wave of samples, or ends the run."""

    settings: SamplingSettings

    async def admit(self, state: SamplingState, config: RunnableConfig) -> dict[str, Any]:
        """Grant the next wave its leases: at most what the budget still pays for."""
        now = time.time()
        run = Snapshot.model_validate(state)
        if run.wanted is None:
            return self._open(state, run, config, now)
        run = run.model_copy(update={"clock": max(run.clock, now)})
        return self._grant(run, run.admission or self._admission(state, run, config, now))

    async def fan_out(self, state: SamplingState) -> list[Send] | str:
        """Send each sample of the wave on its way, or finish when nothing was granted."""
        run = Snapshot.model_validate(state)
        wave, admission = run.wave, run.admission
        if wave is None or admission is None:
            return "rank" if self.settings.closing else "finish"
        sends = SENDS_UNDER_INVOKE if running_synchronously() else SENDS
        messages = cast(list[AnyMessage], self.settings.prompt(run.messages))
        deadline = admission.deadline
        if wave.speculative:
            # One task, so that whoever sees the matter settled can cancel the others.
            task = SampleTask(messages=messages, wave=wave, deadline=deadline)
            return [Send("sample", {**dict(task), "run": run.model_dump()})]
        return [
            Send("sample", dict(SampleTask(messages=messages, wave=part, deadline=deadline)))
            for part in _parts(wave, sends)
        ]

    def _open(
        self, state: SamplingState, run: Snapshot, config: RunnableConfig, now: float
    ) -> dict[str, Any]:
        """Let a new request in: nothing of an earlier one on the same thread is left."""
        admission = self._admission(state, run, config, now)
        fresh = Snapshot(
            messages=run.messages,
            admission=admission,
            clock=now,
            separate=run.separate,
            distrusted=run.distrusted,
        )
        left, _ = samples_left(self.settings, fresh)
        kind = self.settings.kind_for(fresh.question, [], None)
        standing = standing_of(self.settings, [], kind, left=left)
        wanted = next_wave(self.settings, [], standing) or 1
        fresh = fresh.model_copy(update={"wanted": wanted})
        return {
            **dict.fromkeys(_OF_ONE_REQUEST),
            "admission": admission.model_dump(),
            **self._grant(fresh, admission),
        }

    def _admission(
        self, state: SamplingState, run: Snapshot, config: RunnableConfig, now: float
    ) -> Admission:
        settings = self.settings
        if not run.messages:
            raise ValueError('no question: "messages" is empty')
        budget = find_budget(state, config, settings.budget)
        unpriced = _unpriced(settings)
        if budget.usd is not None and unpriced is not None:
            raise ValueError(unknown_price(unpriced))
        question = question_of(run.messages)
        return _with_reserve(
            settings,
            question,
            Admission(
                budget=budget,
                opened_at=now,
                deadline=None if budget.seconds is None else now + budget.seconds,
                prompt_bound=settings.endpoint.counter.prompt_bound(settings.prompt(run.messages)),
                beside=_beside(settings, question),
            ),
        )

    def _grant(self, run: Snapshot, admission: Admission) -> dict[str, Any]:
        settings, wanted = self.settings, run.wanted or 1
        together = settings.endpoint.shares_prompt and not run.separate and wanted > 1
        floor = (
            confidence_floor(run.candidates, settings.select)
            if isinstance(settings.select, DeepConf)
            else None
        )
        together = together and floor is None  # only streams can be cut off
        granted = grant_samples(settings, run, admission, wanted=wanted, together=together)
        several = granted.samples > 1
        wave = granted.lease and Wave(
            first=len(run.candidates),
            samples=granted.samples,
            together=together and several,
            lease=granted.lease,
            distrusted=run.distrusted,
            floor=floor,
            speculative=settings.speculate > 0 and several and not together,
        )
        return {
            "wave": wave.model_dump() if wave else None,
            "cut_off_by": None if wave else granted.limited_by,
            "clock": run.clock,
        }


_OF_ONE_REQUEST = (
    "candidates",
    "checks",
    "clusters",
    "cluster_usage",
    "cluster_notes",
    "ranking",
    "answer_kind",
)


def _unpriced(settings: SamplingSettings) -> str | None:
    """The name of a model that will be called and whose price is not known, or None."""
    if settings.endpoint.prices.ceiling is None:
        return settings.endpoint.name
    judges = (settings.verifier, settings.kind, settings.closing)
    return next((name for one in judges if (name := getattr(one, "unpriced", None))), None)


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


def _parts(wave: Wave, sends: int) -> list[Wave]:
    """Cut a wave into at most `sends` tasks; samples that share a request stay together."""
    if wave.together:
        return [wave]
    each = -(-wave.samples // sends)
    return [
        wave.model_copy(
            update={"first": wave.first + start, "samples": min(each, wave.samples - start)}
        )
        for start in range(0, wave.samples, each)
    ]
