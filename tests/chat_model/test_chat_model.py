"""A technique in the place of a chat model: votes over tool calls, one budget, one usage."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from tests.scripted import Scripted
from tests.tool_caller import ToolCaller
from tscale_graph import (
    Budget,
    BudgetExceeded,
    Policy,
    SamplingError,
    ScaledChatModel,
    beam_search,
    best_of_n,
    cascade,
    extended_thinking,
    self_consistency,
)
from tscale_graph.answers import answer_kind
from tscale_graph.answers.tool_calls import OrToolCalls, written

ROOM = Budget(tokens=100_000)
ASKED = "What does add give for 2 and 3?"
SPLIT = ({"a": 9, "b": 9}, {"a": 2, "b": 3}, {"b": 3.0, "a": 2})
SPEAKS = ("The answer is 3", "The answer is 2", "The answer is 3")


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def voting(model=None, **more):
    model = model or ToolCaller(arguments=SPLIT)
    return self_consistency(model, max_samples=3, stop="fixed", max_parallel=1, **more)


def scaled(technique=None, budget=ROOM):
    return ScaledChatModel(technique or voting(), budget=budget)


async def test_it_answers_as_its_technique_does_and_says_how():
    inner = Scripted(answers=SPEAKS)
    model = scaled(voting(inner))
    for message in (model.invoke(ASKED), await model.ainvoke(ASKED)):
        assert message.text == "The answer is 3"
        told = message.response_metadata
        assert (told["technique"], told["status"]) == ("self_consistency", "complete")
        assert (told["answer"], told["calls"]) == ("3", 3)
        assert told["agreement"] == pytest.approx(2 / 3)
    assert message.usage_metadata["total_tokens"] == sum(c.billed for c in inner.calls[3:])


async def test_calls_with_equal_arguments_are_one_answer_however_they_are_spelled():
    message = await scaled().bind_tools([add]).ainvoke(ASKED)
    [call] = message.tool_calls
    assert (call["name"], call["args"]) == ("add", {"a": 2, "b": 3})
    assert message.response_metadata["agreement"] == pytest.approx(2 / 3)


async def test_a_verifier_scores_calls_as_json():
    seen = []

    def verifier(question, answer):
        seen.append(answer)
        return '"a": 2' in answer

    technique = best_of_n(ToolCaller(arguments=SPLIT), verifier, n=3, max_parallel=1)
    message = await scaled(technique).bind_tools([add]).ainvoke(ASKED)
    assert message.tool_calls[0]["args"] == {"a": 2, "b": 3}
    assert seen[0] == '[{"name": "add", "args": {"a": 9, "b": 9}}]'


class Price(BaseModel):
    """What a thing costs."""

    thing: str
    pounds: int
    each: bool = True


async def test_a_vote_over_parsed_objects_has_their_defaults_and_no_invalid_ones():
    arguments = (
        {"thing": "tea", "pounds": "many"},
        {"thing": "tea", "pounds": "many"},
        {"thing": "tea", "pounds": 3},
        {"thing": "tea", "pounds": 2},
        {"thing": "tea", "pounds": "2", "each": True},
    )
    technique = self_consistency(
        ToolCaller(arguments=arguments), max_samples=5, stop="fixed", max_parallel=1
    )
    model = scaled(technique).with_structured_output(Price, include_raw=True)
    out = await model.ainvoke("What does tea cost?")
    assert out["parsed"] == Price(thing="tea", pounds=2)
    assert out["raw"].response_metadata["agreement"] == pytest.approx(2 / 3)


async def test_an_agent_executes_the_chosen_call_once():
    executed = []

    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        executed.append((a, b))
        return a + b

    inner = ToolCaller(arguments=SPLIT)
    agent = create_agent(scaled(voting(inner)), tools=[add])
    out = await agent.ainvoke({"messages": [("user", ASKED)]})
    assert executed == [(2, 3)]
    assert out["messages"][-1].text == "The answer is 5"
    ids = [call["id"] for m in out["messages"] for call in getattr(m, "tool_calls", [])]
    assert len(ids) == len(set(ids)) == 1
    assert len(inner.calls) == 5, "three for the call; two that agree for the last word"
    spent = sum(m.usage_metadata["total_tokens"] for m in out["messages"] if m.type == "ai")
    assert spent >= sum(call.billed for call in inner.calls), "which bills no tools: we count them"


async def test_usage_is_counted_once_wherever_it_is_asked():
    inner = Scripted(answers=SPEAKS)
    model = scaled(voting(inner))

    async def think(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    parent = StateGraph(MessagesState)
    parent.add_node("think", think)
    parent.add_edge(START, "think")
    with get_usage_metadata_callback() as counted:
        await model.ainvoke(ASKED)
        model.invoke(ASKED)
        await parent.compile().ainvoke({"messages": [("user", ASKED)]})
    assert set(counted.usage_metadata) == {"tscale/self_consistency"}
    total = counted.usage_metadata["tscale/self_consistency"]["total_tokens"]
    assert total == sum(call.billed for call in inner.calls)


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_messages_stream_has_the_answer_alone(asynchronous):
    model = scaled(voting(Scripted(answers=SPEAKS)))

    async def think(state):
        asked = state["messages"]
        said = await model.ainvoke(asked) if asynchronous else model.invoke(asked)
        return {"messages": [said]}

    parent = StateGraph(MessagesState)
    parent.add_node("think", think)
    parent.add_edge(START, "think")
    asked = {"messages": [("user", ASKED)]}
    events = [e async for e in parent.compile().astream(asked, stream_mode="messages")]
    assert "".join(message.text for message, _ in events) == "The answer is 3"


async def test_a_stream_is_the_answer_with_its_calls_and_its_usage():
    whole = None
    async for chunk in scaled().bind_tools([add]).astream(ASKED):
        whole = chunk if whole is None else whole + chunk
    assert whole.tool_calls[0]["args"] == {"a": 2, "b": 3}
    assert whole.usage_metadata["total_tokens"] > 0


async def test_batches_have_a_budget_each():
    inner = Scripted(answers=SPEAKS)
    model = scaled(voting(inner), Budget(calls=3))
    said = await model.abatch([ASKED] * 4)
    assert all(m.response_metadata["calls"] <= 3 for m in said)
    assert sum(m.response_metadata["calls"] for m in said) == len(inner.calls)
    assert len(model.batch([ASKED] * 2)) == 2


async def test_the_budget_of_a_call_is_never_exceeded_and_may_be_its_own():
    inner = Scripted(answers=SPEAKS)
    model = scaled(voting(inner), Budget(calls=2))
    assert (await model.ainvoke(ASKED)).response_metadata["status"] == "cut_off"
    assert len(inner.calls) == 2
    await model.ainvoke(ASKED, budget=Budget(calls=1))
    assert len(inner.calls) == 3
    with pytest.raises(BudgetExceeded) as caught:
        await model.ainvoke(ASKED, budget={"tokens": 3})
    assert caught.value.limit == "tokens"
    assert len(inner.calls) == 3


async def test_what_tools_add_to_a_prompt_is_in_the_budget():
    inner = ToolCaller(arguments=SPLIT)
    long = {"name": "look_up", "description": "Look it up. " * 500, "parameters": {}}
    bound = scaled(voting(inner), Budget(tokens=3_000)).bind_tools([long])
    with pytest.raises(BudgetExceeded):
        await bound.ainvoke(ASKED)
    assert inner.calls == []


@pytest.mark.parametrize(
    "technique",
    [
        lambda model: cascade([voting(model), model]),
        lambda model: self_consistency(voting(model), max_samples=2),
        extended_thinking,
        lambda model: {
            "classes": {"any": {"technique": "self_consistency", "model": model}},
            "default_class": "any",
        },
    ],
    ids=["cascade", "nested", "extended_thinking", "policy"],
)
async def test_tools_reach_the_models_that_answer(technique):
    inner = ToolCaller(arguments=({"a": 2, "b": 3},))
    given_technique = technique(inner)
    if isinstance(given_technique, dict):
        from tscale_graph import router

        given_technique["classes"]["any"].pop("model")
        given_technique = router(given_technique, model=inner)
    message = await scaled(given_technique).bind_tools([add]).ainvoke(ASKED)
    assert message.tool_calls[0]["args"] == {"a": 2, "b": 3}


async def test_the_router_serves_classes_whose_techniques_take_no_tools_by_others():
    from tscale_graph import router

    model = scaled(router(Policy.default(), model=ToolCaller(arguments=SPLIT[:1])))
    message = await model.bind_tools([add]).ainvoke(ASKED)
    assert message.tool_calls[0]["name"] == "add"


async def test_stop_sequences_reach_the_models():
    stops = []

    class Listens(Scripted):
        async def _agenerate(self, messages, stop=None, run_manager=None, **options):
            stops.append(stop)
            return await super()._agenerate(messages, **options)

    await scaled(voting(Listens(answers=SPEAKS))).ainvoke(ASKED, stop=["\n"])
    assert stops == [["\n"]] * 3


async def test_cancelling_the_caller_cancels_every_call_in_flight():
    inner = Scripted(delay=30)
    technique = self_consistency(inner, max_samples=8, stop="fixed")
    asking = asyncio.create_task(scaled(technique).ainvoke(ASKED))
    while inner.in_flight < 8:
        await asyncio.sleep(0.01)
    asking.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert inner.in_flight == 0
    assert time.monotonic() - began < 1
    assert {call.fate for call in inner.calls} == {"cancelled"}


async def test_what_fails_fails_as_a_model_does():
    with pytest.raises(SamplingError, match="the scripted failure"):
        await scaled(voting(Scripted(fail=1.0))).ainvoke(ASKED)


def test_what_is_missing_or_wrong_is_one_line():
    model = Scripted()
    with pytest.raises(ValueError, match=r"no budget: .* or the chat model budget="):
        ScaledChatModel(voting(model)).invoke(ASKED)
    with pytest.raises(ValueError, match="technique must be the graph of a technique"):
        ScaledChatModel(model, budget=ROOM)
    with pytest.raises(ValueError, match="beam_search takes no tools of a caller"):
        scaled(beam_search(model, lambda question, steps: [0.5])).bind_tools([add])
    with pytest.raises(ValueError, match="must be able to call tools, and scripted is not"):
        scaled(voting(model)).bind_tools([add])
    with pytest.raises(ValueError, match=r"which models it asks, got model='gpt'"):
        scaled(voting(model)).invoke(ASKED, model="gpt")
    with pytest.raises(ValueError, match="price"):
        scaled(voting(model), Budget(usd=1)).invoke(ASKED)
    assert model.calls == []


KIND = OrToolCalls(answer_kind("number"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
CALLS = st.lists(
    st.fixed_dictionaries({
        "name": st.sampled_from(["add", "get"]),
        "args": st.dictionaries(st.text(max_size=3), VALUES, max_size=3),
        "id": st.text(max_size=3),
    }),
    min_size=1,
    max_size=3,
)  # fmt: skip


def respelled(value, draw):
    """The same value with its keys in another order, and whole numbers as fractions."""
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        return {name: respelled(value[name], draw) for name in names}
    if isinstance(value, list):
        return [respelled(one, draw) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(CALLS, st.data())
def test_order_and_spelling_make_no_difference(calls, data):
    others = data.draw(st.permutations(calls))
    others = [
        {**call, "args": respelled(call["args"], data.draw), "id": "other"} for call in others
    ]
    assert KIND.key(KIND.calls(calls)) == KIND.key(KIND.calls(others))


@given(CALLS, CALLS)
def test_what_is_called_with_other_arguments_is_another_answer(one, other):
    def plain(calls):
        return sorted((call["name"], repr(_sorted(call["args"]))) for call in calls)

    assert (KIND.key(written(one)) == KIND.key(written(other))) == (plain(one) == plain(other))


def _sorted(value):
    if isinstance(value, dict):
        return sorted((name, _sorted(part)) for name, part in value.items())
    return [_sorted(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", ["The answer is 3", '[{"name": 3', '[{"name": 1}]', "[1]", ""])
def test_answers_in_words_are_compared_as_before(text):
    assert KIND.key(text) == answer_kind("number").key(text)
