"""A caller's tools are given to every model that answers, and are in the budget as it pays them."""

import pytest
from langchain_core.tools import tool

from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import (
    Budget,
    BudgetExceeded,
    Policy,
    ScaledChatModel,
    cascade,
    extended_thinking,
    router,
    self_consistency,
)

ASKED = "What does add give for 2 and 3?"
ROOM = Budget(tokens=100_000)
VOTES = {"technique": "self_consistency"}


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Given(ScriptedCalls):
    """Calls nothing unless it is given tools."""

    def begin(self, messages, options):
        call, text = super().begin(messages, options)
        return call, text if options.get("tools") else "The answer is 4"


def answering() -> Given:
    return Given(answers=[calling(("add", {"a": 2, "b": 3}))])


def voting(model):
    return self_consistency(model, max_samples=3, stop="fixed", max_parallel=1)


@pytest.mark.parametrize(
    "technique",
    [
        lambda model: cascade([voting(model), model]),
        lambda model: self_consistency(voting(model), max_samples=2),
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
    model = ScaledChatModel(technique(inner), budget=ROOM).bind_tools([add])
    [call] = (await model.ainvoke(ASKED)).tool_calls
    assert (call["name"], call["args"]) == ("add", {"a": 2, "b": 3})
    assert all(options.get("tools") for _, options in inner.seen)


async def test_what_they_add_to_a_prompt_is_in_the_budget():
    inner = answering()
    model = ScaledChatModel(voting(inner), budget=Budget(tokens=3_000))
    long = {"name": "look_up", "description": "Look it up. " * 500, "parameters": {}}
    with pytest.raises(BudgetExceeded):
        await model.bind_tools([long]).ainvoke(ASKED)
    assert inner.calls == []
    assert (await model.bind_tools([add]).ainvoke(ASKED)).tool_calls
