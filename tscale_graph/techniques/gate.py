"""The budget node: lets a request in, and no sample start without a lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from tscale_graph.models.threads import running_synchronously
from tscale_graph.stopping import FirstToFinish
from tscale_graph.techniques.admission import admit_request
from tscale_graph.techniques.confidence import confidence_floor
from tscale_graph.techniques.reading import (
    grant_samples,
    next_wave,
    prompt_tokens,
    samples_left,
    standing_of,
)
from tscale_graph.techniques.restarts import new_grant
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import (
    Admission,
    SampleTask,
    SamplingState,
    Snapshot,
    Wave,
)
from tscale_graph.votes import DeepConf

SENDS = 64
"""The most tasks of one wave: their cost grows faster than their number."""
SENDS_UNDER_INVOKE = 4
"""Under `invoke` LangGraph runs tasks on few threads; samples in one task still overlap."""


@dataclass(frozen=True)
class BudgetGate:
    """Stamps the deadline, grants leases for a wave of samples, or ends the run."""

    settings: SamplingSettings

    async def admit(self, state: SamplingState, config: RunnableConfig) -> dict[str, Any]:
        """Grant the next wave its leases: at most what the budget still pays for."""
        now = time.time()
        run = Snapshot.model_validate(state)
        if run.wanted is None:
            return await self._open(state, run, config, now)
        run = run.model_copy(update={"clock": max(run.clock, now)})
        admission = run.admission or await admit_request(self.settings, state, run, config, now)
        return self._grant(run, admission)

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

    async def _open(
        self, state: SamplingState, run: Snapshot, config: RunnableConfig, now: float
    ) -> dict[str, Any]:
        """Let a new request in: nothing of an earlier one on the same thread is left."""
        admission = await admit_request(self.settings, state, run, config, now)
        fresh = Snapshot(
            messages=run.messages,
            admission=admission,
            clock=time.time(),
            separate=run.separate,
            distrusted=run.distrusted,
        )
        left, _ = samples_left(self.settings, fresh)
        kind = self.settings.kind_for(fresh.question, [], None)
        standing = standing_of(self.settings, [], kind, left=left)
        wanted = next_wave(self.settings, [], standing) or 1
        fresh = fresh.model_copy(update={"wanted": wanted})
        return {
            **dict.fromkeys(OF_ONE_REQUEST),
            "admission": admission.model_dump(),
            **self._grant(fresh, admission),
        }

    def _grant(self, run: Snapshot, admission: Admission) -> dict[str, Any]:
        settings, wanted = self.settings, run.wanted or 1
        together = settings.endpoint.shares_prompt and not run.separate and wanted > 1
        together = together and _affords_refusal(settings, run, admission, wanted)
        floor = (
            confidence_floor(run.candidates, settings.select)
            if isinstance(settings.select, DeepConf)
            else None
        )
        # Only streams can be cut off, by a floor or by a limit that the model does not keep to.
        together = together and floor is None and not run.distrusted
        # And only calls of their own can finish one by one.
        racing = isinstance(settings.rule, FirstToFinish)
        together = together and not racing
        if together and settings.endpoint.most_at_once is not None:
            wanted = min(wanted, settings.endpoint.most_at_once)
        granted = grant_samples(settings, run, admission, wanted=wanted, together=together)
        several = granted.samples > 1
        wave = granted.lease and Wave(
            first=len(run.candidates),
            samples=granted.samples,
            together=together and several,
            lease=granted.lease,
            prompt_tokens=prompt_tokens(run, admission),
            granted_by=new_grant(),
            distrusted=run.distrusted,
            floor=floor,
            speculative=(settings.speculate > 0 or racing) and several and not together,
            seed=admission.seed,
        )
        return {
            "wave": wave.model_dump() if wave else None,
            "cut_off_by": None if wave else granted.limited_by,
            "clock": run.clock,
        }


def _affords_refusal(
    settings: SamplingSettings, run: Snapshot, admission: Admission, wanted: int
) -> bool:
    """Whether a server may be asked for several completions at once: it has been, or may refuse."""
    calls = admission.budget.remaining(run.usage + admission.reserved).calls
    return bool(run.candidates) or settings.endpoint.may_risk_refusal(wanted, calls=calls)


OF_ONE_REQUEST = (
    "candidates",
    "answers",
    "checks",
    "clusters",
    "cluster_usage",
    "cluster_notes",
    "ranking",
    "answer_kind",
)
"""What starts again with each request, where a thread has several."""


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
