"""A ladder that is left in the middle is climbed on from there, and nothing is paid for twice."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.techniques.searching import QUESTION, billed
from tests.techniques.tree_search.test_resuming import Pausing
from tests.techniques.tree_search.test_stopped import Haltable, Judge, stopped, usage_of
from tscale_graph import Budget, cascade, refine, self_consistency

THREAD = {"configurable": {"thread_id": "one"}}


def says(prompt, number):
    return f"The answer is {number}"


def tenths(question, answer):
    return min(0.7, int(answer) / 10)


def ladder(model, **more):
    """Three rungs that ask one model, none of which is good enough: 2 + 3 + 1 calls."""
    return cascade(
        [
            self_consistency(model, max_samples=2, stop="fixed", max_parallel=1),
            refine(model, tenths, max_revisions=2, answer="number"),
            model,
        ],
        **more,
    )


def request(**limits):
    return {"messages": [("user", QUESTION)], "budget": Budget(**(limits or {"calls": 100}))}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("halt_at", [1, 2, 3, 4, 5, 6])
async def test_a_cancelled_run_goes_on_inside_the_rung_where_it_was(kind, halt_at, tmp_path):
    whole = Pausing(decide=says)
    await ladder(whole).compile().ainvoke(request())
    model = Pausing(decide=says, halt_at=halt_at, halted=asyncio.Event())

    async def run(saver):
        graph = ladder(model).compile(checkpointer=saver)
        task = asyncio.ensure_future(graph.ainvoke(request(), THREAD, durability="sync"))
        await asyncio.wait_for(model.halted.wait(), 30)
        task.cancel()
        await asyncio.wait({task})
        assert model.in_flight == 0
        model.halt_at = -1
        return (await graph.ainvoke(None, THREAD, durability="sync"))["result"]

    if kind == "memory":
        result = await run(InMemorySaver())
    else:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "state.sqlite")) as saver:
            result = await run(saver)

    # The one in flight may have been billed: it is charged, and its rung may be asked again.
    assert len(whole.calls) <= len(model.calls) <= len(whole.calls) + 2
    assert len(model.calls) == result.usage.calls
    assert billed(model) <= result.usage.tokens
    assert result.status == "complete"
    again = sum("): lost: " in note for note in result.notes)
    assert len(result.candidates) == 3 + again
    assert result.candidates[-1].answer is not None


async def resumed(graph, model, **limits):
    """The result of a run that was cancelled at the call where its model halts."""
    graph = graph.compile(checkpointer=InMemorySaver())
    task = asyncio.ensure_future(graph.ainvoke(request(**limits), THREAD))
    await asyncio.wait_for(model.halted.wait(), 30)
    task.cancel()
    await asyncio.wait({task})
    model.halt_at = -1
    return (await graph.ainvoke(None, THREAD))["result"]


async def test_a_bare_last_rung_that_was_lost_is_asked_again_while_the_budget_pays():
    small, large = (Pausing(decide=says, model_name=name) for name in ("small", "large"))
    large.halt_at, large.halted = 1, asyncio.Event()
    result = await resumed(cascade([small, large]), large)
    assert (result.answer, result.status, result.usage.calls) == ("1", "complete", 5)
    assert "rung 2 (large): lost: the run was stopped before it was there" in result.notes
    assert "rung 2 (large) answered" in result.notes


async def test_where_the_budget_does_not_pay_for_that_the_run_is_cut_off():
    small, large = (Pausing(decide=says, model_name=name) for name in ("small", "large"))
    large.halt_at, large.halted = 1, asyncio.Event()
    result = await resumed(cascade([small, large]), large, calls=4)
    assert (result.status, result.cut_off_by, result.usage.calls) == ("cut_off", "calls", 4)
    assert "rung 2 (large): lost: the run was stopped before it was there" in result.notes


async def test_samples_that_were_lost_do_not_have_a_cheap_rung_climbed_past():
    small = Pausing(decide=lambda prompt, number: "The answer is 3", model_name="small", halt_at=3)
    small.halted = asyncio.Event()
    large = Pausing(decide=says, model_name="large")
    result = await resumed(cascade([small, large]), small)
    assert (result.answer, result.status, len(large.calls)) == ("3", "complete", 0)


async def test_stopping_a_run_again_and_again_buys_no_call():
    model = Haltable(decide=says, halted=asyncio.Event())
    graph = ladder(model, on_exceeded="return").compile(checkpointer=InMemorySaver())
    await stopped(graph, model.halted, calls=5, times=4)
    model.halting = False
    usage = await usage_of(graph)
    assert len(model.calls) <= usage.calls <= 5
    assert billed(model) <= usage.tokens


async def test_without_a_checkpointer_inside_what_is_lost_is_charged():
    model, judge = Pausing(decide=says), Judge()
    graph = cascade([model, model], verifier=judge, answer="number")
    graph = graph.compile(checkpointer=InMemorySaver())
    await stopped(graph, judge.halted, calls=8, times=2)
    judge.halting = False
    usage = await usage_of(graph)
    assert judge.asked >= 3
    assert len(model.calls) + judge.asked <= usage.calls <= 8


async def test_resuming_from_any_checkpoint_pays_for_nothing_twice():
    model = Pausing(decide=says)
    graph = ladder(model).compile(checkpointer=InMemorySaver())
    whole = (await graph.ainvoke(request(), THREAD))["result"]
    history = [state async for state in graph.aget_state_history(THREAD)]
    assert len(history) >= 9
    for state in history:
        if not state.next or state.next == ("__start__",):
            continue
        before = len(model.calls)
        known = sum(one.candidate.usage.calls for one in state.values.get("outcomes") or ())
        result = (await graph.ainvoke(None, state.config))["result"]
        assert result.usage.calls == known + len(model.calls) - before
        assert len(result.candidates) == len(whole.candidates)


async def test_a_run_that_stops_before_every_node_comes_to_the_same():
    model, other = Pausing(decide=says), Pausing(decide=says)
    whole = (await ladder(other).compile().ainvoke(request()))["result"]
    graph = ladder(model).compile(checkpointer=InMemorySaver(), interrupt_before="*")
    out = await graph.ainvoke(request(), THREAD)
    while "result" not in out:
        out = await graph.ainvoke(None, THREAD)
    assert out["result"].usage.tokens == whole.usage.tokens == billed(model)
    assert [c.text for c in out["result"].candidates] == [c.text for c in whole.candidates]


async def test_a_second_request_on_the_same_thread_starts_afresh():
    model = Pausing(decide=says)
    graph = ladder(model).compile(checkpointer=InMemorySaver())
    first = (await graph.ainvoke(request(), THREAD))["result"]
    calls = len(model.calls)
    second = (await graph.ainvoke(request(calls=2), THREAD))["result"]
    assert (first.usage.calls, second.usage.calls) == (calls, 2)
    assert [candidate.index for candidate in second.candidates] == [0]
    messages = (await graph.aget_state(THREAD)).values["messages"]
    assert [message.type for message in messages] == ["human", "ai"] * 2
