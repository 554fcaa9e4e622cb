"""Whether anybody is asking: what works ahead gives way to what somebody waits for."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Idle:
    """Shared by those who answer and those who work ahead, on any thread and event loop.

    Args:
        linger: seconds for which nobody is free yet after somebody asked, at least 0: one request
            may ask several times in a row.
        clock: seconds that only grow.

    >>> idle = Idle(linger=0)
    >>> with idle.asking():
    ...     idle.free
    False
    >>> idle.free
    True
    """

    def __init__(self, *, linger: float = 0.1, clock: Callable[[], float] = time.monotonic) -> None:
        if not linger >= 0:
            raise ValueError(f"linger must be at least 0, got {linger!r}")
        self._lock = threading.Lock()
        self._clock, self._linger = clock, linger
        self._asking, self._free_from = 0, -math.inf
        self._told: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    @property
    def free(self) -> bool:
        """Nobody is asking, or was just now."""
        return not self._asking and self._clock() >= self._free_from

    @contextmanager
    def asking(self) -> Generator[None]:
        """Somebody is, as long as this lasts; who works ahead stops at once."""
        with self._lock:
            self._asking += 1
            told = list(self._told.items())
        for event, loop in told:
            _set(loop, event)
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                self._free_from = self._clock() + self._linger

    @contextmanager
    def told(self) -> Generator[asyncio.Event]:
        """An event of the running loop that is set as soon as somebody asks."""
        event = asyncio.Event()
        with self._lock:
            self._told[event] = asyncio.get_running_loop()
            if not self.free:
                event.set()
        try:
            yield event
        finally:
            with self._lock:
                del self._told[event]


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(event.set)
    except RuntimeError:  # that loop is closed, and nobody waits there any more
        return
