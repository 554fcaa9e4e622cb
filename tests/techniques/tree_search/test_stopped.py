"""A search that is cancelled and goes on in the same process: nothing that was asked is free."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.techniques.searching import QUESTION, Told, billed
from tests.techniques.tree_search.test_resuming import TECHNIQUES, Pausing, says, search
from tscale_graph import (
    Budget,
    BudgetExceeded,
    Usage,
    Verdict,
    ab_mcts,
    best_of_n,
    self_consistency,
)

THREAD = {"configurable": {"thread_id": "one"}}


class Haltable(Told):
    """Comes to a halt at every call until it is let go."""

    halting: bool = True
    halted: object = None

    async def wait(self):
        if self.halting:
            self.halted.set()
            await asyncio.sleep(60)


async def stopped(graph, halted, *, calls, times=1):
    """Run until something has halted, cancel, and go on; so often."""
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=calls)}
    for _ in range(times):
        task = asyncio.ensure_future(graph.ainvoke(asked, THREAD))
        finished = asyncio.ensure_future(halted.wait())
        await asyncio.wait({task, finished}, return_when="FIRST_COMPLETED", timeout=20)
        finished.cancel()
        task.cancel()
        await asyncio.wait({task})
        halted.clear()
        asked = None


async def usage_of(graph):
    try:
        return (await graph.ainvoke(None, THREAD))["result"].usage
    except BudgetExceeded as error:
        return error.usage


@pytest.mark.parametrize("technique", [*TECHNIQUES, "self_consistency"])
async def test_stopping_a_run_again_and_again_buys_no_call(technique):
    model = Haltable(decide=says(technique), halted=asyncio.Event())
    if technique == "self_consistency":
        graph = self_consistency(model, max_samples=8, max_parallel=1)
    else:
        graph = search(technique, model, on_exceeded="return")
    graph = graph.compile(checkpointer=InMemorySaver())
    await stopped(graph, model.halted, calls=6, times=5)
    model.halting = False
    usage = await usage_of(graph)
    assert len(model.calls) <= usage.calls <= 6
    assert billed(model) <= usage.tokens


class Judge:
    """Spends one call on each answer, of its lease, and halts when it is told to."""

    def __init__(self):
        self.halting, self.halted, self.asked = True, asyncio.Event(), 0

    def needs(self, question, *, answer_tokens):
        return Usage(calls=1, input_tokens=10, output_tokens=5)

    async def __call__(self, question, answer, *, lease):
        self.asked += 1
        if self.halting:
            self.halted.set()
            await asyncio.sleep(60)
        return Verdict(score=0.5, usage=Usage(calls=1, input_tokens=10, output_tokens=5))


@pytest.mark.parametrize("build", [ab_mcts, best_of_n])
async def test_what_a_judge_was_asked_when_the_run_was_stopped_is_charged(build):
    model, judge = Told(decide=says("ab_mcts")), Judge()
    most = {"max_nodes": 3} if build is ab_mcts else {"n": 3, "max_parallel": 1}
    graph = build(model, judge, answer="number", **most).compile(checkpointer=InMemorySaver())
    await stopped(graph, judge.halted, calls=8, times=3)
    judge.halting = False
    usage = await usage_of(graph)
    assert judge.asked >= 4
    assert len(model.calls) + judge.asked <= usage.calls <= 8


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_an_expansion_that_was_lost_is_asked_for_once_more(technique):
    model = Pausing(decide=says(technique), halt_at=1, halted=asyncio.Event())
    graph = search(technique, model).compile(checkpointer=InMemorySaver())
    await stopped(graph, model.halted, calls=100)
    model.halt_at = -1
    result = (await graph.ainvoke(None, THREAD))["result"]
    nodes = result.tree.nodes[1:]
    lost = [node for node in nodes if node.note.startswith("lost:")]
    again = [node for node in nodes if node.parent == 0 and node not in lost]
    assert lost
    assert {node.parent for node in lost} == {0}
    assert len(again) >= len(lost)
    assert result.answer is not None
