"""The tool by which an agent asks for deeper thought."""

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, interrupt

from tests.agents.shop import ASKED, SAID, agent_of, never, technique, turns
from tests.scripted_calls import calling
from tscale_graph import Budget

HARD = calling(("deliberate", {"question": "What is 6 times 7?"}))
TWO = calling(*[("deliberate", {"question": f"What is {n} times 7?"}) for n in (6, 7)])
THOUGHT = "The answer is 42"


def thoughtful(inner, thinker, **more):
    return agent_of(inner, when=never, deliberate=technique(thinker), **more)


def tools(out):
    return [one for one in out["messages"] if one.type == "tool"]


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_an_agent_hands_over_a_question_and_gets_an_answer(asynchronous):
    inner, thinker = turns(HARD, SAID), turns("The answer is 41", THOUGHT, THOUGHT)
    agent = thoughtful(inner, thinker)
    out = await agent.ainvoke(ASKED) if asynchronous else agent.invoke(ASKED)
    [told] = tools(out)
    assert (told.text, told.status, told.name) == (THOUGHT, "success", "deliberate")
    assert [call.kind for call in out["scaling"].calls.values()] == ["model", "deliberate", "model"]
    assert out["scaling"].usage.calls == len(inner.calls) + len(thinker.calls) == 5
    assert thinker.seen[0][0][-1].text == "What is 6 times 7?"


async def test_several_of_one_turn_share_what_is_left():
    inner, thinker = turns(TWO, SAID), turns(*[THOUGHT] * 9)
    out = await thoughtful(inner, thinker, budget=Budget(calls=6)).ainvoke(ASKED)
    assert [one.text for one in tools(out)] == [THOUGHT] * 2
    assert len(thinker.calls) == 4, "two each of the five that were left"
    assert out["scaling"].usage.calls == 6
    assert out["messages"][-1].text == SAID


async def test_an_agent_whose_budget_does_not_suffice_hears_of_it():
    inner, thinker = turns(TWO, SAID), turns(*[THOUGHT] * 9)
    out = await thoughtful(inner, thinker, budget=Budget(calls=2)).ainvoke(ASKED)
    assert [one.status for one in tools(out)] == ["error"] * 2
    assert tools(out)[0].text.startswith("No answer: the budget of the agent's run ended: calls=1")
    assert not thinker.calls
    assert out["messages"][-1].text == SAID


async def test_thoughts_are_not_streamed_as_the_agents_words():
    inner, thinker = turns(HARD, SAID), turns(*[THOUGHT] * 3)
    agent = thoughtful(inner, thinker)
    told = [m async for m, _ in agent.astream(ASKED, stream_mode="messages")]
    spoken = [one.text for one in told if one.type in ("ai", "AIMessageChunk")]
    assert "".join(spoken) == SAID


async def test_a_thought_is_not_thought_again_when_a_tool_beside_it_waited(monkeypatch):
    monkeypatch.setattr("langgraph._internal._serde.STRICT_MSGPACK_ENABLED", True)
    monkeypatch.setattr("langgraph.graph.state._serde.STRICT_MSGPACK_ENABLED", True)

    @tool
    def ask(question: str) -> str:
        """Ask a person."""
        return interrupt(question)

    both = calling(("ask", {"question": "Go on?"}), ("deliberate", {"question": "6 * 7?"}))
    inner, thinker = turns(both, SAID), turns(*[THOUGHT] * 9)
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=()))
    agent = thoughtful(inner, thinker, tools=[ask], beside={"checkpointer": saver})
    config = {"configurable": {"thread_id": "1"}}
    assert (await agent.ainvoke(ASKED, config))["__interrupt__"]
    out = await agent.ainvoke(Command(resume="yes"), config)
    assert sorted(one.text for one in tools(out)) == [THOUGHT, "yes"]
    assert len(thinker.calls) == 3
    assert out["scaling"].usage.calls == len(inner.calls) + len(thinker.calls) == 5
