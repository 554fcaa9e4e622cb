"""The budget node of revisions: lets a request in, and no version start without a lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from tscale_graph.budget import Limit
from tscale_graph.techniques.admission import admit_request
from tscale_graph.techniques.gate import OF_ONE_REQUEST
from tscale_graph.techniques.own_prompts import (
    Wanted,
    fresh,
    grant_prompts,
    longer_prompt_tokens,
    question_tokens,
    sent,
)
from tscale_graph.techniques.refining.chains import Chains, chains_of
from tscale_graph.techniques.refining.settings import RefiningSettings
from tscale_graph.techniques.refining.state import RefiningRun, RefiningState, Step
from tscale_graph.techniques.state import Admission, Wave


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
            run = fresh(run, admission)
        else:
            admission = run.admission
        run = run.model_copy(update={"clock": max(run.clock, time.time())})
        chains, asked = chains_of(self.settings, run), len(run.steps)
        wanted, limit = await self._wanted(run, admission, chains)
        granted = grant_prompts(self.settings.sampling, run, admission, wanted, asked=asked)
        return {
            **cleared,
            "waves": [wave.model_dump() for wave in granted.waves],
            "steps": [step.model_dump() for step in [*run.steps, *granted.steps]],
            "cut_off_by": None if granted.waves else limit or granted.limit,
            "clock": max(run.clock, time.time()),
        }

    async def fan_out(self, state: RefiningState) -> list[Send] | str:
        """Send each version on its way, or finish when nothing was granted."""
        run = RefiningRun.model_validate(state)
        if not run.waves or run.admission is None:
            return "finish"
        chains = chains_of(self.settings, run)

        def prompt(wave: Wave) -> list[BaseMessage]:
            return self._prompt(run, chains, run.steps[wave.first].chain)

        return sent(run.waves, prompt, deadline=run.admission.deadline)

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
    ) -> tuple[list[Wanted[Step]], Limit | None]:
        """What the chains need next, answers to the bare question together.

        With "seconds" where the time was up before a prompt was counted.
        """
        sampling = self.settings.sampling
        alone = {index for index, step in enumerate(run.steps) if step.base is None}
        question = question_tokens(sampling, run, admission, alone=alone)
        first: list[Step] = []
        revisions: list[Wanted[Step]] = []
        for chain in chains.open[: sampling.max_parallel]:
            base = chains.base(chain)
            if base is None:
                first.append(Step(chain=chain))
                continue
            prompt = self._prompt(run, chains, chain)
            tokens = await longer_prompt_tokens(sampling, admission, prompt, question=question)
            if tokens is None:
                return [], "seconds"
            revisions.append(Wanted((Step(chain=chain, base=base.candidate.index),), tokens))
        return [*([Wanted(tuple(first), question)] if first else []), *revisions], None
