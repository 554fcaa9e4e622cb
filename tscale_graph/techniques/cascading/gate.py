"""The nodes that let a request in and grant each rung its lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig

from tscale_graph.budget import Usage
from tscale_graph.pool import Member, hand_over
from tscale_graph.reasoning import reasoning_heavy
from tscale_graph.techniques.admission import let_in
from tscale_graph.techniques.cascading.choosing import climbed, good_enough, ratings_of
from tscale_graph.techniques.cascading.leasing import lease_of_rung, pays_for
from tscale_graph.techniques.cascading.settings import CascadeSettings
from tscale_graph.techniques.cascading.state import (
    CascadeRun,
    CascadeState,
    LadderAdmission,
    Step,
)
from tscale_graph.techniques.restarts import new_grant, saved
from tscale_graph.techniques.state import Admission


@dataclass(frozen=True)
class LadderGate:
    """Stamps the deadline, and lets one rung after another be asked, or ends the run."""

    settings: CascadeSettings

    async def admit(self, state: CascadeState, config: RunnableConfig) -> dict[str, Any]:
        """Let a question in, and decide where its ladder begins.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        settings = self.settings
        run = CascadeRun.model_validate(state)
        admission = await let_in(
            state,
            config,
            time.time(),
            default=settings.budget,
            seed=settings.seed,
            unpriced=settings.unpriced,
            sized=lambda bare: self._sized(bare, run),
            asks_servers=hasattr(settings.verifier, "needs")
            or any(rung.endpoint.counter.asks_server for rung in settings.rungs),
        )
        return {
            "admission": admission.model_dump(),
            "step": None,
            "outcomes": None,
            "checks": None,
            "cut_off_by": None,
            "clock": time.time(),
        }

    async def climb(self, state: CascadeState) -> dict[str, Any]:
        """Grant the next rung its lease; none ends the run."""
        run = CascadeRun.model_validate(state)
        saved(run.delivery, run.step.granted_by if run.step else "")
        run = run.model_copy(update={"clock": max(run.clock, time.time())})
        return {**self._next(run), "clock": run.clock}

    async def route(self, state: CascadeState) -> str:
        """On to the rung that may be asked, or to the end."""
        return "ask" if CascadeRun.model_validate(state).step else "finish"

    def _sized(self, bare: Admission, run: CascadeRun) -> LadderAdmission:
        """How large the prompt is for each rung, what rating may take, and who is asked."""
        settings = self.settings
        prompt = settings.prompt(run.messages)
        bounds = tuple(rung.endpoint.counter.prompt_bound(prompt) for rung in settings.rungs)
        needs = getattr(settings.verifier, "needs", None)
        beside = needs(run.question, answer_tokens=settings.max_output_tokens) if needs else Usage()
        members = [
            Member(
                name=rung.name,
                kind=rung.kind,
                fits=rung.context_tokens is None
                or settings.call_tokens(place, prompt_tokens=bounds[place]) <= rung.context_tokens,
                affordable=pays_for(
                    bare.budget,
                    settings.size(place, prompt_tokens=bounds[place], beside=beside),
                ),
            )
            for place, rung in enumerate(settings.rungs)
        ]
        tuned = any(rung.kind == "reasoning" for rung in settings.rungs)
        asked = settings.first == "auto" and tuned
        heaviness = reasoning_heavy(run.question) if asked else None
        ladder = hand_over(members, heaviness=heaviness)
        fields = bare.model_dump() | {
            "prompt_bound": max((bounds[k] for k in (*ladder.rungs, *ladder.spare)), default=0),
            "beside": beside,
            "ladder": ladder.rungs,
            "spare": ladder.spare,
            "prompt_bounds": bounds,
            "notes": ladder.notes,
        }
        return LadderAdmission.model_validate(fields)

    def _next(self, run: CascadeRun) -> dict[str, Any]:
        """The next rung with its lease; none where an answer is good enough, or nothing is left."""
        over: dict[str, Any] = {"step": None, "cut_off_by": None}
        admission, settings = run.admission, self.settings
        if admission is None:
            raise ValueError("a request must be let in before a rung is asked")
        if not admission.prompt_bounds:
            return {**over, "cut_off_by": "seconds"}  # the time was up before they were counted
        ratings = ratings_of(run, verified=settings.verifier is not None)
        if ratings and good_enough(ratings[-1], settings.rungs[run.outcomes[-1].rung].accept):
            return over
        place = climbed(run, ratings, settings.rungs)
        nothing_yet = all(one.candidate.answer is None for one in run.outcomes)
        several = admission.ladder + (admission.spare if nothing_yet else ())
        if place >= len(several):
            return over
        rung = several[place]
        bound = admission.prompt_bounds[rung]
        granted = lease_of_rung(
            admission.budget.remaining(run.usage),
            settings.size(rung, prompt_tokens=bound, beside=admission.beside),
            nothing_yet=nothing_yet,
        )
        if granted.lease is None:
            return {**over, "cut_off_by": granted.limited_by}
        seed = admission.seed
        step = Step(
            index=len(run.outcomes),
            rung=rung,
            lease=granted.lease,
            prompt_tokens=bound,
            deadline=admission.deadline,
            granted_by=new_grant(),
            seed=None if seed is None else seed + rung,
        )
        return {"step": step.model_dump(), "cut_off_by": None}
