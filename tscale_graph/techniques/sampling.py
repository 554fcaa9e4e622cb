"""The sampler: asks the model, and never raises for one bad sample."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import ConfidenceFloor, Request
from tscale_graph.models.calls import complete
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.confidence import check_logprobs, with_confidence
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.racing import Race
from tscale_graph.techniques.requesting import (
    candidate_of,
    gathered,
    one_by_one,
    refused,
    watched,
)
from tscale_graph.techniques.restarts import LOST, goes_on_by_itself, lost_usages, once
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SampleTask, Wave, sampled


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

        async def lost(times: int) -> dict[str, Any]:
            if self.settings.endpoint.nested and goes_on_by_itself():
                return await self._samples(todo.model_copy(update={"begun": True}))
            return sampled(self._lost(wave))

        return await once(wave.granted_by, str(wave.first), lambda: self._samples(todo), lost)

    async def _samples(self, todo: SampleTask) -> dict[str, Any]:
        wave = todo.wave
        if todo.run is not None:
            return await Race(self.settings, self.one, todo, todo.run).run()
        separate = False
        if wave.together:
            completions = await self.ask(todo, place=0, n=wave.samples)
            separate = len(completions) < wave.samples or refused(completions)
            if refused(completions):
                completions = await self._separately(todo, completions)
        else:
            asks = [partial(self.ask, todo, place=place) for place in range(wave.samples)]
            completions = await gathered(asks)
        candidates = [
            self.candidate(completion, index=wave.first + place)
            for place, completion in enumerate(completions)
        ]
        return {**sampled(candidates), "separate": separate}

    def _lost(self, wave: Wave) -> list[Candidate]:
        """Failed candidates that are charged all that they could have spent."""
        settings = self.settings
        size = settings.endpoint.size(
            prompt_tokens=wave.prompt_tokens,
            output_tokens=settings.max_output_tokens,
            together=wave.together,
        )
        usages = lost_usages(wave.lease, wave.samples, size)
        return [
            Candidate(index=wave.first + place, error=LOST, usage=usage)
            for place, usage in enumerate(usages)
        ]

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
        candidate = candidate_of(completion, index=index)
        candidate = with_confidence(candidate, completion, stated=settings.asks_confidence)
        announce({"sample": candidate.model_dump()})
        return candidate

    async def ask(
        self, task: SampleTask, *, place: int, n: int = 1, halt: asyncio.Event | None = None
    ) -> list[Completion]:
        """Ask for one sample of a wave, or for `n` in one request."""
        settings, index, floor = self.settings, task.wave.first + place, task.wave.floor
        seed = task.wave.seed_of(index)
        return await complete(
            watched(settings.endpoint, distrusted=task.wave.distrusted),
            Request(
                messages=task.messages,
                n=n,
                max_output_tokens=settings.max_output_tokens,
                temperature=settings.temperature,
                seed=seed,
                logprobs=settings.logprobs,
                prompt_tokens=task.wave.prompt_tokens,
                floor=floor and ConfidenceFloor(floor.lowest_group, floor.window),
                goes_on=True,
                begun=task.begun,
            ),
            task.wave.lease,
            deadline=task.deadline,
            rng=random.Random(None if seed is None else f"{seed}/{index}"),
            halt=halt,
        )

    async def _separately(self, task: SampleTask, refusal: list[Completion]) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        settings, wave = self.settings, task.wave

        def ask(lease: Budget, place: int) -> Awaitable[list[Completion]]:
            alone = wave.model_copy(update={"lease": lease, "together": False})
            return self.ask(task.model_copy(update={"wave": alone}), place=place)

        size = SampleSize(
            prompt_tokens=wave.prompt_tokens,
            output_tokens=settings.max_output_tokens,
            price=settings.endpoint.prices.ceiling,
        )
        return await one_by_one(
            refusal,
            ask,
            lease=wave.lease,
            size=size,
            wanted=wave.samples,
            name=settings.endpoint.name,
        )
