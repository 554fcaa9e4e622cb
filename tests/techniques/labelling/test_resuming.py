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
from tests.techniques.searching import Told, billed
from tests.techniques.stepping import QUESTION, solving
from tscale_graph import Budget
from tscale_graph.recordings.records import RecordedSample
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


async def stopped_at(call, saver):
    """What became of a run that was cancelled at some call, and gone on with; and its model."""
    reached = asyncio.Event()

    class Halting(Told):
        halting: bool = True

        async def wait(self):
            if self.halting and len(self.calls) >= call:
                reached.set()
                await asyncio.sleep(60)

    model = Halting(**dict(solving()))
    graph = label_steps(model, steps="line").compile(checkpointer=saver)
    task = asyncio.ensure_future(graph.ainvoke(asked(calls=100), THREAD))
    await asyncio.wait_for(reached.wait(), 20)
    task.cancel()
    await asyncio.wait({task})
    model.halting = False
    return (await graph.ainvoke(None, THREAD))["labels"], model


@pytest.mark.parametrize("call", [1, 4, 7, 9, 12])
async def test_a_run_that_is_cancelled_pays_for_what_was_in_flight_and_asks_again(tmp_path, call):
    whole, once = await uninterrupted()
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
        labels, model = await stopped_at(call, saver)
    usage = labels["usage"]
    assert labels["status"] == "complete"
    assert len(labels["solutions"]) == len(whole["solutions"])
    assert len(model.calls) <= usage["calls"] <= 100
    assert billed(model) <= usage["input_tokens"] + usage["output_tokens"]
    lost = usage["calls"] - len(labels["samples"])
    assert 0 < lost <= 12
    assert len(model.calls) - lost <= len(once.calls) + 4  # what is drawn differs, the need hardly


@pytest.mark.slow
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


async def test_a_thread_that_labels_another_question_begins_anew():
    graph = label_steps(solving(), lambda question, answer: False, steps="line")
    graph = graph.compile(checkpointer=InMemorySaver())
    first = (await graph.ainvoke(asked(), THREAD))["labels"]
    assert any(one["right"] for one in first["solutions"])
    known = [RecordedSample(text="The answer is 5.", answer="5", correct=True)] * 6
    some = {"messages": [("user", "How many?")], "budget": Budget(calls=50)}
    second = (await graph.ainvoke({**some, "gold": "5", "known": known}, THREAD))["labels"]
    assert second["usage"]["calls"] == 0
    third = (await graph.ainvoke(some, THREAD))["labels"]
    assert third["usage"]["calls"] >= 6
    assert not any(one["right"] for one in third["solutions"])
