import pytest

from tests.scripted import Scripted
from tscale_graph import Budget, Policy, router
from tscale_graph.policy import ClassPolicy


async def route(question, graph=None, config=None, **state):
    compiled = (graph or router(model=Scripted(), verifier=lambda q, a: True)).compile()
    out = await compiled.ainvoke({"messages": [("user", question)], **state}, config)
    return out["result"]


@pytest.mark.parametrize(
    ("question", "technique", "task_class"),
    [
        ("Say hello to the world.", "self_consistency", "simple"),
        ("How many r's are in strawberry?", "self_consistency", "samplable"),
        ("Solve 3x + 4 = 19 for x.", "best_of_n", "verifiable"),
    ],
)
async def test_the_class_of_the_task_picks_the_technique(question, technique, task_class):
    result = await route(question)
    assert result.technique == technique
    assert result.notes[0].startswith(f"class {task_class}: ")


async def test_the_callers_word_comes_first():
    question = "How many r's are in strawberry?"
    assert (await route(question, task_class="simple")).usage.calls == 1
    config = {"configurable": {"task_class": "verifiable"}}
    assert (await route(question, config=config)).technique == "best_of_n"
    with pytest.raises(ValueError, match="task_class must be one of simple, samplable, verifiable"):
        await route(question, task_class="poetry")


async def test_a_class_that_cannot_be_served_falls_back_and_says_so():
    result = await route("Solve 3x + 4 = 19 for x.", router(model=Scripted()))
    assert result.technique == "self_consistency"
    assert "verifiable cannot be served here: treated as samplable" in result.notes[1]


async def test_the_requests_budget_comes_before_the_classs():
    policy = Policy(
        classes={
            "only": ClassPolicy(
                technique="self_consistency",
                arguments={"max_samples": 8, "stop": "fixed"},
                budget=Budget(calls=3),
            )
        },
        default_class="only",
    )
    graph = router(policy, model=Scripted())
    assert (await route("hi", graph)).usage.calls == 3
    assert (await route("hi", graph, budget=Budget(calls=2))).usage.calls == 2


def test_it_works_from_invoke_too():
    graph = router(model=Scripted()).compile()
    assert graph.invoke({"messages": [("user", "How many?")]})["result"].answer == "3"


def test_the_picture_shows_every_branch():
    picture = router(model=Scripted(), verifier="equation").compile().get_graph()
    assert {"simple", "samplable", "verifiable"} <= set(picture.nodes)


def test_a_policy_that_cannot_work_fails_when_it_is_built():
    entry = ClassPolicy(technique="self_consistency")
    with pytest.raises(ValueError, match="default_class must be one of a, got 'b'"):
        Policy(classes={"a": entry}, default_class="b")
    looping = ClassPolicy(technique="self_consistency", fallback="a")
    with pytest.raises(ValueError, match="go in circles"):
        Policy(classes={"a": looping}, default_class="a")
    with pytest.raises(ValueError, match="technique of a must be one of"):
        router(Policy(classes={"a": ClassPolicy(technique="magic")}, default_class="a"))
    unknown = ClassPolicy(technique="self_consistency", arguments={"samples": 3})
    with pytest.raises(ValueError, match=r"class a: .*samples"):
        router(Policy(classes={"a": unknown}, default_class="a"), model=Scripted())
    best = Policy(classes={"a": ClassPolicy(technique="best_of_n")}, default_class="a")
    with pytest.raises(ValueError, match="no class of the policy can be served"):
        router(best, model=Scripted())
