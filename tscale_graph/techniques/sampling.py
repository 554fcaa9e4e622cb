"""The sampler: asks the model, and never raises for one bad sample."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.attempts import ConfidenceFloor, Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.confidence import check_logprobs, with_confidence
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.racing import Race
from tscale_graph.techniques.restarts import asked_before, lost_samples
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SampleTask, sampled


@dataclass(frozen=True)
class Sampler:
    """Takes the samples of one task: one, several gathered, or several of one request."""

    settings: SamplingSettings

    async def sample(self, task: dict[str, Any]) -> dict[str, Any]:
        """Take the samples that a `Send` asks for.

        A failed call becomes a candidate with an `error`; its usage counts. Each candidate is
        told on the custom stream, as `{"sample": …}`.

        Raises:
            MissingLogprobs: when the selection needs log-probabilities and there are none.
        """
        todo = SampleTask.model_validate(task)
        wave = todo.wave
        if asked_before(wave.granted_in):
            return sampled(lost_samples(self.settings, wave))
        if todo.run is not None:
            return await Race(self.settings, self.one, todo, todo.run).run()
        separate = False
        if wave.together:
            completions = await self.ask(todo, place=0, n=wave.samples)
            separate = len(completions) < wave.samples or _refused(completions)
            if _refused(completions):
                completions = await self._separately(todo, completions)
        else:
            asked = [self.ask(todo, place=place) for place in range(wave.samples)]
            completions = [one for several in await asyncio.gather(*asked) for one in several]
        candidates = [
            self.candidate(completion, index=wave.first + place)
            for place, completion in enumerate(completions)
        ]
        return {**sampled(candidates), "separate": separate}

    async def one(self, task: SampleTask, place: int, halt: asyncio.Event) -> Candidate:
        """One sample of a wave, given up on when `halt` is set."""
        completion = (await self.ask(task, place=place, halt=halt))[0]
        return self.candidate(completion, index=task.wave.first + place)

    def candidate(self, completion: Completion, *, index: int) -> Candidate:
        """What became of one completion; told to whoever watches the run.

        Raises:
            MissingLogprobs: when the selection needs log-probabilities and there are none.
        """
        settings = self.settings
        name, select = settings.endpoint.name, settings.select.name
        check_logprobs(completion, name, likely=settings.logprobs, select=select)
        candidate = Candidate(
            index=index,
            text=completion.text,
            reasoning=completion.reasoning,
            tool_calls=list(completion.tool_calls),
            finish_reason=completion.finish_reason,
            truncated=completion.truncated,
            cut_off_by=completion.cut_off_by,
            discarded=completion.discarded,
            error=completion.error,
            usage=completion.usage,
            prompt_tokens=completion.prompt_tokens,
            overshoot_tokens=completion.overshoot_tokens,
            notes=list(completion.notes),
        )
        candidate = with_confidence(candidate, completion, stated=settings.asks_confidence)
        announce({"sample": candidate.model_dump()})
        return candidate

    async def ask(
        self, task: SampleTask, *, place: int, n: int = 1, halt: asyncio.Event | None = None
    ) -> list[Completion]:
        """Ask for one sample of a wave, or for `n` in one request."""
        settings, index, floor = self.settings, task.wave.first + place, task.wave.floor
        return await complete(
            self._endpoint(task),
            Request(
                messages=task.messages,
                n=n,
                max_output_tokens=settings.max_output_tokens,
                temperature=settings.temperature,
                seed=None if settings.seed is None else settings.seed + index,
                logprobs=settings.logprobs,
                prompt_tokens=task.wave.prompt_tokens,
                floor=floor and ConfidenceFloor(floor.lowest_group, floor.window),
            ),
            task.wave.lease,
            deadline=task.deadline,
            rng=random.Random(None if settings.seed is None else f"{settings.seed}/{index}"),
            halt=halt,
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
                prompt_tokens=wave.prompt_tokens,
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
        asked = [self.ask(alone, place=place) for place in range(granted.samples)]
        completions = [one for several in await asyncio.gather(*asked) for one in several]
        note = f"{endpoint.name} does not answer several times at once: {refused[0].error}"
        first = completions[0]
        completions[0] = replace(first, usage=first.usage + used, notes=(note, *first.notes))
        return completions


def _refused(completions: list[Completion]) -> bool:
    return completions[0].status in (400, 422)
