"""What becomes of a request of which a server refuses some option of thinking."""

import pytest
from langchain_core.messages import HumanMessage
from langchain_ollama import ChatOllama

from tests.models.recording_server import ANSWER, chat_openai, recording
from tscale_graph import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
THINKS = {"thinks_natively": True}
ANSWER_TOKENS = 500


@pytest.fixture
def server():
    with recording() as recorder:
        yield recorder


async def test_a_model_that_cannot_be_told_not_to_think_is_asked_without_it(server):
    model = ChatOllama(model="m", base_url=server.url)
    request = Request(messages=[HumanMessage("hi")], thinking=0)
    server.refuses = lambda body: "m has no thinking" if body.get("think") is False else None
    completion = (await complete(endpoint(model), request, Budget(calls=2)))[0]
    assert completion.text == ANSWER
    assert completion.notes == ("m does not take an end to its thinking: asked without it",)


@pytest.mark.parametrize(
    "message",
    [
        "For this reason the prompt is too long",
        "rethink the request: effortless it is not",
        "the server stopped",
    ],
)
async def test_a_refusal_that_names_no_option_costs_no_further_call(server, message):
    model = ChatOllama(model="m", base_url=server.url)
    request = Request(messages=[HumanMessage("hi")], thinking=0, stop=["Q:"])
    server.refuses = lambda body: message
    completion = (await complete(endpoint(model), request, Budget(calls=3)))[0]
    assert (completion.status, completion.notes, len(server.asked)) == (400, (), 1)


async def test_another_option_that_a_refusal_names_is_left_out_first(server):
    model = chat_openai(server.url, "qwen3", "vllm")
    request = Request(messages=[HumanMessage("hi")], thinking=0, temperature=0.5)
    told = "`temperature` may not be set for reasoning models"
    server.refuses = lambda body: told if "temperature" in body else None
    completion = (await complete(endpoint(model), request, Budget(calls=3)))[0]
    assert completion.text == ANSWER
    assert completion.notes == ("qwen3 does not take temperature: asked without it",)
    assert [sent["chat_template_kwargs"]["thinking"] for sent in server.asked] == [False, False]


@pytest.mark.parametrize(
    "message",
    [
        '"m" does not support thinking',
        "Unsupported value: 'reasoning_effort' does not support 'minimal'",
        "unknown parameter: enable_thinking",
        'Unknown name "thinkingBudget"',
        "output_config.effort: not supported",
    ],
)
async def test_a_refusal_names_an_end_to_thinking_in_many_ways(server, message):
    model = ChatOllama(model="m", base_url=server.url)
    request = Request(messages=[HumanMessage("hi")], thinking=0)
    server.refuses = lambda body: message if body.get("think") is False else None
    completion = (await complete(endpoint(model), request, Budget(calls=2)))[0]
    assert completion.notes == ("m does not take an end to its thinking: asked without it",)
