"""What those see who stream a run: progress, and the final answer; discarded samples if asked."""

import pytest
from langgraph.graph import START, MessagesState, StateGraph

from tests.scripted import Scripted, Streaming
from tscale_graph import (
    Budget,
    Policy,
    best_of_n,
    cascade,
    extended_thinking,
    refine,
    router,
    self_consistency,
)

SPLIT = ("The answer is 3", "The answer is 2", "The answer is 3", "The answer is 4")
ASKED = {"messages": [("user", "How many r's are in strawberry?")]}
ROOM = {"budget": Budget(tokens=60_000, seconds=30)}  # with seconds, models are streamed
TECHNIQUES = {
    "self_consistency": lambda model: self_consistency(model, max_samples=4, stop="fixed"),
    "best_of_n": lambda model: best_of_n(model, lambda question, answer: answer == "4", n=4),
    "cascade": lambda model: cascade([model, model]),
    "extended_thinking": extended_thinking,
    "refine": lambda model: refine(model, lambda question, answer: answer == "4"),
    "router": lambda model: router(Policy.default(), model=model),
}


async def seen(graph, mode, config=None, **more):
    asked = {**ASKED, **ROOM}
    return [event async for event in graph.astream(asked, config, stream_mode=mode, **more)]


@pytest.mark.parametrize("of", [Scripted, Streaming])
@pytest.mark.parametrize("name", TECHNIQUES)
async def test_the_messages_of_a_run_are_its_final_answer(name, of):
    graph = TECHNIQUES[name](of(answers=SPLIT)).compile()
    out = await graph.ainvoke({**ASKED, **ROOM})
    graph = TECHNIQUES[name](of(answers=SPLIT)).compile()
    told = "".join(message.text for message, _ in await seen(graph, "messages"))
    assert told == out["messages"][-1].text


async def test_the_tokens_of_all_samples_are_streamed_where_they_are_asked_for():
    graph = TECHNIQUES["self_consistency"](Streaming(answers=SPLIT)).compile()
    config = {"configurable": {"stream_samples": True}}
    events = await seen(graph, "messages", config)
    told = "".join(message.text for message, about in events if about["langgraph_node"] == "sample")
    assert sorted(told) == sorted("".join(SPLIT))


async def test_in_a_graph_of_messages_nothing_but_the_answer_is_streamed():
    parent = StateGraph(MessagesState)
    parent.add_node("think", TECHNIQUES["self_consistency"](Streaming(answers=SPLIT)).compile())
    parent.add_edge(START, "think")
    config = {"configurable": ROOM}
    events = parent.compile().astream(ASKED, config, stream_mode="messages", subgraphs=True)
    texts = [message.text async for _, (message, _) in events]
    assert texts == ["The answer is 3"]


async def test_progress_is_told_after_each_wave():
    graph = self_consistency(Scripted(answers=SPLIT), max_samples=4).compile()
    events = [e["progress"] for e in await seen(graph, "custom") if "progress" in e]
    assert [event["samples"] for event in events] == sorted(event["samples"] for event in events)
    last = events[-1]
    assert (last["samples"], last["votes"], last["wanted"]) == (4, [2, 1, 1], 0)
    assert last["usage"]["calls"] == 4
    assert last["budget"] == {"tokens": 60_000, "seconds": 30.0}


@pytest.mark.parametrize("mode", ["values", "updates", "custom", "messages", "tasks", "debug"])
@pytest.mark.parametrize("name", TECHNIQUES)
async def test_every_stream_mode_works(name, mode):
    graph = TECHNIQUES[name](Scripted()).compile()
    assert await seen(graph, mode, subgraphs=True)
    asked = {**ASKED, **ROOM}
    assert list(graph.stream(asked, stream_mode=mode, subgraphs=True))
