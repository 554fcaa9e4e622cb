"""Streams have the answer alone, unless all samples are asked for."""

import pytest

from tests.chat_model.asking import ANSWERS, QUESTION, in_a_graph, model_of
from tests.scripted import Scripted, Streaming


async def told_on(agent, mode, config=None):
    streaming = agent.astream({"messages": QUESTION}, config, stream_mode=mode, subgraphs=True)
    return [part async for _, part in streaming]


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("cls", [Scripted, Streaming])
async def test_a_graphs_messages_have_the_answer_and_no_sample(cls, asynchronous):
    agent = in_a_graph(model_of(cls(answers=ANSWERS)), asynchronous=asynchronous)
    told = await told_on(agent, "messages")
    assert {about["langgraph_node"] for _, about in told} == {"call"}
    assert "".join(chunk.text for chunk, _ in told) == "The answer is 3"
    assert await told_on(agent, "custom") == []


async def test_unless_all_samples_are_asked_for():
    agent = in_a_graph(model_of(Streaming(answers=ANSWERS)))
    told = await told_on(agent, "messages", {"configurable": {"stream_samples": True}})
    samples: dict[str, str] = {}
    for chunk, about in told:
        if about["langgraph_node"] == "sample":
            samples[chunk.id] = samples.get(chunk.id, "") + chunk.text
    assert sorted(samples.values()) == sorted(ANSWERS)


async def test_a_stream_is_the_answer_with_the_usage_of_all_calls():
    inner = Scripted(answers=ANSWERS)
    chunks = [chunk async for chunk in model_of(inner).astream(QUESTION)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.text == "The answer is 3"
    assert whole.usage_metadata["total_tokens"] == sum(call.billed for call in inner.calls)
