"""A person is asked where an answer is not sure enough, and no model is asked again for it."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from tests.scripted import Scripted
from tscale_graph import (
    Budget,
    BudgetExceeded,
    SamplingError,
    best_of_n,
    extended_thinking,
    human_review,
    router,
    self_consistency,
)
from tscale_graph.policy import Policy

ASKED = {"messages": [("user", "How many r's are in strawberry?")], "budget": Budget(calls=8)}
SPLIT = ("The answer is 3", "The answer is 2", "The answer is 3", "The answer is 4")
THREAD = {"configurable": {"thread_id": "1"}}


def reviewed(model=None, *, saver=None, **more):
    technique = self_consistency(model or Scripted(answers=SPLIT), max_samples=4, stop="fixed")
    graph = human_review(technique, **more)
    return graph.compile(checkpointer=saver or InMemorySaver())


async def test_an_answer_that_samples_agree_on_stands_by_itself():
    graph = reviewed(Scripted())
    out = await graph.ainvoke(ASKED, THREAD)
    assert "__interrupt__" not in out
    assert (out["result"].answer, out["messages"][-1].text) == ("3", "The answer is 3")


async def test_a_person_is_shown_the_answer_and_how_sure_it_is():
    out = await reviewed(ask_human_below=0.6).ainvoke(ASKED, THREAD)
    assert "result" not in out or len(out["messages"]) == 1
    [asked] = out["__interrupt__"]
    shown = asked.value
    assert shown["question"] == "How many r's are in strawberry?"
    assert (shown["answer"], shown["confidence"], shown["by"]) == ("3", 0.5, "agreement")
    assert shown["votes"][0] == {"answer": "3", "count": 2}
    assert shown["ask_human_below"] == 0.6


@pytest.mark.parametrize(
    ("reply", "answer", "note"),
    [
        (True, "3", "accepted by a person"),
        ("7", "7", "corrected by a person"),
        ({"answer": "7"}, "7", "corrected by a person"),
        ({"answer": "7", "note": "counted"}, "7", "corrected by a person: counted"),
        (False, None, "refused by a person"),
    ],
)
async def test_what_a_person_says_is_what_stands(reply, answer, note):
    model = Scripted(answers=SPLIT)
    graph = reviewed(model)
    first = await graph.ainvoke(ASKED, THREAD)
    assert first["__interrupt__"]
    calls = len(model.calls)
    out = await graph.ainvoke(Command(resume=reply), THREAD)
    assert len(model.calls) == calls == out["result"].usage.calls
    assert (out["result"].answer, out["result"].notes[-1]) == (answer, note)
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    if answer:
        assert answer in out["messages"][-1].text
    assert out["messages"][-1].usage_metadata["total_tokens"] == out["result"].usage.tokens


@pytest.mark.parametrize("reply", [3, [], {"answer": 3}, {"verdict": "fine"}, " "])
async def test_a_reply_that_is_not_understood_is_asked_for_again(reply):
    graph = reviewed()
    await graph.ainvoke(ASKED, THREAD)
    out = await graph.ainvoke(Command(resume=reply), THREAD)
    [again] = out["__interrupt__"]
    assert again.value["problem"].startswith("not understood: ")
    out = await graph.ainvoke(Command(resume=True), THREAD)
    assert out["result"].answer == "3"


def test_it_waits_in_a_file_and_under_invoke(tmp_path):
    model = Scripted(answers=SPLIT)
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
        assert reviewed(model, saver=saver).invoke(ASKED, THREAD)["__interrupt__"]
    calls = len(model.calls)
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
        out = reviewed(model, saver=saver).invoke(Command(resume="7"), THREAD)
    assert (out["result"].answer, len(model.calls)) == ("7", calls)


async def test_it_waits_inside_another_graph():
    parent = StateGraph(MessagesState)
    technique = self_consistency(Scripted(answers=SPLIT), max_samples=4, stop="fixed")
    parent.add_node("think", human_review(technique).compile())
    parent.add_edge(START, "think")
    graph = parent.compile(checkpointer=InMemorySaver())
    config = {"configurable": {**THREAD["configurable"], "budget": Budget(calls=8)}}
    out = await graph.ainvoke({"messages": ASKED["messages"]}, config)
    assert out["__interrupt__"]
    out = await graph.ainvoke(Command(resume="7"), config)
    assert [message.text for message in out["messages"]][1:] == ["7"]


async def test_a_verifier_that_passed_it_needs_no_person_and_one_that_did_not_does():
    def verified(answer):
        graph = best_of_n(Scripted(), lambda question, given: given == answer, n=2)
        return human_review(graph, ask_human_below=0.9).compile(checkpointer=InMemorySaver())

    assert "__interrupt__" not in await verified("3").ainvoke(ASKED, THREAD)
    assert (await verified("4").ainvoke(ASKED, THREAD))["__interrupt__"]


async def test_it_stands_around_the_router():
    model = Scripted(answers=SPLIT)
    graph = human_review(router(Policy.default(), model=model), ask_human_below=1.0)
    asked = {**ASKED, "budget": Budget(tokens=60_000)}
    out = await graph.compile(checkpointer=InMemorySaver()).ainvoke(asked, THREAD)
    assert out["__interrupt__"]


async def test_without_anything_to_wait_in_it_says_so_before_any_call():
    model = Scripted()
    technique = self_consistency(model)
    with pytest.raises(ValueError, match="needs a checkpointer: compile the outermost graph"):
        await human_review(technique).compile().ainvoke(ASKED)
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await reviewed(model).ainvoke({"messages": ASKED["messages"]}, THREAD)
    with pytest.raises(ValueError, match='"messages" is empty'):
        await reviewed(model).ainvoke({**ASKED, "messages": []}, THREAD)
    with pytest.raises(ValueError, match="price"):
        await reviewed(model).ainvoke({**ASKED, "budget": Budget(usd=1)}, THREAD)
    assert model.calls == []


async def test_what_fails_fails_as_it_would_alone():
    with pytest.raises(SamplingError, match="the scripted failure"):
        await reviewed(Scripted(fail=1.0)).ainvoke(ASKED, THREAD)
    with pytest.raises(BudgetExceeded):
        await reviewed().ainvoke({**ASKED, "budget": Budget(tokens=2)}, THREAD)


@pytest.mark.parametrize(
    ("technique", "more", "told"),
    [
        (Scripted(), {}, "technique must be a technique's graph"),
        (extended_thinking(Scripted()), {}, "and extended_thinking does not"),
        (self_consistency(Scripted()), {"ask_human_below": 60}, "must be from 0 to 1, got 60"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(technique, more, told):
    with pytest.raises(ValueError, match=told):
        human_review(technique, **more)
