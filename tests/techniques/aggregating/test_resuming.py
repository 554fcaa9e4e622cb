"""A run of aggregation that is stopped goes on where it was, and pays for nothing twice."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.techniques.aggregating.crowds import shown
from tests.techniques.searching import QUESTION, billed
from tests.techniques.tree_search.test_resuming import Pausing
from tests.techniques.tree_search.test_stopped import Haltable, stopped, usage_of
from tscale_graph import Budget, aggregate_recursively
from tscale_graph.techniques.restarts import LOST

THREAD = {"configurable": {"thread_id": "one"}}


def says(prompt, number):
    return f"The answer is {number}"


def aggregation(model, **more):
    sizes = {"population": 3, "subset": 2, "generations": 3, "answer": "number", "seed": 5}
    return aggregate_recursively(model, **(sizes | more))


def request(**limits):
    return {"messages": [("user", QUESTION)], "budget": Budget(**(limits or {"calls": 100}))}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("max_parallel", [None, 1])
@pytest.mark.parametrize("halt_at", [1, 2, 5, 9])
async def test_a_cancelled_run_goes_on_without_repeating_what_had_come_back(
    halt_at, max_parallel, kind, tmp_path
):
    model = Pausing(decide=says, halt_at=halt_at, halted=asyncio.Event())

    async def run(saver):
        graph = aggregation(model, max_parallel=max_parallel).compile(checkpointer=saver)
        task = asyncio.ensure_future(graph.ainvoke(request(), THREAD))
        await asyncio.wait_for(model.halted.wait(), 30)
        await asyncio.sleep(0.02)  # its siblings come back meanwhile
        task.cancel()
        await asyncio.wait({task})
        assert model.in_flight == 0
        model.halt_at = -1
        return (await graph.ainvoke(None, THREAD))["result"]

    if kind == "memory":
        result = await run(InMemorySaver())
    else:
        path = str(tmp_path / "state.sqlite")
        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            result = await run(saver)

    # The one in flight may have been billed: it is charged, and asked for once more.
    assert len(model.calls) == 9 + 1 == result.usage.calls
    assert billed(model) <= result.usage.tokens
    lost = [candidate for candidate in result.candidates if candidate.error == LOST]
    assert len(lost) == 1
    assert len(result.candidates) - len(lost) == 9, "what was lost is no member"
    assert result.status == "complete"
    assert sum(vote.count for vote in result.votes) == 3
    assert not any(LOST in text for prompt in model.prompts for text in shown(prompt))


async def test_what_a_lost_member_was_to_be_written_from_it_is_written_from():
    model = Pausing(decide=says, halt_at=5, halted=asyncio.Event())
    graph = aggregation(model).compile(checkpointer=InMemorySaver())
    task = asyncio.ensure_future(graph.ainvoke(request(), THREAD))
    await asyncio.wait_for(model.halted.wait(), 30)
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task})
    model.halt_at = -1
    await graph.ainvoke(None, THREAD)
    assert shown(model.prompts[6]) == shown(model.prompts[4])


async def test_stopping_a_run_again_and_again_buys_no_call():
    model = Haltable(decide=says, halted=asyncio.Event())
    graph = aggregation(model, on_exceeded="return").compile(checkpointer=InMemorySaver())
    await stopped(graph, model.halted, calls=9, times=2)
    model.halting = False
    usage = await usage_of(graph)
    assert len(model.calls) <= usage.calls <= 9
    assert billed(model) <= usage.tokens


async def test_resuming_from_any_checkpoint_pays_for_nothing_twice():
    model = Pausing(decide=says)
    graph = aggregation(model, max_parallel=2).compile(checkpointer=InMemorySaver())
    whole = (await graph.ainvoke(request(), THREAD))["result"]
    history = [state async for state in graph.aget_state_history(THREAD)]
    assert len(history) > 10
    for state in history[::2]:
        if not state.next or state.next == ("__start__",):
            continue
        before = len(model.calls)
        known = len(state.values.get("candidates") or ())
        result = (await graph.ainvoke(None, state.config))["result"]
        assert result.usage.calls == known + len(model.calls) - before
        assert len(result.candidates) == len(whole.candidates)


async def test_a_run_that_stops_before_every_node_comes_to_the_same():
    model, other = Pausing(decide=says), Pausing(decide=says)
    whole = (await aggregation(other).compile().ainvoke(request()))["result"]
    graph = aggregation(model).compile(checkpointer=InMemorySaver(), interrupt_before="*")
    out = await graph.ainvoke(request(), THREAD)
    while "result" not in out:
        out = await graph.ainvoke(None, THREAD)
    assert out["result"].usage.tokens == whole.usage.tokens == billed(model)
    assert out["result"].answer == whole.answer
    assert [c.text for c in out["result"].candidates] == [c.text for c in whole.candidates]
    assert list(map(shown, model.prompts)) == list(map(shown, other.prompts))


async def test_a_second_request_on_the_same_thread_starts_afresh():
    model = Pausing(decide=says)
    graph = aggregation(model).compile(checkpointer=InMemorySaver())
    first = (await graph.ainvoke(request(), THREAD))["result"]
    second = (await graph.ainvoke(request(calls=2), THREAD))["result"]
    assert (first.usage.calls, second.usage.calls) == (9, 2)
    assert [candidate.index for candidate in second.candidates] == [0, 1]
    messages = (await graph.aget_state(THREAD)).values["messages"]
    assert [message.type for message in messages] == ["human", "ai"] * 2
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await graph.ainvoke({"messages": [("user", "And now?")]}, THREAD)
