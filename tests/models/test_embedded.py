"""The embedded model, for real."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tscale_graph import Budget, self_consistency

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model():
    from tscale_graph.models.embedded import embedded_model

    return embedded_model()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "prompt",
    [
        [HumanMessage("hi")],
        [SystemMessage("Be brief."), HumanMessage("Grüße aus 日本 🎉")],
        [HumanMessage("1 + 1?"), AIMessage("2"), HumanMessage("2 + 2?")],
    ],
)
async def test_a_prompt_is_counted_exactly(model, prompt):
    counted = model.get_num_tokens_from_messages(prompt)
    reply = await model.ainvoke(prompt, max_completion_tokens=2)
    assert reply.usage_metadata["input_tokens"] == counted


async def test_one_request_brings_several_completions_and_pays_for_the_prompt_once(model):
    result = await model.agenerate([[HumanMessage("Name a colour.")]], n=4, max_completion_tokens=8)
    assert len(result.generations[0]) == 4
    usage = result.generations[0][0].message.usage_metadata
    assert usage["input_tokens"] == model.get_num_tokens_from_messages(
        [HumanMessage("Name a colour.")]
    )


@pytest.mark.parametrize("run", ["invoke", "ainvoke"])
def test_a_technique_runs_on_it_within_its_budget(run):
    graph = self_consistency("local", max_samples=4, max_output_tokens=24).compile()
    asked = {"messages": [("user", "What is 2 + 2?")], "budget": Budget(tokens=600)}
    out = graph.invoke(asked) if run == "invoke" else asyncio.run(graph.ainvoke(asked))
    assert out["result"].usage.tokens <= 600
    assert out["result"].usage.usd == 0
    assert not any("not known" in note for note in out["result"].notes)


async def test_a_server_that_died_is_restarted(model):
    from tscale_graph.models.embedded import _server

    await model.ainvoke("hi", max_completion_tokens=2)
    first = _server.pid
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    reply = await model.ainvoke("hi", max_completion_tokens=2)
    assert reply.usage_metadata["output_tokens"] == 2
    assert _server.pid != first


async def test_a_deadline_cancels_it(model):
    from tscale_graph.models.embedded import embedded_model

    await model.ainvoke("hi", max_completion_tokens=1)  # so that its server runs
    endless = embedded_model(extra_body={"ignore_eos": True})
    graph = self_consistency(
        endless, max_samples=1, max_output_tokens=1500, on_exceeded="return"
    ).compile()
    story = [("user", "Tell a very long story about a river and a mill.")]
    started = time.monotonic()
    out = await graph.ainvoke({"messages": story, "budget": Budget(seconds=1.5)})
    assert time.monotonic() - started < 1.9
    assert (out["result"].status, out["result"].cut_off_by) == ("cut_off", "seconds")
    assert out["result"].text


PROGRAM = """
import sys, time
from tscale_graph.models.embedded import embedded_model, _server
embedded_model().invoke("hi", max_completion_tokens=1)
print(_server.pid, flush=True)
if sys.argv[1] == "killed":
    time.sleep(60)
"""


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_the_server_ends_with_its_program(end):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, end], stdout=subprocess.PIPE, text=True
    )
    server = int(program.stdout.readline())
    if end == "killed":
        assert alive(server)
        program.kill()
    program.communicate()
    deadline = time.monotonic() + 10
    while alive(server):
        assert time.monotonic() < deadline, "the server outlived its program"
        time.sleep(0.1)
