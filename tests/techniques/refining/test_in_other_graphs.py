"""Refine drops into other people's graphs, and into the router."""

from langgraph.graph import END, START, MessagesState, StateGraph

from tests.techniques.refining.revising import numbering, tenths, versions
from tests.techniques.searching import QUESTION, ask
from tscale_graph import Budget, Policy, Result, refine, router
from tscale_graph.policy import ClassPolicy

ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=40)}


class Parent(MessagesState):
    """State of somebody else's graph."""

    budget: Budget
    result: Result


async def test_as_a_node_it_adds_one_message_and_nothing_of_its_own():
    graph = StateGraph(Parent)
    graph.add_node("solve", refine(numbering(2, 10), tenths, answer="number").compile())
    graph.add_edge(START, "solve")
    graph.add_edge("solve", END)
    out = await graph.compile().ainvoke(ASKED)
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    assert set(out) == {"messages", "budget", "result"}
    assert out["result"].answer == "10"


async def test_invoke_comes_to_the_same_as_ainvoke():
    def graph():
        return refine(numbering(2, 5, 3, 10), tenths, answer="number").compile()

    sync, other = graph().invoke(ASKED)["result"], (await graph().ainvoke(ASKED))["result"]
    assert versions(sync) == versions(other) == ["2", "5", "3", "10"]
    assert sync.usage.tokens == other.usage.tokens


async def test_the_router_gives_it_the_verifier_that_it_has():
    one = ClassPolicy(technique="refine", arguments={"answer": "number"})
    policy = Policy(
        classes={"simple": one, "samplable": one, "verifiable": one}, default_class="simple"
    )
    model = numbering(2, 10)
    graph = router(policy, model=model, verifier=tenths)
    result = await ask(graph, Budget(calls=9))
    assert (result.technique, result.answer, len(model.calls)) == ("refine", "10", 2)
    assert result.verdict.feedback == "10 is not it"
