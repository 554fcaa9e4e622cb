"""The sampler: asks the model, and never raises for one bad sample."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SampleTask


@dataclass(frozen=True)
class Sampler:
    """Takes the samples of one task: one, several gathered, or several of one request."""

    settings: SamplingSettings

    async def sample(self, task: dict[str, Any]) -> dict[str, Any]:
        """Take the samples that a `Send` asks for.

        A failed call becomes a candidate with an `error`; its usage counts.
        """
        todo = SampleTask.model_validate(task)
        wave = todo.wave
        separate = False
        if wave.together:
            completions = await self._ask(todo, place=0, n=wave.samples)
            separate = len(completions) < wave.samples or _refused(completions)
            if _refused(completions):
                completions = await self._separately(todo, completions)
        else:
            asked = [self._ask(todo, place=place) for place in range(wave.samples)]
            completions = [one for several in await asyncio.gather(*asked) for one in several]
        candidates = [
            _candidate(completion, index=wave.first + place)
            for place, completion in enumerate(completions)
        ]
        return {
            "candidates": [candidate.model_dump() for candidate in candidates],
            "clock": time.time(),
            "separate": separate,
            "distrusted": any(candidate.overshoot_tokens for candidate in candidates),
        }

    async def _ask(self, task: SampleTask, *, place: int, n: int = 1) -> list[Completion]:
        settings, index = self.settings, task.wave.first + place
        return await complete(
            self._endpoint(task),
            Request(
                messages=task.messages,
                n=n,
                max_output_tokens=settings.max_output_tokens,
                temperature=settings.temperature,
                seed=None if settings.seed is None else settings.seed + index,
            ),
            task.wave.lease,
            deadline=task.deadline,
            rng=random.Random(None if settings.seed is None else f"{settings.seed}/{index}"),
        )

    def _endpoint(self, task: SampleTask) -> Endpoint:
        endpoint = self.settings.endpoint
        return replace(endpoint, honours_limit=False) if task.wave.distrusted else endpoint

    async def _separately(self, task: SampleTask, refused: list[Completion]) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        settings, wave = self.settings, task.wave
        used = Usage.total(completion.usage for completion in refused)
        endpoint = settings.endpoint
        granted = grant(
            wave.lease.remaining(used),
            SampleSize(
                prompt_tokens=endpoint.counter.prompt_bound(task.messages),
                output_tokens=settings.max_output_tokens,
                price=endpoint.prices.ceiling,
            ),
            wanted=wave.samples,
            still_wanted=wave.samples,
            nothing_yet=True,
        )
        if granted.lease is None:
            return refused
        alone = task.model_copy(
            update={"wave": wave.model_copy(update={"lease": granted.lease, "together": False})}
        )
        asked = [self._ask(alone, place=place) for place in range(granted.samples)]
        completions = [one for several in await asyncio.gather(*asked) for one in several]
        note = f"{endpoint.name} does not answer several times at once: {refused[0].error}"
        first = completions[0]
        completions[0] = replace(first, usage=first.usage + used, notes=(note, *first.notes))
        return completions


def _refused(completions: list[Completion]) -> bool:
    return completions[0].status in (400, 422)


def _candidate(completion: Completion, *, index: int) -> Candidate:
    logprobs = completion.logprobs
    return Candidate(
        index=index,
        text=completion.text,
        reasoning=completion.reasoning,
        tool_calls=list(completion.tool_calls),
        finish_reason=completion.finish_reason,
        truncated=completion.truncated,
        cut_off_by=completion.cut_off_by,
        mean_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
        error=completion.error,
        usage=completion.usage,
        prompt_tokens=completion.prompt_tokens,
        overshoot_tokens=completion.overshoot_tokens,
        notes=list(completion.notes),
    )
