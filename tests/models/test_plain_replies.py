"""Replies read as plain dicts say what the SDK's objects say."""

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tscale_graph.models.plain_replies import with_plain_replies

ASKED = [HumanMessage("q?")]


def chat(url, cls=ChatOpenAI, **more):
    return cls(model="fake", api_key="none", base_url=url, max_retries=0, **more)


def told(result):
    """Everything in a result but ids, and fields of the SDK's objects that have no value."""

    def without(value):
        if isinstance(value, dict):
            kept = {k: without(v) for k, v in value.items() if k not in ("id", "additional_kwargs")}
            return {k: v for k, v in kept.items() if v is not None and v != ""}
        return [without(one) for one in value] if isinstance(value, list) else value

    generations = [[g.message.model_dump(), g.generation_info] for g in result.generations[0]]
    return without([generations, result.llm_output])


@pytest.mark.parametrize(
    ("behaviour", "options"),
    [
        ({}, {}),
        ({}, {"n": 5}),
        ({}, {"logprobs": True, "top_logprobs": 2, "n": 2}),
        ({"usage": "none"}, {"n": 2}),
        (
            {"tool_calls": [{"name": "add", "arguments": {"a": 1}}]},
            {"tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}]},
        ),
    ],
)
async def test_a_reply_says_the_same(behaviour, options):
    with FakeServer(
        Behaviour(answers={"The answer is 3": 1}, **behaviour), in_process=True
    ) as server:
        model = chat(server.url)
        plain = with_plain_replies(model)
        assert plain is not model
        assert with_plain_replies(plain) is plain
        replies = [await each.agenerate([ASKED], **options) for each in (model, plain)]
    expected, got = (told(reply) for reply in replies)
    assert got == expected


async def test_streams_are_as_before():
    with FakeServer(Behaviour(chunk_chars=4), in_process=True) as server:
        for more in ({}, {"include_response_headers": True}):
            plain = with_plain_replies(chat(server.url, **more))
            chunks = [chunk.text async for chunk in plain.astream(ASKED)]
            assert "".join(chunks) == "The answer is 3"
            assert len(chunks) > 3


@pytest.mark.parametrize("fault", ["500", "429", "malformed", "empty"])
async def test_what_fails_fails_alike(fault):
    async def outcome(model):
        try:
            return (await model.agenerate([ASKED], n=2)).generations[0][0].text
        except (openai.APIError, ValueError) as error:
            return type(error)

    with FakeServer(Behaviour(faults={fault: 1.0}), in_process=True) as server:
        model = chat(server.url)
        assert await outcome(with_plain_replies(model)) == await outcome(model)


def test_a_class_that_reads_replies_in_its_own_way_keeps_the_sdks_objects():
    class Own(ChatOpenAI):
        def _create_chat_result(self, response, generation_info=None):
            assert isinstance(response, openai.BaseModel)
            return super()._create_chat_result(response, generation_info)

    model = chat("http://127.0.0.1:1/v1", cls=Own)
    assert with_plain_replies(model) is model
