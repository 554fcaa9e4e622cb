"""The router as a whole: overrides, fallbacks, budgets, and going on after a kill."""

from typing import ClassVar

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, interrupt

from tests.scripted import Scripted
from tscale_graph import Budget, BudgetExceeded, Policy, SamplingError, Usage, router
from tscale_graph.classifying import Classification
from tscale_graph.models.thinking_options import OllamaSwitch
from tscale_graph.policy import ClassPolicy

LARGE = Budget(calls=99, tokens=99_000)


def three(question, answer):
    return answer == "3"


class Thinking(Scripted):
    """A model that thinks, by saying so."""

    native_thinking: ClassVar = OllamaSwitch(())


def saying(task_class):
    return lambda question: Classification(task_class, 0.7, "said so")


async def ask(graph, config=None, **state):
    asked = {"messages": [("user", "How many?")], "budget": LARGE, **state}
    return (await graph.compile().ainvoke(asked, config))["result"]


@pytest.mark.parametrize(
    ("task_class", "technique"),
    [
        ("simple", "self_consistency"),
        ("samplable", "self_consistency"),
        ("verifiable", "best_of_n"),
        ("combinatorial", "ab_mcts"),
        ("sequential", "extended_thinking"),
    ],
)
async def test_each_of_the_five_classes_has_its_technique(task_class, technique):
    graph = router(model=Thinking(), verifier=three, classifier=saying(task_class))
    result = await ask(graph)
    assert (result.technique, result.answer) == (technique, "3")
    assert result.notes[:2] == [
        f"class {task_class}: said so (confidence 0.70)",
        f"technique: {technique}",
    ]


@pytest.mark.parametrize("invoke", [True, False])
async def test_the_caller_may_name_the_technique(invoke):
    graph = router(model=Scripted(), verifier=three).compile()
    for given in ({"technique": "best-of-n"}, {}):
        state = {"messages": [("user", "How many?")], "budget": LARGE, **given}
        config = None if given else {"configurable": {"technique": "best_of_n"}}
        out = graph.invoke(state, config) if invoke else await graph.ainvoke(state, config)
        assert out["result"].technique == "best_of_n"
        assert "as the caller said" in out["result"].notes[0]


@pytest.mark.parametrize(
    ("technique", "says"),
    [
        ("magic", "technique must be one of self_consistency, got 'magic'"),
        ("best_of_n", "got 'best_of_n': best_of_n needs a verifier"),
        ("extended_thinking", "needs a model that thinks natively, got scripted"),
    ],
)
async def test_a_technique_that_there_is_not_is_an_error_in_one_line(technique, says):
    with pytest.raises(ValueError, match=says):
        await ask(router(model=Scripted()), technique=technique)


async def test_what_a_request_names_is_not_for_the_next_one_on_its_thread():
    graph = router(model=Scripted(), verifier=three).compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "Hello.")], "budget": LARGE}
    first = await graph.ainvoke({**asked, "technique": "best_of_n"}, config)
    second = await graph.ainvoke({**asked, "task_class": "samplable"}, config)
    third = await graph.ainvoke(asked, config)
    notes = [out["result"].notes[0].split(":")[0] for out in (first, second, third)]
    assert notes == ["technique best_of_n", "class samplable", "class simple"]


@pytest.mark.parametrize(
    ("task_class", "route", "why"),
    [
        ("combinatorial", "samplable", "ab_mcts needs a verifier; best_of_n needs a verifier"),
        ("sequential", "samplable", 'way="native" needs a model that thinks natively'),
    ],
)
async def test_a_class_falls_back_for_want_of_a_verifier_or_a_reasoning_model(
    task_class, route, why
):
    result = await ask(router(model=Scripted(), classifier=saying(task_class)))
    assert result.notes[0].startswith(f"class {task_class}: said so")
    told = f"{task_class} cannot be served here: treated as {route} ("
    assert result.notes[1].startswith(told)
    assert why in result.notes[1]


async def test_a_class_falls_back_where_the_budget_pays_for_no_sample_of_it():
    graph = router(model=Thinking(), verifier=three, classifier=saying("sequential"))
    result = await ask(graph, budget=Budget(tokens=3_000))
    assert result.technique == "self_consistency"
    assert "tokens=3000 does not pay for one sample" in result.notes[1]
    # whoever names the technique has it all the same, as far as the budget goes
    told = await ask(graph, budget=Budget(tokens=3_000), technique="extended_thinking")
    assert told.technique == "extended_thinking"
    assert told.usage.tokens <= 3_000


async def test_a_judge_that_compares_is_for_the_class_that_can_ask_it():
    from tscale_graph.verifiers.judges import pairwise_judge

    graph = router(model=Scripted(), verifier=pairwise_judge(Scripted()))
    assert "verifiable" in graph.nodes
    assert "combinatorial" not in graph.nodes


async def test_a_class_that_the_policy_does_not_have_is_the_default_one_and_is_told():
    result = await ask(router(model=Scripted(), classifier=saying("poetry")))
    assert result.notes[0] == (
        "class simple: said so (confidence 0.70), and the policy has no class poetry"
    )


class Asking:
    """Tells the class by asking a model, so to speak."""

    def __init__(self, task_class="samplable"):
        self.asked, self.task_class = 0, task_class

    def needs(self, question):
        return Usage(calls=1, input_tokens=80, output_tokens=20)

    async def ask(self, question, *, lease, deadline):
        self.asked += 1
        return Classification(self.task_class, 0.8, "said so"), Usage(calls=1, input_tokens=50)


@pytest.mark.parametrize("budget", [LARGE, Budget(calls=4), Budget(tokens=2_500), None])
async def test_what_telling_the_class_costs_is_paid_by_the_request(budget):
    model = Scripted()
    out = await router(model=model, classifier=Asking()).compile().ainvoke(
        {"messages": [("user", "How many?")], "budget": budget}
    )  # fmt: skip
    usage = out["result"].usage
    assert usage.calls == len(model.calls) + 1
    assert out["messages"][-1].usage_metadata["total_tokens"] == usage.tokens
    assert len(out["messages"]) == 2
    allowed = budget or Policy.default().classes["samplable"].budget
    assert allowed.exceeded_by(usage) is None


async def test_errors_tell_what_telling_the_class_has_cost():
    graph = router(model=Scripted(fail=1.0), classifier=Asking())
    with pytest.raises(SamplingError) as failed:
        await ask(graph)
    assert failed.value.usage.input_tokens == 50
    with pytest.raises(BudgetExceeded) as late:
        await ask(router(model=Scripted(hang=1.0), classifier=Asking()), budget=Budget(seconds=0.3))
    assert late.value.usage.calls > 1


@pytest.mark.parametrize("invoke", [True, False])
async def test_a_run_that_was_killed_goes_on_and_the_class_is_not_told_again(invoke, monkeypatch):
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    asking, model = Asking("simple"), Scripted(fail=1.0)
    graph = router(model=model, classifier=asking).compile(
        checkpointer=InMemorySaver(serde=JsonPlusSerializer()),
        interrupt_before=["simple"],
    )
    config = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "How many?")], "budget": Budget(calls=5, tokens=9_000)}
    model.fail = 0.0

    async def go(given):
        if invoke:
            return graph.invoke(given, config, durability="sync")
        return await graph.ainvoke(given, config, durability="sync")

    await go(asked)
    assert (asking.asked, model.calls) == (1, [])
    result = (await go(None))["result"]
    assert (asking.asked, len(model.calls), result.usage.calls) == (1, 1, 2)
    assert result.notes[0] == "class simple: said so (confidence 0.80)"


def test_what_a_whole_run_takes_has_room_for_telling_the_class():
    bare = router(model=Scripted(), verifier=three).technique.at_most(100)
    asking = router(model=Scripted(), verifier=three, classifier=Asking()).technique.at_most(100)
    assert (asking.calls, asking.tokens) == (bare.calls + 1, bare.tokens + 200)


async def test_a_policy_of_compositions_runs():
    thinking = {"technique": "extended_thinking", "arguments": {"thinking_tokens": 20}}
    policy = {
        "default_class": "a",
        "classes": {"a": {"technique": "best_of_n", "model": thinking, "arguments": {"n": 2}}},
    }
    model = Scripted(answers=["Hm.", "The answer is 3"])
    result = await ask(router(policy, model=model, verifier=three))
    assert (result.technique, result.answer) == ("best_of_n", "3")
    assert result.candidates[0].reasoning == "Hm."


async def test_a_technique_whose_package_is_not_installed_falls_back(monkeypatch):
    from tscale_graph.techniques import recipes

    real = recipes.named_technique

    def without_search(name):
        if name == "ab_mcts":
            raise ImportError("tree search needs numpy: pip install 'tscale-graph[search]'")
        return real(name)

    monkeypatch.setattr(recipes, "named_technique", without_search)
    graph = router(model=Scripted(), verifier=three, classifier=saying("combinatorial"))
    result = await ask(graph)
    assert result.technique == "best_of_n"
    assert "needs numpy" in result.notes[1]


def test_the_picture_shows_every_class():
    drawn = router(model=Thinking(), verifier=three).compile().get_graph()
    assert {*Policy.default().classes} <= {*drawn.nodes}
    reached = {edge.target for edge in drawn.edges if edge.source == "classify"}
    assert reached == {*Policy.default().classes}


def test_a_classs_own_budget_is_checked_like_any():
    with pytest.raises(ValueError, match="greater than 0"):
        ClassPolicy(technique="refine", budget={"calls": -1})


async def test_a_classifier_may_ask_a_person_and_the_run_goes_on():
    def asking(question):
        return interrupt("which class?")

    graph = router(model=Scripted(answers=["3"]), classifier=asking)
    compiled = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "one"}}
    asked = {"messages": [("user", "How many?")], "budget": LARGE}
    stopped = await compiled.ainvoke(asked, config)
    assert [one.value for one in stopped["__interrupt__"]] == ["which class?"]
    out = await compiled.ainvoke(Command(resume="samplable"), config)
    assert out["result"].task_class == "samplable"
    assert out["result"].answer == "3"
