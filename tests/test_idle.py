import asyncio
import threading

from tscale_graph import Idle


async def test_who_works_ahead_is_told_at_once_from_any_thread():
    idle, began, done = Idle(linger=0), threading.Event(), threading.Event()

    def ask():
        with idle.asking():
            began.set()
            done.wait(5)

    with idle.told() as event:
        assert not event.is_set()
        thread = threading.Thread(target=ask)
        thread.start()
        await asyncio.wait_for(event.wait(), 5)
        assert not idle.free
        done.set()
        thread.join()
    assert idle.free


async def test_who_begins_while_somebody_asks_is_told_too():
    idle = Idle(linger=0)
    with idle.asking(), idle.asking(), idle.told() as event:
        assert event.is_set()
    with idle.told() as event:
        assert not event.is_set()


def test_a_loop_that_is_closed_keeps_nobody_from_asking():
    idle, entered = Idle(linger=0), []

    async def leave_open():
        entered.append(idle.told())
        entered[0].__enter__()

    asyncio.run(leave_open())
    with idle.asking():
        assert not idle.free
