"""Asynchronous streams in synchronous code."""

import asyncio
import threading

import pytest

from tscale_graph.techniques.nodes import run_blocking, stream_blocking


async def numbers(last, *, then=None, ended=None):
    try:
        for number in range(last):
            yield number
            await asyncio.sleep(0)
        if then is not None:
            raise then
        if ended is not None:
            await asyncio.sleep(60)
    finally:
        if ended is not None:
            ended.set()


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a running loop"])
def test_pieces_come_one_by_one(inside):
    async def listed():
        return list(stream_blocking(lambda: numbers(5)))

    got = run_blocking(listed()) if inside else list(stream_blocking(lambda: numbers(5)))
    assert got == [0, 1, 2, 3, 4]


def test_what_goes_wrong_comes_after_the_pieces():
    stream = stream_blocking(lambda: numbers(2, then=RuntimeError("no more")))
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(RuntimeError, match="no more"):
        next(stream)


def test_a_stream_that_is_left_early_is_cancelled():
    ended = threading.Event()
    stream = stream_blocking(lambda: numbers(1, ended=ended))
    assert next(stream) == 0
    stream.close()
    assert ended.wait(5), "it would have slept for a minute"
