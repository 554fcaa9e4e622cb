"""In LangChain's agents: the chosen calls are made, once, and the loop goes on from them."""

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.scripted_calls import ScriptedCalls, StreamingCalls, calling
from tscale_graph import Budget, BudgetExceeded, ScaledChatModel, best_of_n, self_consistency

ASKED = {"messages": [("user", "How much are 2 and 3 apples?")]}
TURN = [
    calling(("add", {"a": 9, "b": 9})),
    calling(("add", {"b": 3.0, "a": 2})),
    calling(("add", {"a": "2", "b": 3})),
]
SAID = ["The answer is 4", "The answer is 5", "The answer is 5"]


class Shop:
    """Tools that remember what was done."""

    def __init__(self):
        self.done = []

    def tools(self):
        @tool
        def add(a: int, b: int) -> int:
            """Add two numbers."""
            self.done.append((a, b))
            return a + b

        return [add]


def model_of(inner, *, budget=None, **more):
    graph = self_consistency(inner, max_samples=3, stop="fixed", **more)
    return ScaledChatModel(graph, budget=budget or Budget(tokens=100_000))


@pytest.mark.parametrize("cls", [ScriptedCalls, StreamingCalls])
@pytest.mark.parametrize("asynchronous", [True, False])
async def test_what_was_voted_on_is_executed_once(cls, asynchronous):
    shop, inner = Shop(), cls(answers=[*TURN, *SAID])
    agent = create_agent(model_of(inner), shop.tools())
    out = await agent.ainvoke(ASKED) if asynchronous else agent.invoke(ASKED)
    assert shop.done == [(2, 3)]
    assert [message.type for message in out["messages"]] == ["human", "ai", "tool", "ai"]
    assert out["messages"][-1].text == "The answer is 5"
    assert len(inner.calls) == 6


def test_parallel_calls_that_won_are_each_executed_once():
    both = (("add", {"a": 2, "b": 3}), ("add", {"a": 4, "b": 5}))
    turn = [calling(both[0]), calling(*both), calling(*both[::-1])]
    shop, inner = Shop(), ScriptedCalls(answers=[*turn, *SAID])
    create_agent(model_of(inner), shop.tools()).invoke(ASKED)
    assert sorted(shop.done) == [(2, 3), (4, 5)]


def test_turns_whose_calls_have_the_same_ids_are_told_apart():
    shop, inner = Shop(), ScriptedCalls(answers=[*TURN, *TURN, *SAID])
    out = create_agent(model_of(inner), shop.tools()).invoke(ASKED)
    assert shop.done == [(2, 3), (2, 3)]
    made = [call["id"] for said in out["messages"] if said.type == "ai" for call in said.tool_calls]
    answered = [said.tool_call_id for said in out["messages"] if said.type == "tool"]
    assert made == answered
    assert len(set(made)) == 2


def test_an_agent_hears_what_is_wrong_with_calls_that_no_tool_takes():
    wrong = [calling(("add", {"a": "two"}))] * 3
    shop, inner = Shop(), ScriptedCalls(answers=[*wrong, *TURN, *SAID])
    out = create_agent(model_of(inner), shop.tools()).invoke(ASKED)
    assert out["messages"][2].status == "error"
    assert shop.done == [(2, 3)]


def test_a_thread_goes_on_with_its_checkpoints_and_nothing_of_the_samples_is_in_them():
    shop, inner = Shop(), ScriptedCalls(answers=[*TURN, *SAID])
    saver = InMemorySaver()
    agent = create_agent(model_of(inner), shop.tools(), checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    agent.invoke(ASKED, config)
    out = agent.invoke(ASKED, config)
    assert len(out["messages"]) == 8
    assert shop.done == [(2, 3), (2, 3)]
    assert {key for thread in saver.storage.values() for key in thread} == {""}


def test_the_budget_in_the_configuration_is_that_of_each_turn():
    shop, inner = Shop(), ScriptedCalls(answers=[TURN[1], "The answer is 5"])
    agent = create_agent(model_of(inner), shop.tools())
    agent.invoke(ASKED, {"configurable": {"budget": Budget(calls=1)}})
    assert len(inner.calls) == 2
    with pytest.raises(BudgetExceeded):
        agent.invoke(ASKED, {"configurable": {"budget": {"tokens": 5}}})
    assert len(inner.calls) == 2


class Price(BaseModel):
    """What it costs."""

    pounds: int
    each: bool = False


def test_structured_responses_are_voted_on():
    answers = [
        calling(("Price", {"pounds": 9})),
        calling(("Price", {"each": False, "pounds": 5.0})),
        calling(("Price", {"pounds": 5})),
    ]
    agent = create_agent(
        model_of(ScriptedCalls(answers=answers)),
        Shop().tools(),
        response_format=ToolStrategy(Price),
    )
    assert agent.invoke(ASKED)["structured_response"] == Price(pounds=5)


def test_middleware_sees_one_call_of_a_model_for_each_turn():
    shop, inner = Shop(), ScriptedCalls(answers=[*TURN, *SAID])
    limit = ModelCallLimitMiddleware(run_limit=2, exit_behavior="error")
    create_agent(model_of(inner), shop.tools(), middleware=[limit]).invoke(ASKED)
    assert shop.done == [(2, 3)]


def test_best_of_n_scores_the_calls_of_a_turn_and_then_its_words():
    def check(question: str, answer: str) -> bool:
        return '"a": 2' in answer or answer == "5"

    shop, inner = Shop(), ScriptedCalls(answers=[*TURN[:2], *SAID[:2]])
    graph = best_of_n(inner, check, n=3)
    agent = create_agent(ScaledChatModel(graph, budget=Budget(tokens=100_000)), shop.tools())
    assert agent.invoke(ASKED)["messages"][-1].text == "The answer is 5"
    assert shop.done == [(2, 3)]
    assert len(inner.calls) == 4


async def test_the_messages_stream_of_an_agent_has_what_was_chosen():
    shop, inner = Shop(), StreamingCalls(answers=[*TURN, *SAID])
    agent = create_agent(model_of(inner), shop.tools())
    told = [part async for part in agent.astream(ASKED, stream_mode="messages")]
    assert {about["langgraph_node"] for _, about in told} == {"model", "tools"}
    calls = [call for said, _ in told for call in getattr(said, "tool_calls", [])]
    assert [call["args"] for call in calls] == [{"a": 2, "b": 3.0}]
    assert "".join(said.text for said, _ in told if said.type != "tool") == "The answer is 5"
