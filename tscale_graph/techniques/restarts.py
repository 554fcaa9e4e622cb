"""Samples that a process had asked for when it died: nobody knows whether they were billed."""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any

from tscale_graph.budget import Budget, Usage
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
    usages = lost_usages(
        wave.lease,
        wave.samples,
        together=wave.together,
        prompt_tokens=wave.prompt_tokens,
        output_tokens=settings.max_output_tokens,
    )
    return [
        Candidate(index=wave.first + place, error=LOST, usage=usage)
        for place, usage in enumerate(usages)
    ]


def lost_usages(
    lease: Budget, count: int, *, together: bool, prompt_tokens: int, output_tokens: int
) -> list[Usage]:
    """All that each of several completions could have spent.

    Args:
        lease: of each of them, or of all of them together.
        count: how many.
        together: they were completions of one request.
        prompt_tokens: what the prompt counts at most.
        output_tokens: the most of one completion.
    """
    leases = 1 if together else count
    most = output_tokens * (count if together else 1)
    room = most if lease.tokens is None else max(0, lease.tokens - prompt_tokens)
    spent = Usage(
        calls=count,
        input_tokens=leases * prompt_tokens,
        output_tokens=leases * min(most, room),
        usd=leases * (lease.usd or 0.0),
    )
    return apportion(spent, [1] * count)
