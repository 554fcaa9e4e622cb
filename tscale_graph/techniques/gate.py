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

from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.pricing import unknown_price
from tscale_graph.stopping import Standing, wave_size
from tscale_graph.techniques.nodes import running_synchronously
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, SampleTask, SamplingState, Snapshot, Wave

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
            return "finish"
        sends = SENDS_UNDER_INVOKE if running_synchronously() else SENDS
        messages = cast(list[AnyMessage], self.settings.prompt(run.messages))
        return [
            Send(
                "sample",
                dict(SampleTask(messages=messages, wave=part, deadline=admission.deadline)),
            )
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
            wanted=wave_size(
                self.settings.rule,
                Standing(),
                max_samples=self.settings.max_samples,
                max_parallel=self.settings.max_parallel,
            ),
            clock=now,
            separate=run.separate,
            distrusted=run.distrusted,
        )
        cleared = {"candidates": None, "checks": None, "answer_kind": None}
        return {**cleared, "admission": admission.model_dump(), **self._grant(fresh, admission)}

    def _admission(
        self, state: SamplingState, run: Snapshot, config: RunnableConfig, now: float
    ) -> Admission:
        settings = self.settings
        if not run.messages:
            raise ValueError('no question: "messages" is empty')
        budget = find_budget(state, config, settings.budget)
        if budget.usd is not None and settings.endpoint.prices.ceiling is None:
            raise ValueError(unknown_price(settings.endpoint.name))
        return Admission(
            budget=budget,
            opened_at=now,
            deadline=None if budget.seconds is None else now + budget.seconds,
            prompt_bound=settings.endpoint.counter.prompt_bound(settings.prompt(run.messages)),
        )

    def _grant(self, run: Snapshot, admission: Admission) -> dict[str, Any]:
        settings = self.settings
        together = settings.endpoint.shares_prompt and not run.separate and (run.wanted or 0) > 1
        taken = len(run.candidates)
        granted = grant(
            admission.budget.remaining(run.usage),
            SampleSize(
                prompt_tokens=_prompt_tokens(run.candidates, admission),
                output_tokens=min(
                    settings.max_output_tokens,
                    settings.endpoint.own_output_limit or settings.max_output_tokens,
                ),
                price=settings.endpoint.prices.ceiling,
                shared_prompt=together,
            ),
            wanted=run.wanted or 1,
            still_wanted=settings.max_samples - taken,
            nothing_yet=taken == 0,
        )
        wave = granted.lease and Wave(
            first=taken,
            samples=granted.samples,
            together=together and granted.samples > 1,
            lease=granted.lease,
            distrusted=run.distrusted,
        )
        return {
            "wave": wave.model_dump() if wave else None,
            "cut_off_by": None if wave else granted.limited_by,
            "clock": run.clock,
        }


def _prompt_tokens(candidates: list[Candidate], admission: Admission) -> int:
    """What the prompt costs: as the provider counted it, once it has; else the upper bound."""
    counted = [c.prompt_tokens for c in candidates if c.prompt_tokens is not None]
    return max(counted) if counted else admission.prompt_bound


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
