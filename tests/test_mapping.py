"""A technique in graphs whose states have names of their own."""

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.scripted import Scripted
from tscale_graph import Budget, Result, human_review, mapped, self_consistency

ROOM = Budget(calls=8)
ASKED = "How many r's are in strawberry?"
THREAD = {"configurable": {"thread_id": "1"}}


class Ticket(TypedDict, total=False):
    ticket: Any
    allowed: Budget
    reply: str | None
    verdict: Result


@dataclass
class TicketData:
    ticket: str
    reply: str | None = None


class TicketModel(BaseModel):
    ticket: str
    reply: str | None = None


def technique(model=None):
    return self_consistency(model or Scripted(), max_samples=4)


def within(node, *, state=Ticket, **more):
    parent = StateGraph(state)
    parent.add_node("think", node)
    parent.add_edge(START, "think")
    return parent.compile(**more)


@pytest.mark.parametrize("state", [Ticket, TicketData, TicketModel])
async def test_any_state_gives_the_question_and_takes_the_answer(state):
    node = mapped(technique(), question="ticket", answer="reply", budget=ROOM)
    graph = within(node, state=state)
    for out in (graph.invoke({"ticket": ASKED}), await graph.ainvoke({"ticket": ASKED})):
        assert dict(out) == {"ticket": ASKED, "reply": "3"}


@pytest.mark.parametrize("given", [ASKED, [("user", ASKED)], [HumanMessage(ASKED)]])
async def test_a_question_is_a_text_or_messages(given):
    node = mapped(technique().compile(), question="ticket", result="verdict", budget={"calls": 8})
    out = await within(node).ainvoke({"ticket": given})
    assert (out["verdict"].answer, out["verdict"].usage.calls <= 8) == ("3", True)


async def test_functions_of_the_state_say_what_is_asked_and_what_it_may_cost():
    node = mapped(
        technique(),
        question=lambda state: [("system", "Count."), ("user", state["ticket"])],
        answer="reply",
        budget="allowed",
    )
    graph = within(node)
    assert (await graph.ainvoke({"ticket": ASKED, "allowed": ROOM}))["reply"] == "3"
    with pytest.raises(ValueError, match="the state has no 'allowed'"):
        await graph.ainvoke({"ticket": ASKED})


async def test_a_budget_may_come_from_the_config_of_the_run():
    graph = within(mapped(technique(), question="ticket", answer="reply"))
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await graph.ainvoke({"ticket": ASKED})
    config = {"configurable": {"budget": ROOM}}
    assert (await graph.ainvoke({"ticket": ASKED}, config))["reply"] == "3"


async def test_its_run_streams_with_that_of_the_graph():
    node = mapped(technique(), question="ticket", answer="reply", budget=ROOM)
    seen = [
        name
        async for _, update in within(node).astream(
            {"ticket": ASKED}, stream_mode="updates", subgraphs=True
        )
        for name in update
    ]
    assert seen.count("sample") > 1
    assert seen[-2:] == ["finish", "think"]


def test_its_run_waits_and_goes_on_with_that_of_the_graph(tmp_path):
    model = Scripted(answers=["The answer is 1", "The answer is 2"])
    node = mapped(human_review(technique(model)), question="ticket", answer="reply", budget=ROOM)
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
        graph = within(node, checkpointer=saver)
        assert graph.invoke({"ticket": ASKED}, THREAD)["__interrupt__"]
        calls = len(model.calls)
        assert graph.invoke(Command(resume="3"), THREAD)["reply"] == "3"
        assert len(model.calls) == calls


@pytest.mark.parametrize("saver", [True, False, None])
async def test_in_a_subgraph_with_its_own_checkpointer(saver):
    node = mapped(technique(), question="ticket", answer="reply", budget=ROOM)
    inside = within(node, checkpointer=saver)
    graph = within(inside, checkpointer=InMemorySaver())
    for _ in range(2):
        assert (await graph.ainvoke({"ticket": ASKED}, THREAD))["reply"] == "3"


def test_somewhere_to_write_to_is_needed():
    with pytest.raises(ValueError, match="mapped needs a key to write to: answer=… or result=…"):
        mapped(technique(), question="ticket")
