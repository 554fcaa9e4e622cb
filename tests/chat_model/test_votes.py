"""What a chat model of a technique answers: votes over tool calls."""

from typing import Annotated

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, tool

from tests.chat_model.adding import BUDGET, FIVE, ONE_AND_TWO, add, plain, voting
from tests.scripted_calls import ScriptedCalls, StreamingCalls, calling
from tests.techniques.test_clustering import BagOfWords
from tscale_graph import Budget, ScaledChatModel, self_consistency
from tscale_graph.verifiers.meaning import semantic


@tool
def search(query: str, user: Annotated[str, InjectedToolArg]) -> str:
    """Search."""
    return query + user


@pytest.mark.parametrize("cls", [ScriptedCalls, StreamingCalls])
def test_equal_calls_in_other_spellings_outvote_one_that_came_first(cls):
    spelled = [
        calling(("add", {"b": 2.0, "a": 1})),
        calling(("add", {"a": "1"})),
        calling(("add", {"a": 1, "b": 2})),
    ]
    model = voting(FIVE, FIVE, *spelled, cls=cls).bind_tools([add])
    message = model.invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"b": 2.0, "a": 1})]
    assert message.response_metadata["agreement"] == 0.6


def test_parallel_calls_in_another_order_are_the_same_and_one_sample_makes_them_all():
    both = (("add", {"a": 1}), ("add", {"a": 3}))
    model = voting(calling(both[0]), calling(*both), calling(*both[::-1])).bind_tools([add])
    message = model.invoke("What is 1 + 2, and 3 + 2?")
    assert plain(message) == [("add", {"a": 1}), ("add", {"a": 3})]
    assert len({call["id"] for call in message.tool_calls}) == 2


def test_an_answer_in_words_may_win_and_then_nothing_is_called():
    message = voting("It is 3", FIVE, "It is 3").bind_tools([add]).invoke("What is 1 + 2?")
    assert (message.text, message.tool_calls) == ("It is 3", [])


def test_calls_that_the_tool_cannot_take_do_not_vote():
    wrong = [calling(("add", {"a": "one"})), calling(("subtract", {"a": 1}))]
    message = voting(*wrong, *wrong, ONE_AND_TWO).bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]


def test_where_all_calls_are_wrong_one_is_passed_on_for_the_agent_to_hear_what_is_wrong():
    wrong = calling(("add", {"a": "one"}))
    message = voting(wrong, wrong).bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": "one"})]
    assert message.response_metadata["agreement"] is None


def test_calls_that_are_cut_short_are_not_made():
    inner = StreamingCalls(answers=[FIVE], pause=0.2)
    graph = self_consistency(inner, max_samples=2, stop="fixed", on_exceeded="return")
    model = ScaledChatModel(graph, budget=Budget(seconds=0.6)).bind_tools([add])
    message = model.invoke("What is 5 + 2?")
    assert message.response_metadata["cut_off_by"] == "seconds"
    assert message.tool_calls == []


def test_where_a_tool_must_be_called_words_do_not_count():
    answers = ("It is 3", "It is 3", "It is 3", ONE_AND_TWO)
    model = voting(*answers).bind_tools([add], tool_choice="any")
    assert plain(model.invoke("What is 1 + 2?")) == [("add", {"a": 1, "b": 2})]
    model = voting(*answers).bind_tools([add], tool_choice="auto")
    assert model.invoke("What is 1 + 2?").text == "It is 3"


def test_arguments_that_only_the_agent_fills_in_are_not_asked_of_the_model():
    asked = calling(("search", {"query": "x"}))
    message = voting(asked, asked).bind_tools([search]).invoke("Search x")
    assert plain(message) == [("search", {"query": "x"})]
    assert message.response_metadata["agreement"] == 1


@pytest.mark.parametrize("ids", [True, False])
def test_no_two_calls_of_a_conversation_have_one_id(ids):
    model = voting(ONE_AND_TWO, ids=ids).bind_tools([add])
    asked = HumanMessage("What is 1 + 2?")
    first = model.invoke([asked])
    done = ToolMessage("3", tool_call_id=first.tool_calls[0]["id"])
    second = model.invoke([asked, first, done])
    assert first.tool_calls[0]["id"]
    assert second.tool_calls[0]["id"] not in (None, first.tool_calls[0]["id"])


def test_a_conversation_reaches_the_models_as_it_is():
    inner = ScriptedCalls(answers=["It is 3"])
    asked = HumanMessage("What is 1 + 2?")
    call = {"name": "add", "args": {"a": 1}, "id": "x", "type": "tool_call"}
    history = [
        asked,
        AIMessage("", tool_calls=[call]),
        ToolMessage("3", tool_call_id="x"),
        AIMessage("It is 3", id="same"),
        asked,
        AIMessage("It is 3", id="same"),
        HumanMessage("Sure?"),
    ]
    ScaledChatModel(self_consistency(inner, max_samples=1), budget=BUDGET).invoke(history)
    got, _ = inner.seen[0]
    assert [(m.type, m.text) for m in got] == [(m.type, m.text) for m in history]
    assert got[1].tool_calls[0]["id"] == got[2].tool_call_id == "x"
    assert asked.id is None


def test_a_model_with_tools_of_its_own_votes_over_calls_too():
    inner = ScriptedCalls(answers=[FIVE, ONE_AND_TWO, ONE_AND_TWO]).bind_tools([add])
    out = (
        self_consistency(inner, max_samples=3, stop="fixed")
        .compile()
        .invoke({"messages": [("user", "1 + 2?")], "budget": BUDGET})
    )
    assert plain(out["messages"][-1]) == [("add", {"a": 1, "b": 2})]
    assert out["result"].answer == '[{"name": "add", "args": {"a": 1, "b": 2}}]'


def test_only_words_are_compared_by_what_they_mean():
    embeddings = BagOfWords()
    answers = ["It is 3", FIVE, "3 it is", FIVE, calling(("add", {"b": 2.0, "a": 5}))]
    inner = ScriptedCalls(answers=answers)
    graph = self_consistency(
        inner,
        max_samples=5,
        stop="fixed",
        max_parallel=1,
        answer=semantic(embeddings=embeddings),
    )
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("1 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    assert message.response_metadata["agreement"] == 0.6
    assert {text for texts in embeddings.texts for text in texts} == {"It is 3", "3 it is"}
