import socket

import pytest
import tiktoken
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from tests.scripted import Scripted, count
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.tokens import TokenCounter, load_encoding

TEXTS = ["", "hello world", "Grüße aus Köln, 12345!", "日本語のテキスト", "<|endoftext|> 🎉" * 20]


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_the_encodings_come_from_disk_and_give_back_what_they_were_given(name, monkeypatch):
    def no_network(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    load_encoding.cache_clear()
    encoding = load_encoding(name)
    assert isinstance(encoding, tiktoken.Encoding)
    for text in TEXTS:
        assert encoding.decode(encoding.encode_ordinary(text)) == text


def test_the_encoding_agrees_with_known_counts():
    # Token ids as OpenAI publishes them for these encodings.
    assert load_encoding("cl100k_base").encode_ordinary("hello world") == [15339, 1917]
    assert load_encoding("o200k_base").encode_ordinary("hello world") == [24912, 2375]


def test_a_models_own_tokenizer_comes_first():
    counter = TokenCounter(Scripted())
    assert counter.text("four") == 1
    assert counter.prompt_bound([HumanMessage("12345678")]) == 2 + 4 + 3


def test_a_users_own_token_function_counts():
    model = Scripted.model_construct(custom_get_token_ids=None)
    model = ChatOpenAI(
        model="x",
        api_key="k",
        base_url="http://127.0.0.1:9/v1",
        custom_get_token_ids=lambda text: list(range(len(text.split()))),
    )
    assert TokenCounter(model).own


def test_openais_own_models_are_counted_by_tiktoken_and_others_bounded_by_bytes():
    prompt = [SystemMessage("Be brief."), HumanMessage("Grüße aus Köln")]
    known = endpoint(ChatOpenAI(model="gpt-4o", api_key="k")).counter
    encode = load_encoding("o200k_base").encode_ordinary
    assert known.prompt_bound(prompt) == sum(len(encode(m.text)) + 4 for m in prompt) + 3
    other = endpoint(ChatOpenAI(model="qwen", api_key="k", base_url="http://127.0.0.1:9/v1"))
    bytes_in_all = sum(len(m.text.encode()) for m in prompt)
    assert other.counter.prompt_bound(prompt) >= bytes_in_all


class Derived(ChatOpenAI):
    """A user's subclass brings no tokenizer of its own."""


def test_a_subclass_of_an_integration_does_not_count_over_the_network():
    counter = endpoint(Derived(model="fake", api_key="k", base_url="http://127.0.0.1:9/v1")).counter
    assert not counter.own
    assert counter.prompt_bound([HumanMessage("hello")]) >= 5


def test_tool_calls_and_names_are_part_of_a_prompt():
    call = {"name": "look_up", "args": {"what": "x" * 400}, "id": "1", "type": "tool_call"}
    plain, calling = AIMessage("hi"), AIMessage("hi", tool_calls=[call])
    counter = TokenCounter(Scripted())
    assert counter.prompt_bound([calling]) > counter.prompt_bound([plain]) + count("x" * 400)
