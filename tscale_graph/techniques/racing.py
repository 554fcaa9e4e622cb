"""Speculation: more samples in flight than the rule needs, and none kept once it is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Candidate, Checked
from tscale_graph.stopping import can_still_change
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
        wave, halt = self.task.wave, asyncio.Event()
        leases = self._check_leases()
        racing = [
            asyncio.ensure_future(self._sample(place, halt, leases[place]))
            for place in range(wave.samples)
        ]
        run, checks = self.so_far, dict[str, Checked]()
        try:
            for following in asyncio.as_completed(racing):
                candidate, checked = await following
                checks |= {k: v for k, v in checked.items() if k not in checks}
                run = run.model_copy(
                    update={
                        "candidates": [*run.candidates, candidate],
                        "checks": run.checks | checks,
                    }
                )
                if not halt.is_set() and self._settled(run):
                    halt.set()
        finally:
            for still in racing:
                still.cancel()
        candidates = sorted((future.result()[0] for future in racing), key=lambda c: c.index)
        found = {key: check.model_dump() for key, check in checks.items()}
        return {**sampled(candidates), **({"checks": found} if found else {})}

    async def _sample(
        self, place: int, halt: asyncio.Event, lease: Budget | None
    ) -> tuple[Candidate, dict[str, Checked]]:
        candidate = await self.sample(self.task, place, halt)
        settings = self.settings
        if settings.verifier is None or candidate.error or candidate.discarded is not None:
            return candidate, {}
        checker = Checker(settings, settings.verifier)
        return candidate, await checker.check_one(candidate, self.so_far, lease)

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
