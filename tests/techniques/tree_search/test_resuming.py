"""A search that stopped anywhere goes on where it was, and pays for no expansion twice."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.searching import QUESTION, Told, acts, billed
from tscale_graph import Budget, Usage, ab_mcts, beam_search, lats
from tscale_graph.techniques.restarts import LOST
from tscale_graph.techniques.tree_search import reflecting

ROOT = Path(__file__).parents[3]
THREAD = {"configurable": {"thread_id": "one"}}
TECHNIQUES = ("ab_mcts", "beam_search", "lats")


class Pausing(Told):
    """Comes to a halt at one call, and tells that it has."""

    halt_at: int = -1
    halted: object = None

    async def wait(self):
        if len(self.calls) == self.halt_at:
            self.halted.set()
            await asyncio.sleep(60)


def look(where: int) -> str:
    """Look somewhere."""
    return f"nothing at {where}"


def says(name):
    """A different node each time."""

    def decide(prompt, number):
        if name == "ab_mcts":
            return f"The answer is {number}"
        if "Write the rest" in prompt[-1].text or "final answer now" in prompt[-1].text:
            return "The answer is 3"
        return f"Step {number}" if name == "beam_search" else acts("look", where=number)

    return decide


def search(name, model, scored=None, **more):
    def scorer(question, answer):
        if scored is not None:
            scored.append(answer)
        return (len(answer) % 9) / 10

    if name == "ab_mcts":
        more = {"max_nodes": 12, "batch": 3, "seed": 1, **more}
        return ab_mcts(model, scorer, answer="number", **more)
    if name == "beam_search":
        more = {"beams": 1, "width": 3, "max_steps": 4, **more}
        return beam_search(model, scorer, answer="number", **more)
    scorer.judges_partial = True
    more = {"width": 3, "max_nodes": 12, "max_depth": 9, "reflections": 0, **more}
    return lats(model, value=scorer, tools=[look], answer="number", **more)


def request(**limits):
    return {"messages": [("user", QUESTION)], "budget": Budget(**(limits or {"calls": 100}))}


async def uninterrupted(name):
    model = Told(decide=says(name))
    return (await search(name, model).compile().ainvoke(request()))["result"], model


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("halt_at", [1, 5, 9])
async def test_a_cancelled_search_goes_on_without_repeating_a_finished_round(
    technique, kind, halt_at, tmp_path
):
    whole, _ = await uninterrupted(technique)
    model = Pausing(decide=says(technique), halt_at=halt_at, halted=asyncio.Event())
    scored = []

    async def run(saver):
        graph = search(technique, model, scored).compile(checkpointer=saver)
        task = asyncio.ensure_future(graph.ainvoke(request(), THREAD))
        await asyncio.wait_for(model.halted.wait(), 30)
        task.cancel()
        await asyncio.wait({task})
        assert model.in_flight == 0
        known = len((await graph.aget_state(THREAD)).values.get("nodes") or ())
        before, judged = len(model.calls), len(scored)
        model.halt_at = -1
        out = await graph.ainvoke(None, THREAD)
        return out["result"], known, before, judged

    if kind == "memory":
        result, known, before, judged = await run(InMemorySaver())
    else:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "state.sqlite")) as saver:
            result, known, before, judged = await run(saver)

    assert known == 3 * ((halt_at - 1) // 3), "all rounds that were over are kept"
    # What was in flight may have been billed: it is charged, and asked for once more.
    lost = [node for node in result.tree.nodes if node.note == LOST]
    assert 1 <= len(lost) <= 3
    assert len(whole.tree.nodes) <= len(result.tree.nodes) <= len(whole.tree.nodes) + len(lost)
    assert len(model.calls) <= result.usage.calls == len(result.tree.nodes) - 1
    assert billed(model) <= result.usage.tokens
    assert Usage.total(node.usage for node in result.tree.nodes).tokens == result.usage.tokens
    assert len(scored) == len(set(scored)), "nothing is scored twice"
    assert judged >= known // 2
    assert result.status == "complete"
    prompts = Counter(str([m.text for m in prompt]) for prompt in model.prompts[:known])
    again = Counter(str([m.text for m in prompt]) for prompt in model.prompts[before:])
    if technique == "beam_search":
        assert not prompts.keys() & again.keys(), "no finished expansion is asked for again"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_resuming_from_any_checkpoint_asks_only_for_what_was_not_finished(technique):
    model = Told(decide=says(technique))
    graph = search(technique, model, max_nodes=6).compile(checkpointer=InMemorySaver())
    result = (await graph.ainvoke(request(), THREAD))["result"]
    size = len(result.tree.nodes)
    history = [state async for state in graph.aget_state_history(THREAD)]
    assert len(history) > 10
    for state in history[::2]:
        if not state.next or state.next == ("__start__",):
            continue
        before = len(model.calls)
        done = [*(state.values.get("nodes") or ()), *(state.values.get("returned") or ())]
        known = len({node.index for node in done})
        out = await graph.ainvoke(None, state.config)
        assert out["result"].usage.calls == known + len(model.calls) - before
        assert len(out["result"].tree.nodes) == size


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_search_that_stops_before_every_node_comes_to_the_same(technique):
    whole, _ = await uninterrupted(technique)
    model = Told(decide=says(technique))
    graph = search(technique, model).compile(checkpointer=InMemorySaver(), interrupt_before="*")
    out = await graph.ainvoke(request(), THREAD)
    while "result" not in out:
        out = await graph.ainvoke(None, THREAD)

    def shape(result):
        return [(node.parent, node.text, node.status, node.score) for node in result.tree.nodes]

    assert shape(out["result"]) == shape(whole)
    assert out["result"].usage.tokens == whole.usage.tokens == billed(model) or technique == "lats"
    assert len(model.calls) == whole.usage.calls


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_second_request_on_the_same_thread_starts_a_fresh_search(technique):
    model = Told(decide=says(technique))
    graph = search(technique, model).compile(checkpointer=InMemorySaver())
    first = (await graph.ainvoke(request(calls=7), THREAD))["result"]
    calls = len(model.calls)
    second = (await graph.ainvoke(request(calls=4), THREAD))["result"]
    assert first.usage.calls == calls
    assert second.usage.calls == len(model.calls) - calls <= 4
    assert len(second.tree.nodes) == second.usage.calls + 1
    assert not {n.text for n in first.tree.nodes[1:]} & {
        n.text for n in second.tree.nodes[1:] if n.text != "The answer is 3"
    }
    messages = (await graph.aget_state(THREAD)).values["messages"]
    assert [message.type for message in messages] == ["human", "ai"] * 2


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_budget_does_not_leak_into_the_next_request(technique):
    graph = search(technique, Told(decide=says(technique))).compile(checkpointer=InMemorySaver())
    await graph.ainvoke(request(calls=7), THREAD)
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await graph.ainvoke({"messages": [("user", "And now?")]}, THREAD)
    again = (await graph.ainvoke(request(calls=3), THREAD))["result"]
    assert again.usage.calls <= 3


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_after_a_cancelled_request_the_next_one_starts_afresh(technique):
    model = Pausing(decide=says(technique), halt_at=5, halted=asyncio.Event())
    graph = search(technique, model).compile(checkpointer=InMemorySaver())
    task = asyncio.ensure_future(graph.ainvoke(request(), THREAD))
    await asyncio.wait_for(model.halted.wait(), 30)
    task.cancel()
    await asyncio.wait({task})
    model.halt_at, calls = -1, len(model.calls)
    result = (await graph.ainvoke(request(calls=4), THREAD))["result"]
    assert result.usage.calls == len(model.calls) - calls <= 4
    assert len(result.tree.nodes) == result.usage.calls + 1


async def test_the_deadline_carries_on():
    model = Pausing(decide=says("ab_mcts"), halt_at=5, halted=asyncio.Event())
    graph = search("ab_mcts", model).compile(checkpointer=InMemorySaver())
    task = asyncio.ensure_future(graph.ainvoke(request(seconds=1.0), THREAD))
    started = time.monotonic()
    await asyncio.wait_for(model.halted.wait(), 30)
    task.cancel()
    await asyncio.wait({task})
    model.halt_at = -1
    await asyncio.sleep(max(0.0, 1.1 - (time.monotonic() - started)))
    calls = len(model.calls)
    result = (await graph.ainvoke(None, THREAD))["result"]
    assert len(model.calls) == calls, "the time was up before it went on"
    assert (result.status, result.cut_off_by) == ("cut_off", "seconds")
    assert result.answer is not None
    assert result.usage.seconds >= 1.0


async def test_a_long_search_is_appended_to_its_checkpoints_and_not_written_again(tmp_path):
    database = tmp_path / "state.sqlite"
    model = Told(decide=says("ab_mcts"))
    async with AsyncSqliteSaver.from_conn_string(str(database)) as saver:
        graph = search("ab_mcts", model, max_nodes=200, batch=8).compile(checkpointer=saver)
        out = await graph.ainvoke(request(calls=500), THREAD)
        state = await graph.aget_state(THREAD)
        steps = state.metadata["step"]
        size_of_all = len(saver.serde.dumps_typed(state.values["nodes"])[1])
    assert len(out["result"].tree.nodes) == 201
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    written_again = steps * size_of_all / 2
    assert size < written_again / 4, (size, written_again, steps, size_of_all)
    assert size < 14 * size_of_all


async def test_a_reflection_that_died_with_its_process_is_charged_and_not_asked_again(monkeypatch):
    async def interrupted(granted_by, task, do, again):
        return await again(1)

    monkeypatch.setattr(reflecting, "once", interrupted)
    prices = {"usd_per_million_tokens": {"input": 1_000.0, "output": 1_000.0}}

    def decide(prompt, number):
        return f"The answer is {number}" if number == 1 else acts("look", where=number)

    model = Told(decide=decide, metadata=prices)
    technique = lats(
        model, value=lambda q, a: False, tools=[look], width=2, max_nodes=4, answer="number"
    )
    result = (await technique.compile().ainvoke(request()))["result"]
    assert not any("did not pass" in prompt[-1].text for prompt in model.prompts)
    assert result.usage.calls == len(model.calls) + 1
    made = Usage.total(node.usage for node in result.tree.nodes)
    assert result.usage.output_tokens - made.output_tokens == reflecting.REFLECTION_TOKENS
    assert result.usage.usd - made.usd >= reflecting.REFLECTION_TOKENS * 1e-3


def wait_for_requests(server, count, process):
    deadline = time.monotonic() + 60
    while len(server.ledger().requests) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "the search never came so far"
        time.sleep(0.02)


def start(technique, server, database):
    module = "tests.techniques.tree_search.killed_search"
    return subprocess.Popen(
        [sys.executable, "-m", module, technique, server.url, str(database)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("technique", ["ab_mcts", "lats", "refine", "aggregate_recursively"])
@pytest.mark.slow
def test_a_killed_search_goes_on_in_another_process(technique, tmp_path):
    database = tmp_path / "state.sqlite"
    answers = {f"{'so ' * number}it goes": 1.0 for number in range(60)}
    calls = [{"name": "look", "arguments": {}}]  # for who has tools
    behaviour = Behaviour(latency=0.3, answers=answers, tool_calls=calls, seed=5)
    with FakeServer(behaviour) as server:
        first = start(technique, server, database)
        # Each round asks three times. When the second has arrived, the first is over and saved;
        # what is in flight is lost with the process.
        wait_for_requests(server, 6, first)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        before = server.ledger(settle=1.0).requests
        second = start(technique, server, database)
        out, err = second.communicate(timeout=60)
        requests = server.ledger().requests
    assert out, err
    spent, nodes, lost, seconds = out.split()
    assert len(before) == 6
    # Those in flight may have been billed: they are charged, and what was asked of the server is
    # what the run says that it spent.
    assert int(spent) == int(nodes) == len(requests)
    assert int(lost) == 3
    # The clock has gone on from the first admission.
    assert float(seconds) >= requests[-1].ended - requests[0].started
    assert "locked" not in err, "no type of ours is unknown to the checkpointer"
    assert "unregistered" not in err.lower()


@pytest.mark.slow
def test_every_step_of_every_search_is_read_back_by_strict_msgpack():
    run = subprocess.run(
        [sys.executable, "-m", "tests.techniques.tree_search.interrupted_search"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.stdout.splitlines() == [
        f"{name} | True | SearchTree True"
        for name in ("ab_mcts", "judged", "beam_search", "lats", "refine", "critic")
    ], run.stderr
    assert "locked" not in run.stderr, "no type of ours is unknown to the checkpointer"
