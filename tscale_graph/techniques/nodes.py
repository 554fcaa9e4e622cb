"""Nodes and edges that run the same under `invoke`, `ainvoke` and on other machines.

LangGraph refuses an async-only node under `invoke`. Here each node is an `async def` method or
module-level function, and gets its synchronous twin from one wrapper.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import cache
from queue import SimpleQueue
from typing import Any, Literal, TypeVar

from langgraph._internal._runnable import RunnableCallable
from langgraph.config import get_stream_writer
from langgraph.graph import StateGraph

from tscale_graph.models.threads import synchronous

T = TypeVar("T")
Node = Callable[..., Coroutine[Any, Any, Any]]
ExecuteIn = Literal["activity", "workflow"]

_SYNC_THREADS = 64

_in_background: ContextVar[bool] = ContextVar("tscale_in_background", default=False)


def announce(event: dict[str, Any]) -> None:
    """Tell whoever streams the run in the mode "custom"; on Temporal, nobody can be told."""
    try:
        write = get_stream_writer()
    except (RuntimeError, KeyError):  # outside of a run of LangGraph's own
        return
    write(event)


def add_node(
    graph: StateGraph[Any, Any, Any, Any],
    name: str,
    node: Node,
    *,
    execute_in: ExecuteIn,
    state: type[Any],
) -> None:
    """Add a node that works from `invoke`, from `ainvoke` and as a Temporal activity.

    Args:
        graph: where to add it.
        name: the node's name.
        node: an `async def` method or module-level function.
        execute_in: "activity" when it does I/O or reads a clock, "workflow" when it is pure.
        state: the schema of what it reads.
    """
    runnable = twin(node, pure=execute_in == "workflow")
    graph.add_node(name, runnable, metadata={"execute_in": execute_in}, input_schema=state)


def add_edges(
    graph: StateGraph[Any, Any, Any, Any], source: str, edge: Node, targets: list[Hashable]
) -> None:
    """Add a conditional edge from a pure `async def` method or module-level function."""
    graph.add_conditional_edges(source, twin(edge, pure=True), path_map=targets)  # pyright: ignore[reportArgumentType]


def twin(node: Node, *, pure: bool) -> RunnableCallable:
    """A runnable with `node` as its asynchronous side and a synchronous side made from it."""
    # LangGraph's own class rather than `RunnableLambda`: Temporal's plugin takes no other.
    return RunnableCallable(func=_Synchronous(node, pure), afunc=node, name=node.__name__)


@dataclass
class _Synchronous:
    """Calls an async node from synchronous code, and passes for it by name and signature."""

    node: Node
    pure: bool
    __signature__: inspect.Signature = field(init=False)

    def __post_init__(self) -> None:
        self.__signature__ = inspect.signature(self.node)
        self.__name__ = self.node.__name__
        self.__qualname__ = self.node.__qualname__
        self.__module__ = self.node.__module__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = synchronous.set(True)
        try:
            call = self.node(*args, **kwargs)
            return _finish_at_once(call) if self.pure else run_blocking(call)
        finally:
            synchronous.reset(token)


def _finish_at_once(call: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing, without an event loop."""
    try:
        call.send(None)
    except StopIteration as finished:
        return finished.value
    call.close()
    raise RuntimeError(f"{call.__qualname__} is declared pure but awaited something")


def run_blocking(call: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from synchronous code, on the process's background loop.

    Works where a loop is running already, as in a notebook. One loop for all synchronous
    calls, because HTTP clients keep their connections with the loop that opened them; but what
    runs there and blocks, such as a verifier that invokes a graph, gets a loop of its own for
    that: the background loop waits for it and can run nothing meanwhile.
    """
    running = _started(call)
    try:
        return running.result()
    except BaseException:
        running.cancel()
        raise


def stream_blocking(stream: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """What an asynchronous stream yields, as it comes, to synchronous code.

    Args:
        stream: begins it. One that is not taken to its end is cancelled.
    """
    pieces, over = SimpleQueue[Any](), object()

    async def feed() -> None:
        try:
            async for piece in stream():
                pieces.put(piece)
        finally:
            pieces.put(over)

    running = _started(feed())
    try:
        while (piece := pieces.get()) is not over:
            yield piece
        running.result()
    finally:
        running.cancel()


def _started(call: Coroutine[Any, Any, T]) -> Future[T]:
    if _in_background.get():
        return _on_a_loop_of_its_own(call)
    token = _in_background.set(True)
    try:
        return asyncio.run_coroutine_threadsafe(call, _background_loop(os.getpid()))
    finally:
        _in_background.reset(token)


def _on_a_loop_of_its_own(call: Coroutine[Any, Any, T]) -> Future[T]:
    outcome: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(asyncio.run, call))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            outcome.set_exception(error)

    threading.Thread(target=run, name="tscale-nested", daemon=True).start()
    return outcome


@cache
def _background_loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of a process: a forked one has none of its parent's threads."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(_SYNC_THREADS, "tscale-sync"))
    threading.Thread(target=loop.run_forever, name="tscale-loop", daemon=True).start()
    return loop
