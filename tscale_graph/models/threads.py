"""Calling what only has a synchronous interface, from asyncio, so that it can be given up on.

Threads of an executor are joined when the loop or the interpreter ends, so one call that hangs
would hold up the program. These are daemon threads: a caller that is cancelled simply leaves.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


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
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            _on_loop(loop, settle, outcome.set_exception, error)
        else:
            _on_loop(loop, settle, outcome.set_result, value)

    threading.Thread(target=run, name="tscale-call", daemon=True).start()
    return await outcome


async def stream_in_thread(iterate: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """Iterate in a daemon thread, one item at a time: never more than one item ahead.

    Closing the generator stops the thread before its next item.
    """
    iterator: Iterator[T] | None = None

    def advance() -> tuple[bool, T | None]:
        nonlocal iterator
        if iterator is None:
            iterator = iterate()
        try:
            return True, next(iterator)
        except StopIteration:
            return False, None

    while True:
        more, item = await in_thread(advance)
        if not more:
            return
        yield item  # pyright: ignore[reportReturnType]


def _on_loop(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> None:
    """Schedule on the loop, unless it has closed in the meantime: nobody waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *args)
