"""The budget node of aggregation: lets a request in, and no member start without a lease."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from tscale_graph.budget import Limit
from tscale_graph.techniques.admission import admit_request
from tscale_graph.techniques.aggregating.populations import drawn, populations_of
from tscale_graph.techniques.aggregating.prompts import to_aggregate
from tscale_graph.techniques.aggregating.settings import AggregatingSettings
from tscale_graph.techniques.aggregating.state import AggregatingRun, AggregatingState, Member
from tscale_graph.techniques.gate import OF_ONE_REQUEST
from tscale_graph.techniques.own_prompts import (
    Wanted,
    fresh,
    grant_prompts,
    longer_prompt_tokens,
    question_tokens,
    sent,
)
from tscale_graph.techniques.state import Admission, Wave


@dataclass(frozen=True)
class AggregatingGate:
    """Stamps the deadline, grants the members of a generation their leases, or ends the run."""

    settings: AggregatingSettings

    async def admit(self, state: AggregatingState, config: RunnableConfig) -> dict[str, Any]:
        """Grant what is open of a generation its leases: at most what the budget still pays for.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        now, cleared = time.time(), dict[str, Any]()
        run, sampling = AggregatingRun.model_validate(state), self.settings.sampling
        if run.wanted is None or run.admission is None:
            admission = await admit_request(sampling, state, run, config, now)
            seed = admission.seed
            entropy = random.SystemRandom().getrandbits(63) if seed is None else seed
            cleared = {**dict.fromkeys(OF_ONE_REQUEST), "admission": admission.model_dump()}
            run = fresh(run, admission).model_copy(update={"entropy": entropy})
        else:
            admission = run.admission
        run = run.model_copy(update={"clock": max(run.clock, time.time())})
        wanted, limit = await self._wanted(run, admission)
        granted = grant_prompts(sampling, run, admission, wanted, asked=len(run.members))
        return {
            **cleared,
            "entropy": run.entropy,
            "waves": [wave.model_dump() for wave in granted.waves],
            "members": [member.model_dump() for member in [*run.members, *granted.steps]],
            "cut_off_by": None if granted.waves else limit or granted.limit,
            "clock": max(run.clock, time.time()),
        }

    async def fan_out(self, state: AggregatingState) -> list[Send] | str:
        """Send each member on its way, or finish when nothing was granted."""
        run = AggregatingRun.model_validate(state)
        if not run.waves or run.admission is None:
            return "finish"

        def prompt(wave: Wave) -> list[BaseMessage]:
            return self._prompt(run, run.members[wave.first])

        return sent(run.waves, prompt, deadline=run.admission.deadline)

    def _prompt(self, run: AggregatingRun, member: Member) -> list[BaseMessage]:
        asked = self.settings.sampling.prompt(run.messages)
        texts = {candidate.index: candidate.text for candidate in run.candidates}
        if not member.sources:
            return asked
        return to_aggregate(asked, [texts[index] for index in member.sources])

    async def _wanted(
        self, run: AggregatingRun, admission: Admission
    ) -> tuple[list[Wanted[Member]], Limit | None]:
        """The members that are wanted next, answers to the bare question together.

        With "seconds" where the time was up before a prompt was counted.
        """
        sampling, populations = self.settings.sampling, populations_of(self.settings, run)
        alone = {index for index, member in enumerate(run.members) if not member.sources}
        question = question_tokens(sampling, run, admission, alone=alone)
        generation, places = populations.following or (0, [])
        places = places[: sampling.max_parallel]
        if generation == 0:
            first = tuple(Member(generation=0, place=place) for place in places)
            return [Wanted(first, question)] if first else [], None
        holders = [candidate.index for candidate in populations.holders(generation - 1)]
        members = [
            Member(
                generation=generation,
                place=place,
                sources=drawn(
                    holders,
                    self.settings.subset,
                    entropy=run.entropy,
                    generation=generation,
                    place=place,
                ),
            )
            for place in places
        ]
        counted = await asyncio.gather(
            *(
                longer_prompt_tokens(
                    sampling, admission, self._prompt(run, member), question=question
                )
                for member in members
            )
        )
        tokens = [count for count in counted if count is not None]
        if len(tokens) < len(members):
            return [], "seconds"
        return [Wanted((one,), count) for one, count in zip(members, tokens, strict=True)], None
