"""A killed run goes on where it was, and pays for no finished sample again."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fake_server import Behaviour, FakeServer

ROOT = Path(__file__).parents[2]


def start(server, database):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.techniques.killed_run", server.url, str(database)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_requests(server, count, process):
    deadline = time.monotonic() + 60
    while len(server.ledger().requests) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "the run never came so far"
        time.sleep(0.02)


@pytest.mark.parametrize("finished_waves", [1, 2, 3])
def test_a_run_killed_between_waves_pays_for_no_finished_sample_again(tmp_path, finished_waves):
    database = tmp_path / "state.sqlite"
    with FakeServer(Behaviour(latency=0.4), in_process=True) as server:
        first = start(server, database)
        # Three samples share one request. When the next request has arrived, the waves before
        # it are over and saved; the one in flight is lost with the process.
        wait_for_requests(server, finished_waves + 1, first)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        before = server.ledger(settle=1.0).requests
        second = start(server, database)
        out, err = second.communicate(timeout=60)
        requests = server.ledger().requests
    assert out.split() == ["3", "12", "12", "complete"], err
    assert len(before) == finished_waves + 1
    # The request that died with the process may have been billed: it is charged, and what was
    # asked of the server is what the run says that it spent.
    assert len(requests) == 4
    assert sum(request.n for request in requests) == 12
    assert [r.fate for r in requests].count("completed") >= 3
    assert "blocked" not in err, "strict msgpack restores every type in the state"
    assert "unregistered" not in err.lower()


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
    }, run.stderr
    assert "locked" not in run.stderr, "no type of ours is unknown to the checkpointer"
