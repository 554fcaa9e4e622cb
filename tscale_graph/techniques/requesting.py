"""What asking for several completions has in common, of samples and of the nodes of a tree."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion

Sending = Callable[[], Awaitable[list[Completion]]]
"""Sends one request."""


def candidate_of(completion: Completion, *, index: int) -> Candidate:
    """A completion as a candidate, before anything is made of it."""
    return Candidate(
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


def watched(endpoint: Endpoint, *, distrusted: bool) -> Endpoint:
    """The model, not taken at its word once it went over its limit."""
    return replace(endpoint, honours_limit=False) if distrusted else endpoint


def refused(completions: Sequence[Completion]) -> bool:
    """Whether a provider does not answer one prompt several times."""
    return completions[0].status in (400, 422)


async def gathered(asks: Sequence[Sending], *, at_once: int | None = None) -> list[Completion]:
    """The completions of several requests, side by side.

    Args:
        asks: each sends one request.
        at_once: how many may be in flight together; None leaves it open.
    """
    room = asyncio.Semaphore(at_once or len(asks) or 1)

    async def when_there_is_room(ask: Sending) -> list[Completion]:
        async with room:
            return await ask()

    several = await asyncio.gather(*map(when_there_is_room, asks))
    return [one for completions in several for one in completions]


async def one_by_one(
    refusal: list[Completion],
    ask: Callable[[Budget, int], Awaitable[list[Completion]]],
    *,
    lease: Budget,
    size: SampleSize,
    wanted: int,
    name: str,
) -> list[Completion]:
    """Ask for completions one by one that a provider does not give together, in their lease.

    Args:
        refusal: what it said to the request for all of them.
        ask: asks for one, under a lease of its own, by its place among them.
        lease: what all of them may spend, the refusal included.
        size: the most that one of them can take.
        wanted: how many.
        name: the model's.
    """
    used = Usage.total(completion.usage for completion in refusal)
    granted = grant(
        lease.remaining(used), size, wanted=wanted, still_wanted=wanted, nothing_yet=True
    )
    if granted.lease is None:
        return refusal
    own = granted.lease
    completions = await gathered([partial(ask, own, place) for place in range(granted.samples)])
    note = f"{name} does not answer several times at once: {refusal[0].error}"
    first = completions[0]
    completions[0] = replace(first, usage=first.usage + used, notes=(note, *first.notes))
    return completions
