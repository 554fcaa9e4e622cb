"""The budget node of revisions: lets a request in, and no version start without a lease."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AnyMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from tscale_graph.budget import Limit, Usage
from tscale_graph.leases import all_of, grant
from tscale_graph.models.calls import count_prompt
from tscale_graph.techniques.admission import admit_request
from tscale_graph.techniques.gate import OF_ONE_REQUEST
from tscale_graph.techniques.refining.chains import Chains, chains_of
from tscale_graph.techniques.refining.settings import RefiningSettings
from tscale_graph.techniques.refining.state import RefiningRun, RefiningState, Step
from tscale_graph.techniques.restarts import new_grant
from tscale_graph.techniques.state import Admission, SampleTask, Wave


@dataclass(frozen=True, slots=True)
class Wanted:
    """Versions with one prompt.

    Attributes:
        steps: one for each of them.
        prompt_tokens: what the prompt counts at most.
    """

    steps: tuple[Step, ...]
    prompt_tokens: int


@dataclass(frozen=True)
class RefiningGate:
    """Stamps the deadline, grants each chain the lease of its next version, or ends the run."""

    settings: RefiningSettings

    async def admit(self, state: RefiningState, config: RunnableConfig) -> dict[str, Any]:
        """Grant the next round its leases: at most what the budget still pays for.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        now, cleared = time.time(), dict[str, Any]()
        run = RefiningRun.model_validate(state)
        if run.wanted is None or run.admission is None:
            admission = await self._let_in(state, run, config, now)
            cleared = {**dict.fromkeys(OF_ONE_REQUEST), "admission": admission.model_dump()}
            run = RefiningRun(
                messages=run.messages,
                admission=admission,
                separate=run.separate,
                distrusted=run.distrusted,
            )
        else:
            admission = run.admission
        run = run.model_copy(update={"clock": max(run.clock, time.time())})
        chains = chains_of(self.settings, run)
        wanted, limit = await self._wanted(run, admission, chains)
        waves, steps, denied = self._granted(run, admission, wanted)
        return {
            **cleared,
            "waves": [wave.model_dump() for wave in waves],
            "steps": [step.model_dump() for step in [*run.steps, *steps]],
            "cut_off_by": None if waves else limit or denied,
            "clock": max(run.clock, time.time()),
        }

    async def fan_out(self, state: RefiningState) -> list[Send] | str:
        """Send each version on its way, or finish when nothing was granted."""
        run = RefiningRun.model_validate(state)
        if not run.waves or run.admission is None:
            return "finish"
        chains, deadline = chains_of(self.settings, run), run.admission.deadline
        tasks = (
            SampleTask(
                messages=cast(
                    list[AnyMessage], self._prompt(run, chains, run.steps[wave.first].chain)
                ),
                wave=wave,
                deadline=deadline,
            )
            for wave in run.waves
        )
        return [Send("sample", dict(task)) for task in tasks]

    async def _let_in(
        self, state: RefiningState, run: RefiningRun, config: RunnableConfig, now: float
    ) -> Admission:
        admission = await admit_request(self.settings.sampling, state, run, config, now)
        critic = self.settings.critic
        if critic is None:
            return admission
        return admission.model_copy(update={"beside": critic.for_one(admission)})

    def _prompt(self, run: RefiningRun, chains: Chains, chain: int) -> list[BaseMessage]:
        asked = self.settings.sampling.prompt(run.messages)
        return chains.prompt(asked, chain, chains.base(chain))

    async def _wanted(
        self, run: RefiningRun, admission: Admission, chains: Chains
    ) -> tuple[list[Wanted], Limit | None]:
        """What the chains need next, answers to the bare question together.

        With "seconds" where the time was up before a prompt was counted.
        """
        sampling = self.settings.sampling
        first = self._first_prompt_tokens(run, admission)
        fresh: list[Step] = []
        revisions: list[Wanted] = []
        for chain in chains.open[: sampling.max_parallel]:
            base = chains.base(chain)
            if base is None:
                fresh.append(Step(chain=chain))
                continue
            left = None if admission.deadline is None else admission.deadline - time.time()
            prompt = self._prompt(run, chains, chain)
            bound = await count_prompt(sampling.endpoint, prompt, seconds=left)
            if bound is None:
                return [], "seconds"
            step = Step(chain=chain, base=base.candidate.index)
            revisions.append(Wanted((step,), first + max(0, bound - admission.prompt_bound)))
        return [*([Wanted(tuple(fresh), first)] if fresh else []), *revisions], None

    def _first_prompt_tokens(self, run: RefiningRun, admission: Admission) -> int:
        """What the bare question counts: as the provider counted it, once it has."""
        counted = [
            candidate.prompt_tokens
            for candidate in run.candidates
            if candidate.prompt_tokens is not None and run.steps[candidate.index].base is None
        ]
        told = counted and not self.settings.sampling.endpoint.counter.own
        return max(counted) if told else admission.prompt_bound

    def _granted(
        self, run: RefiningRun, admission: Admission, wanted: Sequence[Wanted]
    ) -> tuple[list[Wave], list[Step], Limit | None]:
        """Leases for as many versions as the budget pays for.

        With the limit that kept it from more, if there is one.
        """
        endpoint = self.settings.sampling.endpoint
        most = self.settings.sampling.max_output_tokens
        waves, steps, limit = list[Wave](), list[Step](), None
        taken = run.usage + admission.reserved
        for one in wanted:
            count, first = len(one.steps), len(run.steps) + len(steps)
            left = admission.budget.remaining(taken)
            together = count > 1 and endpoint.shares_prompt and not (run.separate or run.distrusted)
            together = together and (
                bool(run.candidates) or endpoint.may_risk_refusal(count, calls=left.calls)
            )
            size = endpoint.size(
                prompt_tokens=one.prompt_tokens,
                output_tokens=most,
                together=together,
                beside=admission.beside,
            )
            granted = grant(
                left,
                size,
                wanted=count,
                still_wanted=max(count, self.settings.sampling.max_samples - first),
                nothing_yet=not (run.candidates or waves),
                calls_seen=max((c.usage.calls for c in run.candidates), default=0),
            )
            limit = limit or granted.limited_by
            if granted.lease is None:
                continue
            several = together and granted.samples > 1
            steps += one.steps[: granted.samples]
            for place in range(1 if several else granted.samples):
                wave = Wave(
                    first=first + place,
                    samples=granted.samples if several else 1,
                    together=several,
                    lease=granted.lease,
                    prompt_tokens=one.prompt_tokens,
                    granted_by=new_grant(),
                    distrusted=run.distrusted,
                    seed=admission.seed,
                )
                waves.append(wave)
            taken += all_of(granted.lease, leases=1 if together else granted.samples)
            taken += Usage.total([admission.beside] * granted.samples)
        return waves, steps, limit
