"""Whether anybody is asking: what works ahead gives way to what somebody waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager


class Idle:
    """Shared by those who answer and those who work ahead, on any thread and event loop.

    >>> idle = Idle()
    >>> with idle.asking():
    ...     idle.free
    False
    >>> idle.free
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = 0
        self._told: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    @property
    def free(self) -> bool:
        """Nobody is asking."""
        return self._asking == 0

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

    @contextmanager
    def told(self) -> Generator[asyncio.Event]:
        """An event of the running loop that is set as soon as somebody asks."""
        event = asyncio.Event()
        with self._lock:
            self._told[event] = asyncio.get_running_loop()
            if self._asking:
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
