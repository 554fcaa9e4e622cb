"""A labelling run that is stopped goes on where it was, and asks for nothing twice."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.searching import billed
from tests.techniques.stepping import QUESTION, solving
from tscale_graph import Budget
from tscale_graph.techniques.labelling.graph import label_steps

ROOT = Path(__file__).parents[3]
THREAD = {"configurable": {"thread_id": "one"}}


def asked(**limits):
    return {
        "messages": [("user", QUESTION)],
        "budget": Budget(**(limits or {"calls": 200})),
        "gold": "6",
    }


async def uninterrupted():
    model = solving()
    graph = label_steps(model, steps="line").compile()
    return (await graph.ainvoke(asked()))["labels"], model


async def test_it_goes_on_from_every_checkpoint_without_asking_twice():
    whole, once = await uninterrupted()
    steps = 0
    while True:
        model = solving()
        graph = label_steps(model, steps="line").compile(checkpointer=InMemorySaver())
        run = graph.astream(asked(), THREAD, stream_mode="updates")
        seen = 0
        async for _ in run:
            seen += 1
            if seen > steps:
                break
        await run.aclose()
        before = len(model.calls)
        if not (await graph.aget_state(THREAD)).next:
            assert steps > 4
            return
        labels = (await graph.ainvoke(None, THREAD))["labels"]
        assert labels["status"] == "complete"
        assert len(labels["samples"]) == labels["usage"]["calls"] == len(model.calls)
        assert before <= len(model.calls)
        assert abs(len(model.calls) - len(once.calls)) <= 4
        assert len(labels["solutions"]) == len(whole["solutions"])
        steps += 1


async def test_a_killed_process_loses_only_what_was_in_flight(tmp_path):
    script = Path(__file__).with_name("killed_run.py")
    answers = {"1 + 2 = 3\nThe answer is 3": 2.0, "1 + 2 = 4\nThe answer is 4": 1.0}
    with FakeServer(Behaviour(answers=answers, latency=0.15)) as server:
        command = [sys.executable, str(script), server.url, str(tmp_path / "runs.sqlite")]
        killed = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while asked_of(server) < 9 and time.monotonic() < until:
            await asyncio.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        before = asked_of(server)
        assert before >= 9
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
        status, calls, samples = done.stdout.split()
        every = asked_of(server)
    assert (done.returncode, status) == (0, "complete")
    assert every <= int(calls) <= 60
    assert 0 <= every - int(samples) <= 3  # those that were in flight


def asked_of(server):
    """Completions that the server was asked for."""
    return sum(request.n for request in server.ledger().requests)


async def test_a_run_that_is_cancelled_pays_for_what_was_in_flight_and_asks_again(tmp_path):
    model = solving(hang=0.0)
    reached = asyncio.Event()
    halting = True

    async def wait(self):
        if halting and len(self.calls) > 12:
            reached.set()
            await asyncio.sleep(60)

    type(model).wait, kept = wait, type(model).wait
    try:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
            graph = label_steps(model, steps="line").compile(checkpointer=saver)
            task = asyncio.ensure_future(graph.ainvoke(asked(calls=60), THREAD))
            await asyncio.wait_for(reached.wait(), 20)
            task.cancel()
            await asyncio.wait({task})
            halting = False
            labels = (await graph.ainvoke(None, THREAD))["labels"]
    finally:
        type(model).wait = kept
    assert labels["status"] == "complete"
    assert len(model.calls) <= labels["usage"]["calls"] <= 60
    assert billed(model) <= sum(labels["usage"][kind] for kind in ("input_tokens", "output_tokens"))
    lost = labels["usage"]["calls"] - len(labels["samples"])
    assert lost > 0


@pytest.mark.parametrize("times", [2])
async def test_a_thread_that_labels_another_question_begins_anew(times):
    graph = label_steps(solving(), steps="line").compile(checkpointer=InMemorySaver())
    found = [(await graph.ainvoke(asked(), THREAD))["labels"] for _ in range(times)]
    assert len({len(one["samples"]) for one in found}) <= 2
    assert all(one["usage"]["calls"] == len(one["samples"]) for one in found)
