"""A run of revisions that is stopped goes on where it was, and pays for nothing twice."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.techniques.searching import QUESTION, billed
from tests.techniques.tree_search.test_resuming import Pausing
from tests.techniques.tree_search.test_stopped import Haltable, Judge, stopped, usage_of
from tscale_graph import Budget, refine
from tscale_graph.techniques.restarts import LOST

THREAD = {"configurable": {"thread_id": "one"}}


def says(prompt, number):
    if "Check that answer" in prompt[-1].text:
        return "It is wrong.\nVerdict: revise"
    return f"The answer is {number}"


def scoring(question, answer):
    return (int(answer) % 7) / 10


def revisions(model, *, own, **more):
    return refine(model, None if own else scoring, answer="number", **more)


def request(**limits):
    return {"messages": [("user", QUESTION)], "budget": Budget(**(limits or {"calls": 100}))}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("halt_at", [1, 2, 3, 4])
async def test_a_cancelled_run_goes_on_without_repeating_what_had_come_back(
    own, kind, halt_at, tmp_path
):
    whole = Pausing(decide=says)
    await revisions(whole, own=own).compile().ainvoke(request())
    model = Pausing(decide=says, halt_at=halt_at, halted=asyncio.Event())

    async def run(saver):
        graph = revisions(model, own=own).compile(checkpointer=saver)
        task = asyncio.ensure_future(graph.ainvoke(request(), THREAD))
        await asyncio.wait_for(model.halted.wait(), 30)
        task.cancel()
        await asyncio.wait({task})
        assert model.in_flight == 0
        model.halt_at = -1
        return (await graph.ainvoke(None, THREAD))["result"]

    if kind == "memory":
        result = await run(InMemorySaver())
    else:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "state.sqlite")) as saver:
            result = await run(saver)

    # The one in flight may have been billed: it is charged, and asked for once more.
    assert len(model.calls) == len(whole.calls) + 1
    assert len(model.calls) == result.usage.calls
    assert billed(model) <= result.usage.tokens
    lost = [candidate for candidate in result.candidates if candidate.error == LOST]
    assert len(lost) == (0 if own and halt_at % 2 == 0 else 1)
    assert len(result.candidates) - len(lost) == 5, "what was lost is no revision"
    assert result.status == "complete"
    assert result.answer is not None


@pytest.mark.parametrize("own", [True, False])
async def test_stopping_a_run_again_and_again_buys_no_call(own):
    model = Haltable(decide=says, halted=asyncio.Event())
    graph = revisions(model, own=own, chains=2, on_exceeded="return")
    graph = graph.compile(checkpointer=InMemorySaver())
    await stopped(graph, model.halted, calls=9, times=4)
    model.halting = False
    usage = await usage_of(graph)
    assert len(model.calls) <= usage.calls <= 9
    assert billed(model) <= usage.tokens


async def test_what_a_judge_was_asked_when_the_run_was_stopped_is_charged():
    model, judge = Pausing(decide=says), Judge()
    graph = refine(model, judge, answer="number").compile(checkpointer=InMemorySaver())
    await stopped(graph, judge.halted, calls=8, times=3)
    judge.halting = False
    usage = await usage_of(graph)
    assert judge.asked >= 4
    assert len(model.calls) + judge.asked <= usage.calls <= 8


@pytest.mark.parametrize("own", [True, False])
async def test_resuming_from_any_checkpoint_pays_for_nothing_twice(own):
    model = Pausing(decide=says)
    graph = revisions(model, own=own, chains=2).compile(checkpointer=InMemorySaver())
    whole = (await graph.ainvoke(request(), THREAD))["result"]
    history = [state async for state in graph.aget_state_history(THREAD)]
    assert len(history) > 10
    for state in history[::2]:
        if not state.next or state.next == ("__start__",):
            continue
        before = len(model.calls)
        known = len(state.values.get("candidates") or ())
        judged = len(state.values.get("checks") or ()) if own else 0
        result = (await graph.ainvoke(None, state.config))["result"]
        assert result.usage.calls == known + judged + len(model.calls) - before
        assert len(result.candidates) == len(whole.candidates)


@pytest.mark.parametrize("own", [True, False])
async def test_a_run_that_stops_before_every_node_comes_to_the_same(own):
    model, other = Pausing(decide=says), Pausing(decide=says)
    whole = (await revisions(other, own=own).compile().ainvoke(request()))["result"]
    graph = revisions(model, own=own).compile(checkpointer=InMemorySaver(), interrupt_before="*")
    out = await graph.ainvoke(request(), THREAD)
    while "result" not in out:
        out = await graph.ainvoke(None, THREAD)
    assert out["result"].usage.tokens == whole.usage.tokens == billed(model)
    assert out["result"].answer == whole.answer
    assert [c.text for c in out["result"].candidates] == [c.text for c in whole.candidates]


async def test_a_second_request_on_the_same_thread_starts_afresh():
    model = Pausing(decide=says)
    graph = revisions(model, own=False).compile(checkpointer=InMemorySaver())
    first = (await graph.ainvoke(request(), THREAD))["result"]
    calls = len(model.calls)
    second = (await graph.ainvoke(request(calls=2), THREAD))["result"]
    assert (first.usage.calls, second.usage.calls) == (calls, 2)
    assert [candidate.index for candidate in second.candidates] == [0, 1]
    messages = (await graph.aget_state(THREAD)).values["messages"]
    assert [message.type for message in messages] == ["human", "ai"] * 2
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await graph.ainvoke({"messages": [("user", "And now?")]}, THREAD)
