"""Aggregation drops into other people's graphs, and into the router."""

from langgraph.graph import END, START, MessagesState, StateGraph

from tests.techniques.aggregating.crowds import answers, converging, counting, shown
from tests.techniques.searching import QUESTION, ask
from tscale_graph import Budget, Policy, Result, aggregate_recursively, router
from tscale_graph.policy import ClassPolicy

SIZES = {"population": 3, "subset": 2, "generations": 2, "answer": "number", "seed": 2}
ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=40)}


class Parent(MessagesState):
    """State of somebody else's graph."""

    budget: Budget
    result: Result


async def test_as_a_node_it_adds_one_message_and_nothing_of_its_own():
    graph = StateGraph(Parent)
    graph.add_node("solve", aggregate_recursively(converging(), **SIZES).compile())
    graph.add_edge(START, "solve")
    graph.add_edge("solve", END)
    out = await graph.compile().ainvoke(ASKED)
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    assert set(out) == {"messages", "budget", "result"}
    assert out["result"].answer == "2"


async def test_invoke_comes_to_the_same_as_ainvoke():
    def graph():
        return aggregate_recursively(converging(), **SIZES).compile()

    sync, other = graph().invoke(ASKED)["result"], (await graph().ainvoke(ASKED))["result"]
    assert sync.answer == other.answer == "2"
    assert len(answers(sync)) == len(answers(other)) == 6
    assert sync.usage.calls == other.usage.calls


async def test_the_router_can_name_it_and_its_verifier_is_not_needed():
    one = ClassPolicy(technique="aggregate_recursively", arguments=SIZES)
    policy = Policy(
        classes={"simple": one, "samplable": one, "verifiable": one}, default_class="simple"
    )
    model = counting()
    result = await ask(router(policy, model=model, verifier=lambda q, a: True), Budget(calls=9))
    assert (result.technique, len(model.calls)) == ("aggregate_recursively", 6)


async def test_all_of_a_conversation_is_asked_and_the_last_question_has_the_candidates():
    model = counting()
    graph = aggregate_recursively(model, **SIZES).compile()
    messages = [("user", "Here is a text."), ("ai", "Thank you."), ("user", QUESTION)]
    await graph.ainvoke({**ASKED, "messages": messages})
    last = model.prompts[-1]
    assert [message.type for message in last] == ["human", "ai", "human"]
    assert len(shown(last)) == 2
