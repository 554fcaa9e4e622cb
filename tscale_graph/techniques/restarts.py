"""Samples that a process had asked for when it died: nobody knows whether they were billed."""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate
from tscale_graph.sharing import apportion
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Wave

_STARTED = uuid.uuid4().hex

LOST = "lost: the process that had asked for it ended first"


def this_process() -> str:
    """What tells this process from all others, before and after it."""
    return f"{os.getpid()}/{_STARTED}"


def asked_before(granted_in: str) -> bool:
    """Whether what a process granted may have been asked for already.

    A resumed run repeats the tasks that were not saved. On Temporal the same task may run anywhere,
    and Temporal itself says whether it has run before.

    Args:
        granted_in: the process that granted it (see `this_process`).
    """
    temporal: Any = sys.modules.get("temporalio.activity")
    if temporal is not None and temporal.in_activity():
        return temporal.info().attempt > 1
    return granted_in != this_process()


def lost_samples(settings: SamplingSettings, wave: Wave) -> list[Candidate]:
    """Failed candidates that are charged all that they could have spent."""
    leases = 1 if wave.together else wave.samples
    output = settings.max_output_tokens * (wave.samples if wave.together else 1)
    spent = Usage(
        calls=wave.samples,
        input_tokens=leases * wave.prompt_tokens,
        output_tokens=leases * min(output, _room(wave, output)),
        usd=leases * (wave.lease.usd or 0.0),
    )
    return [
        Candidate(index=wave.first + place, error=LOST, usage=usage)
        for place, usage in enumerate(apportion(spent, [1] * wave.samples))
    ]


def _room(wave: Wave, output_tokens: int) -> int:
    """The completion tokens that a lease has room for."""
    tokens = wave.lease.tokens
    return output_tokens if tokens is None else max(0, tokens - wave.prompt_tokens)
