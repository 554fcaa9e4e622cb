"""Waking up: what was prepared for exactly this context, or all of it."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.techniques.waking.awake import MENU, PLENTY, asked, awake, slept
from tscale_graph import (
    Idle,
    Policy,
    SamplingError,
    extended_thinking,
    router,
    self_consistency,
    wake,
)


async def test_an_anticipated_question_is_answered_at_once():
    graph, model = awake(await slept())
    out = await graph.ainvoke(asked("Hi, could you tell me how much is tea, please?"))
    result = out["result"]
    assert (result.answer, result.status, result.technique) == ("2", "complete", "wake")
    assert (result.usage.calls, result.usage.tokens, model.calls) == (0, 0, [])
    assert out["messages"][-1].text == "The answer is 2"
    assert "anticipated as 'How much is tea?' (similarity 1.00)" in result.notes
    assert any(note.startswith("saved at least about") for note in result.notes)


async def test_any_other_is_asked_of_the_dense_context():
    menu = {"context": written({name: n for n, name in enumerate(["tea", "cake", *"abcdef"], 2)})}
    graph, model = awake(await slept(**menu))
    out = await graph.ainvoke(asked("What is the price of cake?", **menu))
    assert out["result"].answer == "3"
    assert "the dense context stood in for 1 of 1 documents" in out["result"].notes[0]
    plain, other = awake(InMemoryStore())
    await plain.ainvoke(asked("What is the price of cake?", **menu))
    assert model.calls[0].prompt_tokens < other.calls[0].prompt_tokens


async def test_without_anything_prepared_the_whole_context_is_read():
    graph, _ = awake(InMemoryStore())
    result = (await graph.ainvoke(asked()))["result"]
    assert result.answer == "2"
    assert result.notes[0] == "nothing was prepared for this context"


def test_it_runs_under_invoke():
    graph, _ = awake(asyncio.run(slept()))
    assert graph.invoke(asked())["result"].technique == "wake"
    assert graph.invoke(asked("What is the price of cake?"))["result"].answer == "3"


async def test_the_messages_of_a_thread_do_not_fill_with_contexts():
    graph, _ = awake(await slept())
    for question in ("How much is tea?", "What is the price of cake?"):
        out = await graph.ainvoke(asked(question))
        assert [message.type for message in out["messages"]] == ["human", "ai"]


@pytest.mark.parametrize(
    "before",
    [
        [("user", "Let us talk of 2027."), ("assistant", "Gladly.")],
        [("system", "All prices have doubled.")],
    ],
)
async def test_a_question_that_does_not_stand_alone_is_not_answered_from_before(before):
    graph, model = awake(await slept())
    given_messages = [*before, ("user", "How much is tea?")]
    result = (await graph.ainvoke({**asked(), "messages": given_messages}))["result"]
    assert result.technique == "self_consistency"
    assert "what was said before may change the question" in result.notes
    assert model.calls


async def test_what_was_found_does_not_stay_in_the_state():
    saver = InMemorySaver()
    graph = wake(self_consistency(Reader())).compile(store=await slept(), checkpointer=saver)
    for question in ("How much is tea?", "What is the price of cake?"):
        config = {"configurable": {"thread_id": question}}
        await graph.ainvoke(asked(question), config)
        assert (await graph.aget_state(config)).values["recalled"] is None


async def test_it_stands_in_front_of_the_router_and_in_the_place_of_a_model():
    store, model = await slept(), Reader()
    graph = wake(router(Policy.default(), model=model)).compile(store=store)
    result = (await graph.ainvoke(asked("What is the price of cake?")))["result"]
    assert result.answer == "3"
    assert any(note.startswith("class ") for note in result.notes)
    inside = self_consistency(wake(extended_thinking(model), context=MENU), max_samples=2)
    out = await inside.compile(store=store).ainvoke(
        {"messages": [("user", "How much is tea?")], "budget": PLENTY}
    )
    assert out["result"].answer == "2"


async def test_what_fails_says_so_and_what_it_cost():
    graph, _ = awake(InMemoryStore(), Reader(fail=1.0))
    with pytest.raises(SamplingError, match="the scripted failure"):
        await graph.ainvoke(asked())


async def test_who_works_ahead_gives_way_while_it_answers():
    idle, seen = Idle(linger=0), []

    class Watches(Reader):
        def say(self, shown, told):
            seen.append(idle.free)
            return super().say(shown, told)

    graph, _ = awake(InMemoryStore(), Watches(), idle=idle)
    await graph.ainvoke(asked())
    assert seen
    assert not any(seen)
    assert idle.free


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"matcher": "vectors"}, 'matcher must be "lexical" or have find, got'),
        ({"matcher": 3}, 'matcher must be "lexical" or have find, got 3'),
        ({"faithful": 2}, "faithful must be from 0 to 1, or None, got 2"),
        ({"context": " "}, "context must hold some text"),
        ({"days": -1}, "days must be above 0 and finite, got -1"),
        ({"name": 3, "context": "Tea."}, "name must be a text, got 3"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told):
        wake(self_consistency(Reader()), **arguments)


async def test_what_is_missing_is_said_before_any_call():
    graph, model = awake(InMemoryStore())
    with pytest.raises(ValueError, match="no context: put one into the input"):
        await graph.ainvoke({"messages": [("user", "Hi")], "budget": PLENTY})
    with pytest.raises(ValueError, match='"messages" is empty'):
        await graph.ainvoke({**asked(), "messages": []})
    with pytest.raises(ValueError, match="no store: compile the graph with store="):
        await wake(self_consistency(model)).compile().ainvoke(asked())
    with pytest.raises(ValueError, match="technique must be a technique's graph"):
        wake(model)
    assert model.calls == []
