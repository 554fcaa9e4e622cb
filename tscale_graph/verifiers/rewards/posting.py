"""Posting JSON to a server until it answers, the deadline comes, or it says no."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tscale_graph.leases import MAX_RETRIES
from tscale_graph.models.failures import failure

if TYPE_CHECKING:
    import ssl

    import httpx

_FIRST_BACKOFF_SECONDS = 0.25
_SAID_AT_MOST = 200


class PostingError(RuntimeError):
    """There is no reply; the message is one line on why."""


async def post_json(
    url: str,
    body: Mapping[str, Any],
    *,
    headers: Mapping[str, str],
    seconds: float,
    deadline: float | None = None,
    clock: Callable[[], float] = time.time,
    rng: random.Random | None = None,
) -> Any:
    """The JSON that a server replies with.

    Lost connections, timeouts and the statuses that mean "later" are tried again, at most
    `MAX_RETRIES` times, while there is time.

    Args:
        url: where to.
        body: what.
        headers: sent along.
        seconds: the most that one attempt may take.
        deadline: when to give up, on the same clock.
        clock: seconds since the epoch.
        rng: spreads retries out in time.

    Raises:
        PostingError: when there is no reply, or one that is no JSON.
    """
    rng = rng or random.Random()
    tried = 0
    while True:
        left = None if deadline is None else deadline - clock()
        if left is not None and left <= 0:
            raise PostingError("the deadline had passed")
        try:
            async with asyncio.timeout(seconds if left is None else min(seconds, left)):
                return await _attempt(url, body, headers)
        except TimeoutError:
            if left is not None and left <= seconds:
                raise PostingError("no reply before the deadline") from None
            problem, pause = f"no reply in {seconds:g} s", 0.0
        except _Refused as refused:
            problem, pause = str(refused), refused.retry_after
            if not refused.transient:
                raise PostingError(problem) from None
        if tried == MAX_RETRIES:
            raise PostingError(problem)
        pause = max(pause, _FIRST_BACKOFF_SECONDS * 2**tried * (0.5 + rng.random()))
        if deadline is not None and pause >= deadline - clock():
            raise PostingError(problem)
        await asyncio.sleep(pause)
        tried += 1


class _Refused(Exception):
    """One attempt that failed."""

    def __init__(self, message: str, *, transient: bool, retry_after: float) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after = retry_after


async def _attempt(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    import httpx  # a sixth of a second, for those who need it

    try:
        async with httpx.AsyncClient(verify=_certificates(), timeout=None) as client:  # noqa: S113 - timed by the caller
            response = await client.post(url, json=dict(body), headers=dict(headers))
            response.raise_for_status()
    except httpx.HTTPError as error:
        failed = failure(error)
        status = f"HTTP {failed.status}: {_said(error)}" if failed.status else failed.message
        raise _Refused(
            status, transient=failed.transient, retry_after=failed.retry_after or 0.0
        ) from error
    try:
        return response.json()
    except ValueError:
        raise PostingError(f"the reply is no JSON: {response.text[:_SAID_AT_MOST]!r}") from None


@cache
def _certificates() -> ssl.SSLContext:
    """Loaded once: it takes longer than a request on a local network."""
    import httpx

    return httpx.create_ssl_context()


def _said(error: httpx.HTTPError) -> str:
    """What the server said of its refusal, in one line."""
    response = getattr(error, "response", None)
    return " ".join(response.text.split())[:_SAID_AT_MOST] if response is not None else ""
