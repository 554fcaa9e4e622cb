"""Pictures as plain data."""

from functools import partial

import pytest
from langgraph.graph import START, MessagesState, StateGraph

from tests.drawing.compositions import COMPOSITIONS, agent, model
from tscale_graph import (
    ab_mcts,
    best_of_n,
    extended_thinking,
    refine,
    router,
    self_consistency,
)
from tscale_graph.budget import Usage
from tscale_graph.drawing import Edge, Picture, picture
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.named import TECHNIQUES
from tscale_graph.techniques.state import Answered, Question, SamplingState
from tscale_graph.verifiers import equation
from tscale_graph.verifiers.judges import judge
from tscale_graph.verifiers.titles import title_of


def words(drawn):
    return [step.words for step in drawn.steps]


def inside(drawn, name):
    return next(step.inside for step in drawn.steps if step.name == name)


def ways(drawn):
    label = {step.name: step.label for step in drawn.steps}
    return [(label[edge.source], edge.label, label[edge.target]) for edge in drawn.edges]


def test_a_technique_has_its_steps_in_order_with_the_model_in_the_one_that_asks():
    drawn = picture(best_of_n(model(), equation, n=4))
    assert drawn.title == "best-of-n"
    assert words(drawn) == [
        "START", "admit", "sample · up to 4", "verify · equation", "decide", "finish", "END",
    ]  # fmt: skip
    assert inside(drawn, "sample") == (Picture("small"),)
    assert ways(drawn) == [
        ("START", "", "admit"),
        ("admit", "", "sample"),
        ("admit", "", "finish"),
        ("sample", "", "verify"),
        ("verify", "", "decide"),
        ("decide", "again", "admit"),
        ("decide", "enough", "finish"),
        ("finish", "", "END"),
    ]


def test_what_is_not_always_taken_is_conditional():
    drawn = picture(self_consistency(model()))
    always = {(edge.source, edge.target) for edge in drawn.edges if not edge.conditional}
    assert always == {("__start__", "admit"), ("sample", "decide"), ("finish", "__end__")}


def test_a_technique_in_the_place_of_a_model_has_steps_in_turn_and_no_ends():
    drawn = picture(COMPOSITIONS["three levels"]())
    (second,) = inside(drawn, "sample")
    (third,) = inside(second, "sample")
    assert (second.title, third.title) == ("self-consistency", "extended-thinking")
    assert words(third) == ["admit", "plan", "think · up to 4,096 tokens", "answer", "finish"]
    assert inside(third, "think") == inside(third, "answer") == (Picture("small"),)
    assert "START" not in words(second)


def test_several_models_stand_in_the_step_that_asks_them():
    drawn = picture(ab_mcts([refine(model("a"), equation), model("b")], equation))
    assert [one.title for one in inside(drawn, "expand")] == ["refine", "b"]


def test_a_router_has_each_of_its_techniques_in_the_step_of_its_class():
    drawn = picture(router(model=model(), verifier=equation))
    classes = {step.name: [one.title for one in step.inside] for step in drawn.steps if step.inside}
    assert classes == {
        "simple": ["self-consistency"],
        "samplable": ["self-consistency"],
        "verifiable": ["best-of-n"],
        "combinatorial": ["ab-mcts"],
    }


def test_a_router_may_stand_in_the_place_of_a_model():
    drawn = picture(self_consistency(router(model=model(), verifier=equation)))
    assert [one.title for one in inside(drawn, "sample")] == ["router"]


def test_somebodys_own_graph_is_drawn_with_the_techniques_in_it():
    drawn = picture(agent())
    assert words(drawn) == ["START", "agent", "tools", "solve it", "END"]
    assert [one.title for one in inside(drawn, "solve_it")] == ["best-of-n"]
    assert picture(agent().compile(name="my agent")).title == "my agent"


def test_compiled_or_not_makes_no_difference():
    for build in COMPOSITIONS.values():
        assert picture(build()) == picture(build().compile())


def test_a_step_that_follows_itself_says_that_it_repeats():
    graph = StateGraph(MessagesState)
    graph.add_node("count_down", lambda state: state)
    graph.add_edge(START, "count_down")
    graph.add_conditional_edges("count_down", lambda _: "count_down", ["count_down", "__end__"])
    drawn = picture(graph)
    assert "count down · repeats" in words(drawn)
    assert Edge("count_down", "__end__", conditional=True) in drawn.edges


def test_a_technique_that_does_not_say_where_it_asks_shows_its_models_all_the_same():
    known = Technique("mine", self_consistency(model()).technique.asks, lambda _: Usage())
    graph = TechniqueGraph(SamplingState, known, input_schema=Question, output_schema=Answered)
    graph.add_node("only", lambda state: state)
    graph.add_edge(START, "only")
    drawn = picture(graph)
    assert words(drawn)[-1] == "asks"
    assert drawn.steps[-1].inside == (Picture("small"),)


def test_the_techniques_say_where_they_ask():
    drawn = [picture(build()) for build in COMPOSITIONS.values()]
    titles = {one.title.replace("-", "_") for one in drawn} | {"refine", "extended_thinking"}
    assert set(TECHNIQUES) <= titles, "a composition for each of them"
    assert not any("asks" in words(one) for one in drawn)


def test_what_is_no_graph_is_refused():
    with pytest.raises(TypeError, match="graph must be a LangGraph graph, got str"):
        picture("best_of_n")


def test_a_verifier_is_called_by_its_name():
    def close_enough(question, answer, slack):
        return True

    assert title_of(close_enough) == "close enough"
    assert title_of(partial(close_enough, slack=1)) == "close enough"
    assert title_of(lambda question, answer: True) == "verifier"
    assert title_of(judge(model("wise"))) == "judge: wise"


def test_extended_thinking_alone_has_its_ends():
    assert words(picture(extended_thinking(model())))[::6] == ["START", "END"]
