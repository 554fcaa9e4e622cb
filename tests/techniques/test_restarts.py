"""What a run had begun when it was stopped is known when it goes on."""

import asyncio
from functools import partial

import pytest

from tscale_graph.techniques import restarts
from tscale_graph.techniques.restarts import new_grant, once, saved


class Work:
    """Counts how often it is done, and how often it had been begun before."""

    def __init__(self):
        self.done, self.begun = 0, []

    async def do(self, hang=False):
        self.done += 1
        if hang:
            await asyncio.sleep(60)
        return {"did": self.done}

    async def again(self, times):
        self.begun.append(times)
        return {"again": times}

    def once(self, granted_by, task="a", **how):
        return once(granted_by, task, partial(self.do, **how), self.again)


async def broken_off(work, grant):
    task = asyncio.ensure_future(work.once(grant, hang=True))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_has_ended_and_was_not_saved_comes_to_the_same():
    work, grant = Work(), new_grant()
    assert [await work.once(grant) for _ in range(3)] == [{"did": 1}] * 3
    assert (work.done, work.begun) == (1, [])


async def test_what_was_broken_off_is_not_done_again():
    work, grant = Work(), new_grant()
    await broken_off(work, grant)
    assert await work.once(grant) == {"again": 1}
    assert await work.once(grant) == {"again": 1}, "that has ended, then"
    assert work.done == 1


async def test_it_is_told_how_often_it_was_begun():
    work, grant = Work(), new_grant()

    async def again(times):
        work.begun.append(times)
        await asyncio.sleep(60)

    await broken_off(work, grant)
    for _ in range(2):
        task = asyncio.ensure_future(once(grant, "a", work.do, again))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert work.begun == [1, 2]


async def test_tasks_of_one_grant_and_tasks_of_different_grants_are_apart():
    work, one, other = Work(), new_grant(), new_grant()
    await broken_off(work, one)
    assert await work.once(one, "b") == {"did": 2}
    assert await work.once(other) == {"did": 3}


async def test_what_another_process_granted_may_have_been_begun():
    work = Work()
    assert await work.once("1/another/0") == {"again": 1}
    assert work.done == 0


async def test_what_was_saved_is_done_anew_when_somebody_goes_back_to_before_it():
    work, grant = Work(), new_grant()
    await work.once(grant)
    saved(grant, "unknown")
    assert await work.once(grant) == {"did": 2}


async def test_without_a_grant_nothing_is_known():
    work = Work()
    assert [await work.once("") for _ in range(2)] == [{"did": 1}, {"did": 2}]


async def test_runs_that_nobody_goes_on_with_are_forgotten_in_the_end(monkeypatch):
    monkeypatch.setattr(restarts, "_MOST_GRANTS", 10)
    monkeypatch.setattr(restarts, "_TASKS", {})
    work = Work()
    for _ in range(50):
        await work.once(new_grant())
    assert len(restarts._TASKS) == 10
