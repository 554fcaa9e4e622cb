"""The nodes that let a request in and grant each call its lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig

from tscale_graph.models.threads import in_thread
from tscale_graph.techniques.admission import let_in
from tscale_graph.techniques.restarts import new_grant, saved
from tscale_graph.techniques.state import Admission
from tscale_graph.techniques.thinking.planning import plan
from tscale_graph.techniques.thinking.settings import ThinkingSettings
from tscale_graph.techniques.thinking.state import ThinkingRun, ThinkingState


@dataclass(frozen=True)
class ThinkingGate:
    """Stamps the deadline, and grants one call after another, or ends the run."""

    settings: ThinkingSettings

    async def admit(self, state: ThinkingState, config: RunnableConfig) -> dict[str, Any]:
        """Let a question in; nothing of an earlier one on the same thread is left.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        settings, endpoint = self.settings, self.settings.endpoint
        run = ThinkingRun.model_validate(state)

        def sized(bare: Admission) -> Admission:
            bound = endpoint.counter.prompt_bound(settings.conversation(run.messages))
            return bare.model_copy(update={"prompt_bound": bound})

        admission = await let_in(
            state,
            config,
            time.time(),
            default=settings.budget,
            seed=settings.seed,
            unpriced=endpoint.unpriced,
            sized=sized,
            asks_servers=endpoint.counter.asks_server,
        )
        return {
            "admission": admission.model_dump(),
            "step": None,
            "turns": None,
            "remarks": None,
            "cut_off_by": None,
            "clock": time.time(),
        }

    async def plan(self, state: ThinkingState) -> dict[str, Any]:
        """Grant the next call; none ends the run."""
        run, now = ThinkingRun.model_validate(state), time.time()
        saved(run.delivery, run.step.granted_by if run.step else "")
        run = run.model_copy(update={"clock": max(run.clock, now)})
        settings = self.settings
        # Off the event loop, because a tokenizer may ask a server.
        made = await in_thread(lambda: plan(settings, run, now=now))
        step = made.step and made.step.model_copy(update={"granted_by": new_grant()})
        return {
            "step": step.model_dump() if step else None,
            "cut_off_by": made.cut_off_by,
            "remarks": list(made.remarks),
            "clock": run.clock,
        }

    async def route(self, state: ThinkingState) -> str:
        """On to the call that was granted, or to the end."""
        step = ThinkingRun.model_validate(state).step
        return step.phase if step else "finish"
