"""`langgraph dev` over HTTP: forms, pictures, runs within their budgets, streams and errors."""

import asyncio
import json
import re
import time
from pathlib import Path

import pytest
from langgraph_sdk import get_client

from tests.fake_server import Behaviour, FakeServer
from tests.studio.serving import langgraph_dev
from tscale_graph.studio.forms import ASSISTANTS, form

pytestmark = pytest.mark.slow

ANSWERS = {"The answer is 3": 1.0}
EQUATION = "Solve 3x + 4 = 19 for x."
QUESTION = "How many r's are in strawberry?"
PAGE = (Path(__file__).parents[2] / "docs/studio.md").read_text()


@pytest.fixture(scope="module")
def model():
    with FakeServer(Behaviour(answers=ANSWERS)) as server:
        yield server


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    with langgraph_dev(model.url, folder=tmp_path_factory.mktemp("studio")) as url:
        yield url


@pytest.fixture
async def client(server):
    async with get_client(url=server) as opened:
        yield opened


def asked(question=QUESTION, **more):
    return {"messages": [{"role": "user", "content": question}], **more}


def calls(model):
    """What the model's server counted since it was last asked."""
    ledger = model.ledger(settle=5)
    model.reset()
    return sum(request.n for request in ledger.requests)


async def test_every_assistant_has_a_form_and_a_picture_of_its_own_nodes(client):
    found = await client.assistants.search(limit=50)
    assert {one["graph_id"] for one in found} == set(ASSISTANTS)
    for one in found:
        schemas = await client.assistants.get_schemas(one["assistant_id"])
        assert schemas["context_schema"] == form(one["graph_id"]).model_json_schema()
        assert {"messages", "budget"} <= set(schemas["input_schema"]["properties"])
        assert set(schemas["output_schema"]["properties"]) == {"messages", "result"}
    drawn = await client.assistants.get_graph("self_consistency")
    assert {"admit", "sample", "decide", "finish"} <= {node["id"] for node in drawn["nodes"]}


async def test_an_assistant_of_other_settings_answers_within_its_budget(client, model):
    thrifty = await client.assistants.create(
        "self_consistency",
        context={"model": "openai:fake", "max_samples": 9, "stop": "fixed", "budget_calls": 4},
    )
    name = thrifty["assistant_id"]
    model.reset()
    out = await client.runs.wait(None, name, input=asked())
    assert (out["result"]["answer"], out["result"]["cut_off_by"]) == ("3", "calls")
    assert out["messages"][-1]["usage_metadata"]["output_tokens"] == 4 * 4
    assert (out["result"]["usage"]["calls"], calls(model)) == (4, 4)

    await client.runs.wait(None, name, input=asked(), context={"budget_calls": 2})
    assert calls(model) == 2, "of the run before that of the assistant"
    await client.runs.wait(None, name, input=asked(), context={"budget": {"calls": 3}})
    assert calls(model) == 3, "as a whole"
    await client.runs.wait(None, name, input=asked(budget={"calls": 1}))
    assert calls(model) == 1, "of the input before all others"


async def test_runs_side_by_side_keep_their_own_settings(client, model):
    async def run(calls):
        context = {"model": "openai:fake", "max_samples": 9, "stop": "fixed", "budget_calls": calls}
        out = await client.runs.wait(None, "self_consistency", input=asked(), context=context)
        return out["result"]["usage"]["calls"]

    model.reset()
    allowed = [1, 2, 3, 4] * 2
    assert await asyncio.gather(*map(run, allowed)) == allowed
    assert calls(model) == sum(allowed)


@pytest.mark.parametrize(
    ("name", "context", "question"),
    [
        ("best_of_n", {"verifier": "equation", "n": 3}, EQUATION),
        ("refine", {"max_revisions": 1}, QUESTION),
        ("extended_thinking", {"thinking_tokens": 20}, QUESTION),
        ("cascade", {"rungs": "openai:fake, openai:other", "model": None}, QUESTION),
        ("router", {"budget_calls": 5}, QUESTION),
    ],
)
async def test_techniques_answer(client, model, name, context, question):
    model.reset()
    given = {"model": "openai:fake", **context}
    out = await client.runs.wait(None, name, input=asked(question), context=given)
    assert out["result"]["answer"] == "3"
    assert out["result"]["usage"]["calls"] == calls(model) <= 64


async def test_a_conversation_goes_on_in_its_thread(client):
    thread = (await client.threads.create())["thread_id"]
    settings = {"model": "openai:fake", "stop": "fixed", "budget_calls": 3}
    for turn in (1, 2):
        out = await client.runs.wait(thread, "self_consistency", input=asked(), context=settings)
        assert len(out["messages"]) == 2 * turn
        assert out["result"]["usage"]["calls"] == 3, "the budget of this request alone"
    state = await client.threads.get_state(thread)
    assert state["values"]["result"]["answer"] == "3"


@pytest.mark.parametrize("stream_samples", [False, True])
async def test_progress_and_the_answer_are_streamed(client, model, stream_samples):
    settings = {"model": "openai:fake", "stop": "fixed", "budget_calls": 3}
    settings |= {"stream_samples": stream_samples}
    modes = ["custom", "messages"]
    model.reset()
    told, messages = [], []
    async for part in client.runs.stream(
        None, "self_consistency", input=asked(), context=settings, stream_mode=modes
    ):
        if part.event == "custom":
            told.append(part.data)
        elif part.event in ("messages/partial", "messages/complete"):
            messages += part.data
    samples = [one["sample"] for one in told if "sample" in one]
    assert sorted(sample["index"] for sample in samples) == [0, 1, 2]
    assert all(sample["text"] == "The answer is 3" for sample in samples)
    progress = [one["progress"] for one in told if "progress" in one]
    assert progress[-1]["usage"]["calls"] == calls(model) == 3
    assert (messages[-1]["type"], messages[-1]["content"]) == ("ai", "The answer is 3")
    assert len({one["id"] for one in messages}) == (4 if stream_samples else 1)


async def test_a_run_that_is_cancelled_closes_every_connection_within_100_ms(tmp_path):
    with FakeServer(Behaviour(latency=30)) as slow, langgraph_dev(slow.url, folder=tmp_path) as url:
        async with get_client(url=url) as client:
            # The machine is noisy: the better of two counts.
            took = [await seconds_to_cancel(client, slow) for _ in range(2)]
    assert min(took) < 0.1


async def seconds_to_cancel(client, model):
    """Until the last of the connections to the model is closed."""
    model.reset()
    thread = (await client.threads.create())["thread_id"]
    settings = {"model": "openai:fake", "stop": "fixed", "budget_calls": 3}
    run = await client.runs.create(thread, "self_consistency", input=asked(), context=settings)
    while not model.ledger().requests:
        await asyncio.sleep(0.05)
    cancelled = time.monotonic()
    await client.runs.cancel(thread, run["run_id"], wait=True)
    requests = model.ledger(settle=3).requests
    assert {request.fate for request in requests} == {"client_disconnected"}
    return max(request.ended for request in requests) - cancelled


async def test_wrong_settings_end_a_run_in_one_line_before_any_call(client, model):
    wrong = {"model": "openai:fake", "max_samples": 0}
    told = "self_consistency: max_samples: Input should be greater than or equal to 1, got 0"
    model.reset()
    with pytest.raises(Exception, match=f"^ValueError: {told}$"):
        await client.runs.wait(None, "self_consistency", input=asked(), context=wrong)
    streamed = client.runs.stream(None, "self_consistency", input=asked(), context=wrong)
    parts = [part async for part in streamed]
    assert parts[-1].data == {"error": "ValueError", "message": told}
    assert calls(model) == 0

    spoilt = await client.assistants.create("self_consistency", context=wrong)
    schemas = await client.assistants.get_schemas(spoilt["assistant_id"])
    assert schemas["context_schema"]["properties"]["max_samples"]["minimum"] == 1


def test_the_page_has_a_program_that_runs_and_graphs_that_exist(server, model, capsys):
    program = re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", PAGE, re.DOTALL)[1]
    model.reset()
    exec(program.replace("http://127.0.0.1:2024", server), {})
    answer, counted = capsys.readouterr().out.split()
    assert (answer, int(counted)) == ("3", calls(model))
    graphs = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])["graphs"]
    assert graphs == {name: f"tscale_graph.studio:{name}" for name in graphs}
    assert set(graphs) <= set(ASSISTANTS)
    named = set(re.findall(r"`(\w+)`", PAGE.split("starts all of them")[1].split("The server")[0]))
    assert named == set(ASSISTANTS)
