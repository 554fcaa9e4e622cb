"""What a caller gives with a question: tools reach every model that answers, within the budget.

Techniques and models that can make nothing of it say so.
"""

import pytest

from tests.chat_model.adding import BUDGET, FIVE, ONE_AND_TWO, add, plain, voting
from tests.scripted import Scripted
from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import (
    Budget,
    BudgetExceeded,
    Policy,
    ScaledChatModel,
    beam_search,
    best_of_n,
    cascade,
    extended_thinking,
    refine,
    router,
    self_consistency,
)

ASKED = "What does add give for 2 and 3?"
VOTES = {"technique": "self_consistency"}


class Given(ScriptedCalls):
    """Calls nothing unless it is given tools."""

    def begin(self, messages, options):
        call, text = super().begin(messages, options)
        return call, text if options.get("tools") else "The answer is 4"


def answering() -> Given:
    return Given(answers=[calling(("add", {"a": 2, "b": 3}))])


def sampling(model):
    return self_consistency(model, max_samples=3, stop="fixed", max_parallel=1)


@pytest.mark.parametrize(
    "technique",
    [
        lambda model: cascade([sampling(model), model]),
        lambda model: self_consistency(sampling(model), max_samples=2),
        extended_thinking,
        lambda model: router(
            Policy.model_validate({"default_class": "any", "classes": {"any": VOTES}}), model=model
        ),
        lambda model: router(Policy.default(), model=model),
    ],
    ids=["cascade", "nested", "extended_thinking", "policy", "default_policy"],
)
async def test_they_reach_the_models_that_answer(technique):
    inner = answering()
    model = ScaledChatModel(technique(inner), budget=BUDGET).bind_tools([add])
    message = await model.ainvoke(ASKED)
    assert plain(message) == [("add", {"a": 2, "b": 3})]
    assert all(options.get("tools") for _, options in inner.seen)


async def test_what_they_add_to_a_prompt_is_in_the_budget():
    inner = answering()
    model = ScaledChatModel(sampling(inner), budget=Budget(tokens=3_000))
    long = {"name": "look_up", "description": "Look it up. " * 500, "parameters": {}}
    with pytest.raises(BudgetExceeded):
        await model.bind_tools([long]).ainvoke(ASKED)
    assert inner.calls == []
    assert (await model.bind_tools([add]).ainvoke(ASKED)).tool_calls


def test_the_models_that_are_asked_are_told_of_the_tools_and_of_the_choice():
    inner = ScriptedCalls(answers=[ONE_AND_TWO])
    graph = self_consistency(inner, max_samples=2)
    before = set(graph.nodes)
    model = ScaledChatModel(graph, budget=BUDGET)
    model.bind_tools([add], tool_choice="add").invoke("What is 1 + 2?", stop=["#"])
    for _, options in inner.seen:
        assert [one["function"]["name"] for one in options["tools"]] == ["add"]
        assert options["tool_choice"] == "add"
        assert options["stop"] == ["#"]
    model.invoke("What is 1 + 2?")
    assert "tools" not in inner.seen[-1][1]
    assert set(graph.nodes) == before


def test_tools_reach_the_models_of_a_technique_in_the_place_of_a_model():
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE, ONE_AND_TWO])
    each = self_consistency(inner, max_samples=3, stop="fixed")
    graph = best_of_n(each, lambda question, answer: 0.5, n=2)
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]
    assert message.response_metadata["calls"] == len(inner.calls) == 6


def test_a_policy_routes_tools_to_the_techniques_that_take_them():
    policy = Policy.model_validate(
        {
            "default_class": "hard",
            "classes": {
                "hard": {"technique": "refine", "fallback": "votes"},
                "votes": {"technique": "self_consistency", "arguments": {"max_samples": 2}},
            },
        }
    )
    model = ScaledChatModel(policy, model=ScriptedCalls(answers=[ONE_AND_TWO]), budget=BUDGET)
    message = model.bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]
    assert message.response_metadata["technique"] == "self_consistency"
    assert any("refine takes no tools" in note for note in message.response_metadata["notes"])


def test_a_technique_that_makes_nothing_of_tools_says_so_when_they_are_bound():
    inner = ScriptedCalls()
    model = ScaledChatModel(refine(inner), budget=BUDGET)
    with pytest.raises(
        ValueError, match="refine takes no tools, tool_choice of a caller: self_con"
    ):
        model.bind_tools([add], tool_choice="any")
    searching = beam_search(inner, lambda question, steps: [0.5])
    with pytest.raises(ValueError, match="beam_search takes no tools of a caller"):
        ScaledChatModel(searching, budget=BUDGET).bind_tools([add])
    with pytest.raises(ValueError, match="refine takes no stop of a caller"):
        ScaledChatModel(refine(inner), stop=["#"])
    ladder = router(
        Policy.model_validate({"default_class": "a", "classes": {"a": {"technique": "refine"}}}),
        model=inner,
    )
    with pytest.raises(ValueError, match="router: refine takes no tools"):
        ScaledChatModel(ladder, budget=BUDGET).bind_tools([add])
    assert inner.calls == []


def test_so_does_a_model_that_cannot_call_them():
    model = ScaledChatModel(self_consistency(Scripted()), budget=BUDGET)
    with pytest.raises(ValueError, match="must be able to call tools, and scripted is not"):
        model.bind_tools([add])


def test_a_call_cannot_name_another_model():
    model = voting("It is 3")
    with pytest.raises(ValueError, match="which models it asks, got model='other'"):
        model.invoke("1 + 2?", model="other")
