"""A cascade drops into other people's graphs, into the router, and into other techniques."""

from langgraph.graph import END, START, MessagesState, StateGraph

from tests.techniques.cascading.climbing import answers, says, unsure
from tests.techniques.searching import QUESTION, ask
from tscale_graph import Budget, Policy, Result, Usage, cascade, refine, router, self_consistency
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.policy import ClassPolicy

ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=40)}


class Parent(MessagesState):
    """State of somebody else's graph."""

    budget: Budget
    result: Result


async def test_as_a_node_it_adds_one_message_and_nothing_of_its_own():
    graph = StateGraph(Parent)
    graph.add_node("solve", cascade([unsure(), says("large", 7)]).compile())
    graph.add_edge(START, "solve")
    graph.add_edge("solve", END)
    out = await graph.compile().ainvoke(ASKED)
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    assert set(out) == {"messages", "budget", "result"}
    assert out["messages"][-1].usage_metadata["total_tokens"] == out["result"].usage.tokens
    assert out["result"].answer == "7"


async def test_invoke_comes_to_the_same_as_ainvoke():
    def graph():
        return cascade([unsure("a"), unsure("b"), says("c", 7)]).compile()

    sync, other = graph().invoke(ASKED)["result"], (await graph().ainvoke(ASKED))["result"]
    assert answers(sync) == answers(other) == ["3", "3", "7"]
    assert sync.usage.tokens == other.usage.tokens


async def test_whoever_watches_is_told_of_each_rung():
    graph = cascade([unsure(), says("large", 7)]).compile()
    told = [event async for event in graph.astream(ASKED, stream_mode="custom")]
    rungs = [event["rung"] for event in told if "rung" in event]
    assert [(one["name"], one["answer"]) for one in rungs] == [("small", "3"), ("large", "7")]
    assert round(rungs[0]["rating"], 2) == 0.33


async def test_it_says_where_each_node_may_run():
    graph = cascade([unsure(), says("large", 7)], verifier=lambda question, answer: True)
    where = {name: spec.metadata["execute_in"] for name, spec in graph.nodes.items()}
    assert where == {
        "admit": "activity",
        "climb": "activity",
        "ask": "activity",
        "verify": "activity",
        "finish": "workflow",
    }


async def test_the_router_takes_it_with_its_rungs():
    one = ClassPolicy(technique="cascade", arguments={"rungs": [unsure(), says("large", 7)]})
    policy = Policy(
        classes={"simple": one, "samplable": one, "verifiable": one}, default_class="simple"
    )
    result = await ask(router(policy), Budget(calls=9))
    assert (result.technique, result.answer) == ("cascade", "7")


def test_a_whole_run_is_every_rung_one_after_the_other():
    def known(model):
        return endpoint(load_model(model)).nested

    one = self_consistency(says("a", 3), max_samples=4, max_output_tokens=50)
    two = refine(says("b", 3), lambda question, answer: 0.5, max_revisions=2)
    both = known(cascade([one, two])).whole(100)
    assert both == Usage.total([known(one).whole(100), known(two).whole(100)])


async def test_a_seed_makes_runs_repeat_and_differs_from_rung_to_rung():
    seen = []

    def graph():
        return cascade([self_consistency(unsure(), max_samples=3, seed=5), says("c", 7)], seed=11)

    for _ in range(2):
        result = await ask(graph())
        seen.append((answers(result), result.usage.calls))
    assert seen[0] == seen[1]
