"""A tree search drops into other people's graphs, and tells who watches what it does."""

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph

from tests.techniques.searching import QUESTION, Told, acts
from tscale_graph import Budget, Policy, Verdict, ab_mcts, beam_search, lats, router, solve
from tscale_graph.policy import ClassPolicy

TECHNIQUES = ("ab_mcts", "beam_search", "lats")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def decide(prompt, number):
    """Refined, continued or acted on, it takes several turns to come to 3."""
    said = prompt[-1]
    if "gave it 0.50" in said.text or "Step" in said.text or said.type == "tool":
        return "The answer is 3"
    return "The answer is 2"


def scorer(question, answer):
    right = "3" in answer
    return Verdict(score=1.0 if right else 0.5, passed=right, feedback="No.")


def search(name, seen=None):
    def acting(prompt, number):
        if len(prompt) == 1:
            return acts("add", a=1, b=number)
        return "The answer is 3"

    def stepping(prompt, number):
        return "The answer is 3" if "solution so far" in prompt[-1].text else f"Step {number}"

    if name == "ab_mcts":
        model = Told(decide=decide)
        technique = ab_mcts(model, scorer, batch=2, seed=3, answer="number")
    elif name == "beam_search":
        model = Told(decide=stepping)
        technique = beam_search(model, scorer, beams=1, width=2, answer="number")
    else:
        model = Told(decide=acting)
        technique = lats(model, value=scorer, tools=[add], width=2, answer="number")
    return technique, model


ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=40)}


def shape(result):
    return [(node.parent, node.text, node.status, node.score) for node in result.tree.nodes]


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_invoke_comes_to_the_same_as_ainvoke(technique):
    graph, _ = search(technique)
    waited = await graph.compile().ainvoke(ASKED)
    graph, _ = search(technique)
    at_once = graph.compile().invoke(ASKED)
    assert waited["result"].answer == at_once["result"].answer == "3"
    # Under `invoke` the calls of a round are in threads, so their order is anybody's.
    assert sorted(map(str, shape(waited["result"]))) == sorted(map(str, shape(at_once["result"])))
    assert waited["result"].usage.tokens == at_once["result"].usage.tokens


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_as_a_node_of_a_graph_of_messages_with_the_budget_in_the_config(technique):
    parent = StateGraph(MessagesState)
    parent.add_node("solve", search(technique)[0].compile())
    parent.add_edge(START, "solve")
    parent.add_edge("solve", END)
    graph = parent.compile()
    config = {"configurable": {"budget": Budget(calls=40)}}
    asked = {"messages": [("user", QUESTION)]}
    for out in (graph.invoke(asked, config), await graph.ainvoke(asked, config)):
        assert set(out) == {"messages"}, "nothing private leaks"
        assert [message.type for message in out["messages"]] == ["human", "ai"]
        assert out["messages"][-1].text.strip().endswith("The answer is 3")


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_inside_the_router_by_a_policy(technique):
    arguments = {
        "ab_mcts": {"batch": 2, "seed": 3, "verifier": scorer, "answer": "number"},
        "beam_search": {"beams": 1, "width": 2, "scorer": scorer, "answer": "number"},
        "lats": {"value": scorer, "tools": [add], "width": 2, "answer": "number"},
    }[technique]
    entry = ClassPolicy(technique=technique, arguments=arguments, budget=Budget(calls=40))
    _, model = search(technique)
    graph = router(Policy(classes={"any": entry}, default_class="any"), model=model).compile()
    out = await graph.ainvoke({"messages": [("user", QUESTION)]})
    result = out["result"]
    assert (result.technique, result.answer) == (technique, "3")
    assert result.notes[0].startswith("class any: ")
    assert result.tree.best is not None
    assert [message.type for message in out["messages"]] == ["human", "ai"]


@pytest.mark.parametrize("technique", ["ab_mcts", "beam_search"])
async def test_in_the_router_a_search_that_needs_a_verifier_may_get_the_routers(technique):
    arguments = {"answer": "number"} | ({"batch": 2, "seed": 3} if technique == "ab_mcts" else {})
    entry = ClassPolicy(technique=technique, arguments=arguments, budget=Budget(calls=40))
    policy = Policy(classes={"any": entry}, default_class="any")
    _, model = search(technique)
    graph = router(policy, model=model, verifier=scorer).compile()
    assert (await graph.ainvoke({"messages": [("user", QUESTION)]}))["result"].answer == "3"
    with pytest.raises(ValueError, match="no class of the policy can be served"):
        router(policy, model=model)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_every_node_is_told_as_it_comes(technique):
    graph, model = search(technique)
    told = [event["sample"] async for event in graph.compile().astream(ASKED, stream_mode="custom")]
    assert len(told) == len(model.calls)
    assert sorted(sample["index"] for sample in told) == [*range(1, len(told) + 1)]
    assert all(isinstance(sample["usage"]["calls"], int) for sample in told)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_nodes_are_told_under_invoke_and_from_within_a_parent_too(technique):
    graph, model = search(technique)
    parent = StateGraph(MessagesState)
    parent.add_node("solve", graph.compile())
    parent.add_edge(START, "solve")
    config = {"configurable": {"budget": Budget(calls=40)}}
    asked = {"messages": [("user", QUESTION)]}
    told = [
        event
        for _, event in parent.compile().stream(asked, config, stream_mode="custom", subgraphs=True)
    ]
    assert len(told) == len(model.calls) > 0


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_the_schemas_are_clean_for_servers_that_publish_them(technique):
    graph = search(technique)[0].compile()
    asked, answered = graph.get_input_jsonschema(), graph.get_output_jsonschema()
    assert set(asked["properties"]) == {"messages", "budget"}
    assert asked.get("required") == ["messages"]
    assert set(answered["properties"]) == {"messages", "result"}


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_the_picture_is_the_loop(technique):
    nodes = set(search(technique)[0].compile().get_graph().nodes)
    expected = {"admit", "select", "expand", "verify", "backup", "finish"}
    assert nodes - {"__start__", "__end__", "reflect"} == expected
    assert ("reflect" in nodes) == (technique == "lats")


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_every_node_says_where_it_may_be_run(technique):
    places = {
        name: (spec.metadata or {}).get("execute_in")
        for name, spec in search(technique)[0].nodes.items()
    }
    work = {name for name, place in places.items() if place == "activity"}
    assert work - {"reflect"} == {"admit", "expand", "verify"}
    assert set(places.values()) == {"activity", "workflow"}


def test_in_one_line():
    graph, _ = search("ab_mcts")
    result = solve(QUESTION, graph, budget=Budget(calls=40))
    assert (result.answer, result.tree.technique) == ("3", "ab_mcts")
