"""Races: more samples in flight than the rule needs, and none kept once it is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Candidate, Checked
from tscale_graph.models.waiting import UNWANTED
from tscale_graph.stopping import FirstToFinish, can_still_change
from tscale_graph.techniques.checking import Checker, share_out
from tscale_graph.techniques.reading import read, samples_left, spare, standing_of
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SampleTask, Snapshot, sampled

TakeOne = Callable[[SampleTask, int, asyncio.Event], Awaitable[Candidate]]


@dataclass(frozen=True)
class Race:
    """A wave of more samples than the rule needs: once it is settled, the rest is cancelled.

    Attributes:
        settings: how to sample.
        sample: takes the sample at one place of the wave, until told to halt.
        task: which samples.
        so_far: where the run stood when the wave began.
    """

    settings: SamplingSettings
    sample: TakeOne
    task: SampleTask
    so_far: Snapshot

    async def run(self) -> dict[str, Any]:
        """Take the samples, and judge each as it comes."""
        halt, checks = asyncio.Event(), _Checks()
        racing = [
            asyncio.ensure_future(self._sample(place, halt, checks, lease))
            for place, lease in enumerate(self._check_leases())
        ]
        run, arrived = self.so_far, list[Candidate]()
        try:
            for following in asyncio.as_completed(racing):
                candidate = await following
                if halt.is_set() and isinstance(self.settings.rule, FirstToFinish):
                    candidate = too_late(candidate)
                arrived.append(candidate)
                run = run.model_copy(
                    update={
                        "candidates": [*run.candidates, candidate],
                        "checks": run.checks | checks.done(),
                    }
                )
                if not halt.is_set() and self._settled(run):
                    halt.set()
        except BaseException:
            # Whatever ended the race ends what is in flight, before anybody hears of it.
            for still in [*racing, *checks.running.values()]:
                still.cancel()
            await asyncio.gather(*racing, *checks.running.values(), return_exceptions=True)
            raise
        candidates = sorted(arrived, key=lambda c: c.index)
        found = {key: check.model_dump() for key, check in checks.done().items()}
        return {**sampled(candidates), **({"checks": found} if found else {})}

    async def _sample(
        self, place: int, halt: asyncio.Event, checks: _Checks, lease: Budget | None
    ) -> Candidate:
        candidate = await self.sample(self.task, place, halt)
        settings = self.settings
        if settings.verifier is None or candidate.error or candidate.discarded is not None:
            return candidate
        if halt.is_set():
            # It came too late to matter, so nobody is asked what it is worth.
            return too_late(candidate)
        checker = Checker(settings, settings.verifier)
        key, answer = checker.unseen(candidate, self.so_far)
        if key is not None and answer is not None:
            if key not in checks.running:
                check = checker.check(self.so_far, answer, lease)
                checks.running[key] = asyncio.ensure_future(check)
            await checks.running[key]
        return candidate

    def _check_leases(self) -> list[Budget | None]:
        """What each of the samples may spend on being judged, beside all that are in flight."""
        admission, wave = self.so_far.admission, self.task.wave
        if admission is None:
            return [None] * wave.samples
        in_flight = Usage(
            calls=wave.samples * (wave.lease.calls or 1),
            input_tokens=wave.samples * (wave.lease.tokens or 0),
            usd=wave.samples * (wave.lease.usd or 0.0),
        )
        return share_out(spare(self.so_far, admission, beside=in_flight), wave.samples)

    def _settled(self, run: Snapshot) -> bool:
        settings = self.settings
        kind, candidates = read(settings, run)
        left, _ = samples_left(settings, run)
        standing = standing_of(settings, candidates, kind, left=left)
        return settings.rule.settled(standing) or not can_still_change(standing)


def too_late(candidate: Candidate) -> Candidate:
    """A sample that came when the answer was settled: it takes no part in the choice."""
    if candidate.error or candidate.discarded is not None:
        return candidate
    return candidate.model_copy(update={"discarded": UNWANTED})


@dataclass(frozen=True)
class _Checks:
    """What is asked of the verifier in one race: once for equal answers, as everywhere."""

    running: dict[str, asyncio.Future[Checked]] = field(
        default_factory=dict[str, "asyncio.Future[Checked]"]
    )

    def done(self) -> dict[str, Checked]:
        """The checks that are over."""
        return {key: check.result() for key, check in self.running.items() if check.done()}
