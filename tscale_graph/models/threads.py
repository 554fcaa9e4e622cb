"""Calling what only has a synchronous interface, from asyncio, so that it can be given up on.

Threads of an executor are joined when the loop or the interpreter ends, so one call that hangs
would hold up the program. These are daemon threads: a caller that is cancelled simply leaves.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

synchronous: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "tscale_synchronous", default=False
)
"""Set while a node of a graph runs under `invoke`."""


def running_synchronously() -> bool:
    """Whether the graph runs under `invoke`, where LangGraph gives each task a thread of few."""
    return synchronous.get()


async def in_thread(function: Callable[[], T]) -> T:
    """Run `function` in a daemon thread of its own; a cancelled caller does not wait for it."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(method: Callable[[Any], None], value: object) -> None:
        if not outcome.done():
            method(value)

    def run() -> None:
        try:
            value = context.run(function)
        except StopIteration:  # which no future can carry
            error = RuntimeError("StopIteration was raised by what was called")
            _on_loop(loop, settle, outcome.set_exception, error)
        except Exception as error:  # noqa: BLE001 - handed to the caller, whatever it is
            _on_loop(loop, settle, outcome.set_exception, error)
        except BaseException as error:  # noqa: BLE001 - must not end the caller's event loop
            failed = RuntimeError(f"{type(error).__name__} was raised by what was called")
            _on_loop(loop, settle, outcome.set_exception, failed)
        else:
            _on_loop(loop, settle, outcome.set_result, value)

    threading.Thread(target=run, name="tscale-call", daemon=True).start()
    return await outcome


async def stream_in_thread(iterate: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """Iterate in daemon threads, one item at a time: never more than one item ahead.

    Closing the generator closes the iterator: at once, or after the item that it is at.
    """
    iterating = _Iterating(iterate)
    try:
        while True:
            more, item = await in_thread(iterating.advance)
            if not more:
                return
            yield item  # pyright: ignore[reportReturnType]
    finally:
        iterating.leave()


class _Iterating(Generic[T]):
    """An iterator that one thread at a time advances, and whoever is last closes."""

    def __init__(self, iterate: Callable[[], Iterator[T]]) -> None:
        self._iterate = iterate
        self._iterator: Iterator[T] | None = None
        self._lock = threading.Lock()
        self._advancing = False
        self._left = False

    def advance(self) -> tuple[bool, T | None]:
        with self._lock:
            if self._left:
                return False, None
            self._advancing = True
        try:
            if self._iterator is None:
                self._iterator = self._iterate()
            return True, next(self._iterator)
        except StopIteration:
            return False, None
        finally:
            with self._lock:
                self._advancing = False
                left = self._left
            if left:
                self._close()

    def leave(self) -> None:
        with self._lock:
            self._left = True
            advancing = self._advancing
        if not advancing and self._iterator is not None:
            # Closing may wait for a connection, and the event loop must not.
            threading.Thread(target=self._close, name="tscale-close", daemon=True).start()

    def _close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if callable(close):
            close()


def _on_loop(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> None:
    """Schedule on the loop, unless it has closed in the meantime: nobody waits any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)
