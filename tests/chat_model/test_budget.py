"""The budget of a call: the model's own, and what the call brings."""

import pytest
from langchain_core.prompts import ChatPromptTemplate

from tests.chat_model.asking import ANSWERS, QUESTION, in_a_graph, model_of
from tests.scripted import Scripted
from tscale_graph import Budget, BudgetExceeded, ScaledChatModel, self_consistency


@pytest.mark.parametrize(
    ("own", "brought", "calls"),
    [
        (None, {"budget": Budget(calls=2)}, 2),
        (None, {"config": {"configurable": {"budget": {"calls": 2}}}}, 2),
        (Budget(calls=1), {"budget": Budget(calls=2)}, 1),
        (Budget(calls=2), {"config": {"configurable": {"budget": Budget(calls=1)}}}, 1),
        (Budget(calls=2), {"budget": Budget(tokens=10_000)}, 2),
        (Budget(calls=9), {}, 3),
        (None, {"budget": {"calls": 1}, "config": {"configurable": {"budget": {"calls": 2}}}}, 1),
    ],
)
async def test_a_call_may_lower_the_budget_or_bring_one(own, brought, calls):
    for ask in ("invoke", "ainvoke", "stream", "astream", "batch", "astream_events"):
        inner = Scripted(answers=ANSWERS)
        model = model_of(inner, budget=own)
        asked = [QUESTION] if ask == "batch" else QUESTION
        got = getattr(model, ask)(asked, **brought)
        if ask in ("astream", "astream_events"):
            async for _ in got:
                pass
        elif ask == "ainvoke":
            await got
        else:
            list(got)
        assert len(inner.calls) == calls, ask


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_third_version_of_events_takes_a_budget_too():
    inner = Scripted(answers=ANSWERS)
    config = {"configurable": {"budget": Budget(calls=1)}}
    stream = await model_of(inner).astream_events(QUESTION, config, version="v3")
    assert (await stream.output).text == "The answer is 2"
    assert len(inner.calls) == 1


async def test_it_finds_the_budget_of_a_chain_and_of_a_graph_that_it_is_called_in():
    inner = Scripted(answers=ANSWERS)
    model = model_of(inner, budget=None)
    chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | model
    config = {"configurable": {"budget": Budget(calls=1)}}
    await chain.ainvoke({"question": QUESTION}, config)
    assert len(inner.calls) == 1
    await in_a_graph(model).ainvoke({"messages": QUESTION}, config)
    assert len(inner.calls) == 2


async def test_the_budget_of_the_technique_is_the_last_resort():
    inner = Scripted(answers=ANSWERS)
    model = model_of(inner, budget=None)
    with pytest.raises(ValueError, match=r"no budget: .* or the chat model budget="):
        await model.ainvoke(QUESTION)
    with pytest.raises(ValueError, match="no budget"):
        model.invoke(QUESTION)
    assert inner.calls == []
    graph = self_consistency(inner, max_samples=3, budget=Budget(calls=1))
    await ScaledChatModel(graph).ainvoke(QUESTION)
    assert len(inner.calls) == 1


async def test_what_is_cut_off_says_by_what_and_without_an_answer_it_raises():
    inner = Scripted(answers=ANSWERS)
    message = await model_of(inner).ainvoke(QUESTION, budget=Budget(calls=2))
    assert message.response_metadata["status"] == "cut_off"
    assert message.response_metadata["cut_off_by"] == "calls"
    with pytest.raises(BudgetExceeded, match="tokens=3 is too little") as raised:
        await model_of(inner).ainvoke(QUESTION, budget=Budget(tokens=3))
    assert raised.value.limit == "tokens"


async def test_dollars_are_kept_to_where_prices_are_known():
    inner = Scripted(answers=ANSWERS)
    with pytest.raises(ValueError, match="the price of scripted is not known"):
        await model_of(inner, budget=Budget(usd=1)).ainvoke(QUESTION)
    assert inner.calls == []
