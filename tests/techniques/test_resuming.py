"""A killed run goes on where it was, and pays for no finished sample again."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fake_server import Behaviour, FakeServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Forked from one that has imported all that a run needs, and has done nothing else.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([f"{__package__}.killed_run", __name__])


def run(url, database, told):
    """In a process of its own; what it tells is written to a file for each stream."""
    for stream, file in enumerate(told, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), stream)
    from tests.techniques.killed_run import main  # not above: it makes msgpack strict

    asyncio.run(main(url, str(database)))


def start(server, database, *told):
    process = processes.Process(target=run, args=(server.url, database, told), daemon=True)
    process.start()
    return process


def wait_for_requests(server, count, process, err):
    deadline = time.monotonic() + 60
    while len(server.ledger().requests) < count:
        assert process.is_alive(), err.read_text()
        assert time.monotonic() < deadline, "the run never came so far"
        time.sleep(0.02)


@pytest.mark.parametrize("finished_waves", [1, 2, 3])
def test_a_run_killed_between_waves_pays_for_no_finished_sample_again(tmp_path, finished_waves):
    database, out, err = (tmp_path / name for name in ("state.sqlite", "out", "err"))
    with FakeServer(Behaviour(latency=0.4), in_process=True) as server:
        first = start(server, database, out, err)
        # Three samples share one request. When the next request has arrived, the waves before
        # it are over and saved; the one in flight is lost with the process.
        wait_for_requests(server, finished_waves + 1, first, err)
        first.kill()
        first.join()
        before = server.ledger(settle=1.0).requests
        second = start(server, database, out, err)
        second.join(60)
        requests = server.ledger().requests
    warned = err.read_text()
    assert out.read_text().split() == ["3", "12", "12", "complete"], warned
    assert len(before) == finished_waves + 1
    # The request that died with the process may have been billed: it is charged, and what was
    # asked of the server is what the run says that it spent.
    assert len(requests) == 4
    assert sum(request.n for request in requests) == 12
    assert [r.fate for r in requests].count("completed") >= 3
    assert "blocked" not in warned, "strict msgpack restores every type in the state"
    assert "unregistered" not in warned.lower()


def test_every_step_of_every_technique_is_read_back_by_strict_msgpack():
    run = subprocess.run(
        [sys.executable, "-m", "tests.techniques.interrupted_run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = [line.split(" | ") for line in run.stdout.splitlines()]
    answers = {name: answer for name, answer, _ in lines}
    assert answers == {
        "race": "3",
        "judged race": "3",
        "clusters": "It is Paris.",
        "closing calls": "3",
        "first to finish": "3",
        "aggregation": "3",
        "ladder": "3",
        "thinking": "3",
    }, run.stderr
    assert "locked" not in run.stderr, "no type of ours is unknown to the checkpointer"
