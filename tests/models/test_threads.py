"""Synchronous code under asyncio: its outcome, its errors, its context, and how it is left."""

import asyncio
import contextvars
import subprocess
import sys
import threading
import time

import pytest
from langchain_core.messages import HumanMessage

from tests.scripted import Scripted, Synchronous, SynchronousStreaming
from tscale_graph import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.threads import in_thread, stream_in_thread

ASKED = Request(messages=[HumanMessage("q?")], max_output_tokens=50)


def raising(error):
    def function():
        raise error

    return function


async def test_what_was_returned_comes_back_from_another_daemon_thread():
    thread = await in_thread(threading.current_thread)
    assert thread is not threading.current_thread()
    assert thread.daemon


async def test_an_exception_comes_back_as_it_was():
    error = KeyError("gone")
    with pytest.raises(KeyError) as raised:
        await in_thread(raising(error))
    assert raised.value is error


@pytest.mark.parametrize("error", [StopIteration(3), KeyboardInterrupt(), SystemExit(1)])
async def test_what_no_future_may_carry_comes_back_as_a_runtime_error(error):
    with pytest.raises(RuntimeError, match=f"{type(error).__name__} was raised by what was called"):
        await asyncio.wait_for(in_thread(raising(error)), 10)


variable = contextvars.ContextVar("variable", default="unset")


async def test_the_callers_context_is_seen_and_not_changed():
    variable.set("the caller's")

    def function():
        seen = variable.get()
        variable.set("the thread's")
        return seen

    assert await in_thread(function) == "the caller's"
    assert variable.get() == "the caller's"


async def test_a_caller_that_is_cancelled_does_not_wait():
    release, ended = threading.Event(), threading.Event()

    def hang():
        release.wait(30)
        ended.set()

    work = asyncio.ensure_future(in_thread(hang))
    await asyncio.sleep(0.02)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not ended.is_set()
    release.set()
    assert await in_thread(lambda: ended.wait(10)), "and what ends afterwards disturbs nobody"


HANGING = """
import asyncio, threading
from tscale_graph.models.threads import in_thread

async def main():
    try:
        await asyncio.wait_for(in_thread(threading.Event().wait), 0.05)
    except TimeoutError:
        print("left", flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_call_that_hangs_holds_up_neither_the_loop_nor_the_program():
    program = [sys.executable, "-c", HANGING]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("left\n", "")


def test_a_call_that_outlives_its_loop_says_nothing():
    release, threads = threading.Event(), []

    def hang():
        threads.append(threading.current_thread())
        release.wait(30)

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(hang), 0.02)

    asyncio.run(main())
    release.set()
    [thread] = threads
    thread.join(10)
    assert not thread.is_alive()


async def test_a_stream_brings_every_item_in_order():
    assert [item async for item in stream_in_thread(lambda: iter(range(50)))] == [*range(50)]


async def test_a_stream_is_never_more_than_one_item_ahead():
    made = []

    def items():
        for item in range(10):
            made.append(item)
            yield item

    async for item in stream_in_thread(items):
        await asyncio.sleep(0.002)
        assert len(made) <= item + 2


async def test_an_error_in_a_stream_comes_after_what_came_before_it():
    def items():
        yield 1
        raise KeyError("gone")

    stream = stream_in_thread(items)
    assert await anext(stream) == 1
    with pytest.raises(KeyError):
        await anext(stream)


async def test_closing_a_stream_closes_its_iterator():
    closed = threading.Event()

    def items():
        try:
            yield from range(100)
        finally:
            closed.set()

    kept = items()  # or it would be closed for want of anyone who holds it
    stream = stream_in_thread(lambda: kept)
    assert await anext(stream) == 0
    await stream.aclose()
    assert await in_thread(lambda: closed.wait(10))


async def test_an_iterator_that_is_left_while_it_works_is_closed_after_that_item():
    release, closed, further = threading.Event(), threading.Event(), threading.Event()

    def items():
        try:
            release.wait(30)
            yield 1
            further.set()
            yield 2
        finally:
            closed.set()

    kept = items()  # or it would be closed for want of anyone who holds it
    reading = asyncio.ensure_future(anext(stream_in_thread(lambda: kept)))
    await asyncio.sleep(0.02)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not closed.is_set()
    release.set()
    assert await in_thread(lambda: closed.wait(10))
    assert not further.is_set()


class Exhausted(Synchronous):
    """A synchronous model whose own iterator has run out."""

    def _generate(self, messages, stop=None, run_manager=None, **options):
        self.begin(messages, options)
        return next(iter(()))


async def test_a_model_that_raises_stop_iteration_is_a_failed_call_and_no_hang():
    model = endpoint(Exhausted())
    work = complete(model, ASKED, Budget(calls=1, tokens=500))
    [completion] = await asyncio.wait_for(work, 30)
    assert "StopIteration" in completion.error
    assert completion.usage.tokens == model.counter.prompt_bound(ASKED.messages) + 50


class Mixed(SynchronousStreaming):
    """Asynchronous in one piece, but synchronous where it streams."""

    _agenerate = Scripted._agenerate


@pytest.mark.parametrize("kind", [Mixed, Synchronous, SynchronousStreaming])
def test_a_deadline_holds_whichever_half_of_a_model_is_synchronous(kind):
    """The loop's default executor would be waited for when the loop ends."""
    model = kind(delay=10.0)
    started = time.monotonic()
    [completion] = asyncio.run(complete(endpoint(model), ASKED, Budget(calls=1, seconds=0.2)))
    assert time.monotonic() - started < 5, "of the ten seconds that it hangs"
    assert completion.cut_off_by == "seconds"
    assert len(model.calls) == 1
