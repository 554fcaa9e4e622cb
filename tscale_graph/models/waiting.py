"""Waiting for calls that may not be wanted any more, and leaving those that do not let go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

UNWANTED = "cancelled: the answer was settled without it"

_CANCEL_GRACE_SECONDS = 0.1
"""How long a cancelled call may take to let go before it is left behind."""


async def until(
    work: asyncio.Future[Any], *, seconds: float | None, halts: Sequence[asyncio.Event]
) -> None:
    """Wait until work is done, so many seconds are over, or one of the events is set.

    When the caller is cancelled, the work is as well.

    Args:
        work: what is waited for.
        seconds: how long at most, or None.
        halts: any of them ends the wait.
    """
    halted = [asyncio.ensure_future(halt.wait()) for halt in halts]
    try:
        await asyncio.wait({work, *halted}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        await abandon(work)
        raise
    finally:
        for one in halted:
            one.cancel()


async def abandon(work: asyncio.Future[Any]) -> None:
    """Cancel, and wait only briefly for a call that does not let go."""
    work.cancel()
    await asyncio.wait({work}, timeout=_CANCEL_GRACE_SECONDS)
    if not work.done():
        work.add_done_callback(_forget)
    else:
        _forget(work)


async def pause(seconds: float, *, halts: Sequence[asyncio.Event]) -> None:
    """Wait so long, or until one of the events is set."""
    await until(asyncio.ensure_future(asyncio.sleep(seconds)), seconds=None, halts=halts)


def _forget(work: asyncio.Future[Any]) -> None:
    """Take the outcome of an abandoned call, so that asyncio does not warn of it."""
    if not work.cancelled():
        work.exception()
