import json
import os
import signal
import socket

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.scripted import Scripted, count
from tscale_graph.models import tokens
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.tokens import TokenCounter, load_encoding

TEXTS = ["", "hello world", "Grüße aus Köln, 12345!", "日本語のテキスト", "<|endoftext|> 🎉" * 20]


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_the_encodings_come_from_disk_and_give_back_what_they_were_given(name, monkeypatch):
    def no_network(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    tokens._loaded.cache_clear()
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
    model = ChatOpenAI(
        model="x",
        api_key="k",
        base_url="http://127.0.0.1:9/v1",
        custom_get_token_ids=lambda text: list(range(len(text.split()))),
    )
    assert TokenCounter(model).own
    assert TokenCounter(model).text("three words long") == 3


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


def test_a_thought_that_is_sent_again_is_part_of_a_prompt():
    thought = AIMessage("3", additional_kwargs={"reasoning_content": "x" * 400})
    model = ChatOllama(model="qwen3", base_url="http://127.0.0.1:9")
    sent = model._convert_messages_to_ollama_messages([thought])
    assert "x" * 400 in json.dumps(sent), "as LangChain converts it"
    for counter in (endpoint(model).counter, TokenCounter(Scripted())):
        more = counter.prompt_bound([thought]) - counter.prompt_bound([AIMessage("3")])
        assert more >= count("x" * 400)


ELSEWHERE = {"model": "qwen", "api_key": "k", "base_url": "http://127.0.0.1:9/v1"}
TOOL = {
    "type": "function",
    "function": {"name": "look_up", "description": "x" * 300, "parameters": {"type": "object"}},
}


class Form(BaseModel):
    """What to fill in."""

    reason: str
    score: float


def bound_of(model, content="hi"):
    return endpoint(model).counter.prompt_bound([HumanMessage(content)])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tools": [TOOL]}, json.dumps(TOOL)),
        ({"functions": [TOOL["function"]]}, json.dumps(TOOL["function"])),
        ({"response_format": Form}, json.dumps(Form.model_json_schema())),
        ({"extra_body": {"tools": [TOOL]}}, json.dumps(TOOL)),
    ],
)
@pytest.mark.parametrize("settings", [ELSEWHERE, {"model": "gpt-4o", "api_key": "k"}])
def test_what_is_bound_is_part_of_a_prompt_by_its_bytes(options, told, settings):
    model = ChatOpenAI(**settings)
    added = bound_of(model.bind(**options)) - bound_of(model)
    assert added >= len(told.encode())
    if "extra_body" in options:
        on_the_model = ChatOpenAI(**settings, **options)
        assert bound_of(on_the_model) - bound_of(model) >= len(told.encode())


def test_sampling_options_add_nothing_to_a_prompt():
    model = ChatOpenAI(**ELSEWHERE)
    assert bound_of(model.bind(temperature=0.5, stop=["Q:"], user="u")) == bound_of(model)


PIXELS = "iVBORw0KGgo" * 1_000
IMAGES = [
    {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXELS}"}},
    {"type": "image", "base64": PIXELS, "mime_type": "image/png"},
]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_counts_the_same_however_it_is_sent(image):
    model, words = ChatOpenAI(**ELSEWHERE), [{"type": "text", "text": "what is this?"}]
    assert bound_of(model, [*words, image]) - bound_of(model, words) == 50_000
    assert bound_of(model, [*words, image, image]) - bound_of(model, words) == 100_000


@pytest.mark.parametrize("image", IMAGES)
def test_the_user_may_say_what_an_attachment_counts(image):
    model = ChatOpenAI(**ELSEWHERE, metadata={"tokens_per_attachment": 1_600})
    words = [{"type": "text", "text": "what is this?"}]
    assert bound_of(model, [*words, image]) - bound_of(model, words) == 1_600
    wrong = ChatOpenAI(**ELSEWHERE, metadata={"tokens_per_attachment": 0})
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        bound_of(wrong, [image])


def test_a_file_that_is_sent_along_counts_its_characters_and_one_elsewhere_a_whole_context():
    inline = {"type": "audio", "base64": "A" * 3_000, "mime_type": "audio/wav"}
    elsewhere = {"type": "file", "file_id": "f"}
    model = ChatOpenAI(**ELSEWHERE)
    nothing = bound_of(model, [])
    assert bound_of(model, [inline]) - nothing == 3_000
    assert bound_of(model, [elsewhere]) - nothing == 2_000_000
    window = ChatOpenAI(model="gpt-4o", api_key="k")
    assert bound_of(window, [elsewhere]) - bound_of(window, []) == 128_000


def test_an_image_in_the_result_of_a_tool_counts_too():
    result = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGES[2]]}
    assert bound_of(ChatOpenAI(**ELSEWHERE), [result]) >= 50_000


@pytest.mark.model
@pytest.mark.parametrize(
    "prompt",
    [
        [HumanMessage("hi")],
        [HumanMessage("")],
        [SystemMessage("Be brief."), HumanMessage("Grüße aus Köln, 12345! 日本語 🎉")],
        [HumanMessage("a"), AIMessage("b"), HumanMessage("c"), AIMessage("d"), HumanMessage("e")],
    ],
)
def test_a_real_servers_own_count_is_never_above_the_bound(prompt):
    from tscale_graph.models import embedded

    model = ChatOpenAI(
        model="unknown",
        base_url=f"{embedded._server.address()}/v1",
        api_key=embedded._server.key,
        max_tokens=1,
    )
    counted = model.invoke(prompt).usage_metadata["input_tokens"]
    assert counted <= endpoint(model).counter.prompt_bound(prompt)


def test_a_forked_process_counts_though_its_parent_was_loading():
    with tokens._loading(os.getpid()):
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # ends a child that waits for its parent's lock
            tokens._loaded.cache_clear()
            os._exit(0 if load_encoding("o200k_base").encode_ordinary("hello world") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@given(st.text(st.characters(codec=None), max_size=80))
def test_a_text_has_no_more_tokens_than_its_bound(text):
    for counter in (TokenCounter(Scripted()), TokenCounter(ChatOpenAI(model="x", api_key="k"))):
        assert counter.text(text) <= counter.text_bound(text)
