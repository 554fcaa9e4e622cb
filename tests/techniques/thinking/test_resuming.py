"""A run that thinks is stopped anywhere and goes on: nothing is paid for twice, nothing is free."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.techniques.searching import QUESTION, Told, billed
from tests.techniques.thoughtful import CONTINUES, asked_to_think, thoughtful, words
from tscale_graph import Budget, BudgetExceeded, extended_thinking
from tscale_graph.techniques.restarts import LOST
from tscale_graph.techniques.thinking.state import Turn, add_turns

THREAD = {"configurable": {"thread_id": "one"}}
ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=8)}


class Haltable(Told):
    """Comes to a halt at the calls that are told, until it is let go."""

    halts: object = ()
    halted: object = None

    async def wait(self):
        if len(self.calls) - 1 in self.halts:
            self.halted.set()
            await asyncio.sleep(60)


def haltable(halts, **more):
    decide = thoughtful(words(5)).decide
    return Haltable(decide=decide, metadata=CONTINUES, halts=halts, halted=asyncio.Event(), **more)


async def stopped(graph, model, asked):
    """Run until the model has halted, and cancel."""
    task = asyncio.ensure_future(graph.ainvoke(asked, THREAD))
    finished = asyncio.ensure_future(model.halted.wait())
    await asyncio.wait({task, finished}, return_when="FIRST_COMPLETED", timeout=20)
    finished.cancel()
    task.cancel()
    await asyncio.wait({task})
    model.halted.clear()


@pytest.mark.parametrize("halt", range(4))
async def test_a_run_that_is_cancelled_at_any_call_goes_on_from_there(halt):
    model = haltable([halt])
    technique = extended_thinking(model, thinking_tokens=20, min_thinking_tokens=15)
    graph = technique.compile(checkpointer=InMemorySaver())
    await stopped(graph, model, ASKED)
    result = (await graph.ainvoke(None, THREAD))["result"]
    assert result.answer == "3"
    assert len(model.calls) == result.usage.calls == 5, "four, and the one that was lost"
    assert result.usage.tokens >= billed(model)
    thinks = [asked_to_think(prompt) for prompt in model.prompts]
    assert thinks.count(False) == (2 if halt == 3 else 1)


async def test_stopping_a_run_again_and_again_buys_no_call():
    model = haltable(range(100))
    technique = extended_thinking(model, on_exceeded="return")
    graph = technique.compile(checkpointer=InMemorySaver())
    asked = ASKED
    for _ in range(10):
        await stopped(graph, model, asked)
        asked = None
    model.halts = ()
    try:
        usage = (await graph.ainvoke(None, THREAD))["result"].usage
    except BudgetExceeded as error:
        usage = error.usage
    assert len(model.calls) <= usage.calls <= 8
    assert billed(model) <= usage.tokens


async def test_a_call_that_had_come_back_is_not_made_again():
    class Saver(InMemorySaver):
        failing = True

        async def aput_writes(self, config, writes, task_id, task_path=""):
            if self.failing and any(channel == "turns" for channel, _ in writes):
                type(self).failing = False
                raise OSError("the disk is full")
            await super().aput_writes(config, writes, task_id, task_path)

    model = thoughtful("Three.")
    graph = extended_thinking(model).compile(checkpointer=Saver())
    with pytest.raises(OSError, match="the disk is full"):
        await graph.ainvoke(ASKED, THREAD)
    result = (await graph.ainvoke(None, THREAD))["result"]
    assert (result.answer, result.usage.calls, len(model.calls)) == ("3", 2, 2)


async def test_another_question_on_the_thread_starts_afresh():
    model = thoughtful("Three.")
    graph = extended_thinking(model).compile(checkpointer=InMemorySaver())
    for _ in range(2):
        result = (await graph.ainvoke(ASKED, THREAD))["result"]
        assert (result.usage.calls, len(result.candidates)) == (2, 1)


def test_a_turn_that_comes_twice_counts_once():
    turn = {"phase": "think", "way": "prompt", "candidate": {"index": 0, "error": LOST}}
    turns = [Turn.model_validate({"index": index, **turn}) for index in (1, 0)]
    told = add_turns(turns, [turns[0].model_dump()])
    assert [one.index for one in told] == [0, 1]
    assert add_turns(told, None) == []
