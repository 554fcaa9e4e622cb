"""A technique drops into other people's graphs."""

from typing import Annotated

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from tests.scripted import Scripted
from tscale_graph import Budget, best_of_n, self_consistency


def shout(state: MessagesState) -> dict:
    return {"messages": [HumanMessage("How many r's are in STRAWBERRY?")]}


async def test_as_a_node_of_a_graph_of_messages_with_the_budget_in_the_config():
    technique = self_consistency(Scripted(), max_samples=4).compile()
    parent = StateGraph(MessagesState)
    parent.add_node("shout", shout)
    parent.add_node("solve", technique)
    parent.add_edge(START, "shout")
    parent.add_edge("shout", "solve")
    parent.add_edge("solve", END)
    graph = parent.compile()
    config = {"configurable": {"budget": Budget(tokens=10_000)}}
    for out in (
        graph.invoke({"messages": []}, config),
        await graph.ainvoke({"messages": []}, config),
    ):
        assert set(out) == {"messages"}, "nothing private leaks"
        assert [m.type for m in out["messages"]] == ["human", "ai"], "nothing is duplicated"
        assert out["messages"][-1].text == "The answer is 3"


class Desk(TypedDict, total=False):
    """A parent with a budget, a result, and keys of its own that happen to have our names."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: Budget
    result: object
    candidates: list[str]
    wave: str


async def test_a_parents_keys_of_the_same_name_are_left_alone():
    parent = StateGraph(Desk)
    parent.add_node("solve", best_of_n(Scripted(), lambda q, a: a == "3", n=4).compile())
    parent.add_edge(START, "solve")
    out = await parent.compile().ainvoke(
        {
            "messages": [("user", "How many r's are in strawberry?")],
            "budget": Budget(calls=4),
            "candidates": ["mine"],
            "wave": "mine too",
        }
    )
    assert (out["candidates"], out["wave"]) == (["mine"], "mine too")
    assert (out["result"].answer, out["result"].usage.calls) == ("3", 1)


class Ticket(TypedDict, total=False):
    """A state that shares no key with ours."""

    question: str
    answer: str
    spent: int


technique = self_consistency(Scripted(), max_samples=4).compile()


async def answer(state: Ticket) -> dict:
    out = await technique.ainvoke(
        {"messages": [("user", state["question"])], "budget": Budget(tokens=10_000)}
    )
    return {"answer": out["result"].answer, "spent": out["result"].usage.tokens}


async def test_called_from_a_node_of_a_graph_with_a_state_of_its_own():
    parent = StateGraph(Ticket)
    parent.add_node("answer", answer)
    parent.add_edge(START, "answer")
    out = await parent.compile().ainvoke({"question": "How many r's are in strawberry?"})
    assert (out["answer"], out["spent"] > 0) == ("3", True)


async def test_a_parent_that_streams_sees_the_samples_arrive():
    parent = StateGraph(MessagesState)
    parent.add_node("solve", self_consistency(Scripted(), max_samples=16).compile())
    parent.add_edge(START, "solve")
    seen = []
    config = {"configurable": {"budget": Budget(tokens=10_000)}}
    async for _, update in parent.compile().astream(
        {"messages": [("user", "How many?")]}, config, stream_mode="updates", subgraphs=True
    ):
        seen += [name for name in update if name in ("sample", "finish")]
    assert seen == ["sample"] * 4 + ["finish"]


def test_the_schemas_are_clean_for_servers_that_publish_them():
    graph = self_consistency(Scripted()).compile()
    asked, answered = graph.get_input_jsonschema(), graph.get_output_jsonschema()
    assert set(asked["properties"]) == {"messages", "budget"}
    assert asked.get("required") == ["messages"]
    assert set(answered["properties"]) == {"messages", "result"}
