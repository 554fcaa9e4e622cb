"""What is read of a reply: all that was generated, and only usages that make sense."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tscale_graph import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.replies import Reported, read_confidences, read_message, read_usage


def with_logprobs(*tokens):
    return AIMessage("3", response_metadata={"logprobs": {"content": list(tokens)}})


def usage(prompt, output, **details):
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "total_tokens": prompt + output,
        **details,
    }


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("Three.", additional_kwargs={"reasoning_content": "Count them."}),
        AIMessage(
            [
                {"type": "reasoning", "reasoning": "Count "},
                {"type": "reasoning", "reasoning": "them."},
                {"type": "text", "text": "Three."},
            ]
        ),
        AIMessage(
            [{"type": "thinking", "thinking": "Count them."}, {"type": "text", "text": "Three."}],
            response_metadata={"model_provider": "anthropic"},
        ),
    ],
    ids=["deepseek", "langchain", "anthropic"],
)
def test_reasoning_is_kept_apart_from_the_text(message):
    completion = read_message(message)
    assert (completion.reasoning, completion.text) == ("Count them.", "Three.")
    assert completion.spoken == "Count them.Three."


def test_tool_calls_are_plain_dicts_and_count_as_spoken():
    message = AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "7"}])
    completion = read_message(message)
    assert completion.tool_calls == (
        {"name": "add", "args": {"a": 1}, "id": "7", "type": "tool_call"},
    )
    assert json.loads(completion.spoken.removeprefix("add")) == {"a": 1}


@given(st.text(max_size=60), st.integers(1, 7))
def test_the_pieces_of_a_tool_call_are_spoken_once_each(arguments, size):
    pieces = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    chunks = [
        AIMessageChunk(
            "",
            tool_call_chunks=[
                {"name": "add" if at == 0 else None, "args": piece, "id": None, "index": 0}
            ],
        )
        for at, piece in enumerate(pieces or [""])
    ]
    assert "".join(read_message(chunk).spoken for chunk in chunks) == "add" + arguments


def test_arguments_that_are_no_json_were_made_all_the_same():
    broken = {"name": "add", "args": '{"a": 1', "id": "7", "error": None}
    completion = read_message(AIMessage("", invalid_tool_calls=[broken]))
    assert (completion.tool_calls, completion.spoken) == ((), 'add{"a": 1')


def test_logprobs_are_those_of_the_chosen_tokens():
    message = with_logprobs({"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5})
    assert read_message(message).logprobs == (-0.5, -1.5)


def test_a_logprob_that_was_not_told_is_left_out_and_one_of_nothing_is_bounded():
    message = with_logprobs({"logprob": None}, {"logprob": -math.inf}, {"logprob": -9999.0}, {})
    assert read_message(message).logprobs == (-100.0, -100.0)


@pytest.mark.parametrize("told", [None, {}, {"content": None}, {"content": []}, []])
def test_where_there_are_no_logprobs_there_are_none(told):
    completion = read_message(AIMessage("3", response_metadata={"logprobs": told}))
    assert (completion.logprobs, completion.confidences) == (None, ())


@given(st.lists(st.lists(st.floats(-90, 0), min_size=1, max_size=5), min_size=1, max_size=5))
def test_confidence_is_minus_the_mean_of_the_likeliest(likeliest):
    tokens = [
        {"logprob": group[0], "top_logprobs": [{"logprob": one} for one in group]}
        for group in likeliest
    ]
    expected = [-math.fsum(group) / len(group) for group in likeliest]
    assert read_confidences(with_logprobs(*tokens)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metadata", "reason", "truncated"),
    [
        ({"finish_reason": "stop"}, "stop", False),
        ({"finish_reason": "length"}, "length", True),
        ({"stop_reason": "max_tokens"}, "max_tokens", True),
        ({"stop_reason": "end_turn"}, "end_turn", False),
        ({"finish_reason": "MAX_TOKENS"}, "MAX_TOKENS", True),
        ({"done_reason": "length"}, "length", True),
        ({"status": "incomplete"}, "incomplete", True),
        ({"status": "completed"}, "completed", False),
        ({"finish_reason": None}, None, False),
        ({}, None, False),
    ],
)
def test_every_providers_word_for_too_long_is_understood(metadata, reason, truncated):
    completion = read_message(AIMessage("3", response_metadata=metadata))
    assert (completion.finish_reason, completion.truncated) == (reason, truncated)


def test_the_usage_of_a_request_is_read_once_for_all_its_completions():
    of_all = usage(
        9,
        20,
        input_token_details={"cache_read": 4},
        output_token_details={"reasoning": 12},
    )
    replies = [AIMessage("3"), *[AIMessage("3", usage_metadata=of_all)] * 3]
    assert read_usage(replies) == Reported(9, 20, 12, 4)


@pytest.mark.parametrize(
    "reply",
    [
        AIMessage("3"),
        AIMessage("", additional_kwargs={"reasoning_content": "hm"}),
        AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "7"}]),
    ],
    ids=["text", "reasoning", "tool call"],
)
@pytest.mark.parametrize("output", [0, -1])
def test_no_tokens_for_something_is_no_report(reply, output):
    told = reply.model_copy(update={"usage_metadata": usage(9, output)})
    assert read_usage([told]) == Reported(9, None)


def test_no_tokens_for_nothing_is_one_and_no_prompt_is_not():
    assert read_usage([AIMessage("", usage_metadata=usage(0, 0))]) == Reported(None, 0)


@pytest.mark.parametrize("replies", [[], [HumanMessage("3")], [AIMessage("3")]])
def test_what_was_not_reported_is_unknown(replies):
    assert read_usage(replies) == Reported()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_call_loses_neither_logprobs_nor_the_reason_nor_the_prompts_tokens(stream):
    with FakeServer(Behaviour(answers={"The answer is 3": 1.0}), in_process=True) as server:
        model = endpoint(ChatOpenAI(model="fake", base_url=server.url, api_key="none"))
        asked = Request(
            messages=[HumanMessage("q?")], logprobs=2, stream=stream, max_output_tokens=50
        )
        [completion] = await complete(model, asked, Budget(calls=1))
        [sent] = server.ledger().requests
    assert len(completion.logprobs) == len(completion.confidences) == sent.completion_tokens
    assert completion.finish_reason == "stop"
    assert completion.prompt_tokens == sent.prompt_tokens


TOOL = {
    "type": "function",
    "function": {
        "name": "note",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
    },
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_call_for_a_tool_is_kept_and_counted_though_it_was_not_reported(stream):
    written = "and so on " * 40
    behaviour = Behaviour(
        tool_calls=[{"name": "note", "arguments": {"text": written}}], usage="none"
    )
    with FakeServer(behaviour, in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none").bind(tools=[TOOL])
        asked = Request(messages=[HumanMessage("q?")], stream=stream, max_output_tokens=500)
        [completion] = await complete(endpoint(model), asked, Budget(calls=1))
    [call] = completion.tool_calls
    assert (call["name"], call["args"]) == ("note", {"text": written})
    assert completion.usage.output_tokens >= endpoint(model).counter.text(written)


async def test_a_call_for_a_tool_that_never_ends_is_cut_off_at_its_limit():
    behaviour = Behaviour(
        tool_calls=[{"name": name, "arguments": {"text": "x y " * 400}} for name in ("a", "b")],
        ignore_max_tokens=True,
    )
    with FakeServer(behaviour, in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none").bind(tools=[TOOL])
        asked = Request(messages=[HumanMessage("q?")], max_output_tokens=60)
        [completion] = await complete(endpoint(model), asked, Budget(calls=1, tokens=5_000))
    assert (completion.truncated, completion.error) == (True, None)
    assert completion.usage.output_tokens > 60
