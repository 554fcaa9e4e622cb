"""Where the caller gives up or the time is up, no call goes on."""

import asyncio
import time

import pytest

from tests.chat_model.asking import ANSWERS, QUESTION, in_a_graph, model_of
from tests.scripted import Scripted, Streaming
from tscale_graph import Budget, BudgetExceeded


@pytest.mark.parametrize("how", ["ainvoke", "astream", "graph"])
@pytest.mark.parametrize("cls", [Scripted, Streaming])
async def test_a_caller_that_is_cancelled_cancels_every_call_in_flight(cls, how):
    inner = cls(answers=ANSWERS, hang=1.0)
    model = model_of(inner)

    async def ask():
        if how == "astream":
            return [chunk async for chunk in model.astream(QUESTION)]
        if how == "graph":
            return await in_a_graph(model).ainvoke({"messages": QUESTION})
        return await model.ainvoke(QUESTION)

    asking = asyncio.create_task(ask())
    while inner.in_flight < 3:
        await asyncio.sleep(0.005)
    began = time.perf_counter()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert time.perf_counter() - began < 0.1
    assert [call.fate for call in inner.calls] == ["cancelled"] * 3


async def test_so_does_a_deadline():
    inner = Streaming(answers=ANSWERS, hang=1.0)
    with pytest.raises(BudgetExceeded):
        await model_of(inner).ainvoke(QUESTION, budget=Budget(seconds=0.2))
    assert [call.fate for call in inner.calls] == ["cancelled"] * 3
