"""What each provider is told of thinking: the very request of the real class, and its reply."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from tests.models.recording_server import ANSWER, THOUGHT, USAGE, chat_openai, recording
from tests.scripted import Scripted
from tscale_graph import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.thinking_options import level_of

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
THINKS = {"thinks_natively": True}
ANSWER_TOKENS = 500


@pytest.fixture
def server():
    with recording() as recorder:
        yield recorder


def anthropic(url, model, **more):
    return ChatAnthropic(model=model, api_key="none", base_url=url, metadata=THINKS, **more)


def google(url, model, **more):
    return ChatGoogleGenerativeAI(
        model=model, google_api_key="none", base_url=url, metadata=THINKS, **more
    )


async def asked(server, model, *, thinking=2_000, temperature=0.5, lease=None):
    """What the server was asked, and the completion that was made of its reply."""
    known = endpoint(model)
    request = Request(
        messages=[HumanMessage("How many r's are in strawberry?")],
        max_output_tokens=thinking + ANSWER_TOKENS,
        temperature=temperature,
        thinking=thinking,
        answer_tokens=ANSWER_TOKENS,
    )
    completion = (await complete(known, request, lease or Budget(calls=1)))[0]
    assert completion.error is None, completion.error
    sent = {n: v for n, v in server.asked[-1].items() if n not in ("messages", "input", "contents")}
    return sent, completion


CHAT = {"model": "gpt-5-mini", "stream": False, "max_completion_tokens": 2_500}


async def test_chat_completions_gets_an_effort(server):
    sent, completion = await asked(server, chat_openai(server.url))
    assert sent == {**CHAT, "reasoning_effort": "low"}
    assert (completion.text, completion.reasoning) == (ANSWER, "")
    assert completion.usage.reasoning_tokens == USAGE["thought"]
    assert (completion.prompt_tokens, completion.output_tokens) == (20, 30)


async def test_an_effort_of_the_users_is_replaced_bound_or_set(server):
    model = chat_openai(server.url, reasoning_effort="high")
    sent, _ = await asked(server, model.bind(reasoning_effort="minimal", user="u"), thinking=20_000)
    assert sent == {
        **CHAT,
        "max_completion_tokens": 20_500,
        "reasoning_effort": "high",
        "user": "u",
    }
    sent, _ = await asked(server, model, thinking=0)
    assert sent == {**CHAT, "max_completion_tokens": 500, "reasoning_effort": "minimal"}
    assert model.reasoning_effort == "high", "the user's model is left as it was"


async def test_the_responses_api_gets_an_effort_beside_what_the_user_says_of_reasoning(server):
    sent, completion = await asked(server, chat_openai(server.url, use_responses_api=True))
    expected = {"model": "gpt-5-mini", "stream": False, "max_output_tokens": 2_500}
    assert sent == {**expected, "reasoning": {"effort": "low"}}
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT)
    assert completion.usage.reasoning_tokens == USAGE["thought"]
    summarized = chat_openai(server.url, reasoning={"summary": "auto", "effort": "high"})
    sent, _ = await asked(server, summarized)
    assert sent == {**expected, "reasoning": {"summary": "auto", "effort": "low"}}


async def test_claude_gets_a_budget_within_its_limit_and_no_temperature(server):
    model = anthropic(server.url, "claude-haiku-4-5", temperature=0.2)
    sent, completion = await asked(server, model)
    assert sent == {
        "model": "claude-haiku-4-5",
        "max_tokens": 2_500,
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
    }
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT)
    assert completion.usage.reasoning_tokens == USAGE["thought"]


async def test_a_lease_shortens_claudes_thought_and_not_the_answer(server):
    model = anthropic(server.url, "claude-haiku-4-5")
    bound = endpoint(model).counter.prompt_bound([HumanMessage("How many r's are in strawberry?")])
    trusted = model.model_copy(update={"metadata": {**THINKS, "honours_output_limit": True}})
    sent, _ = await asked(server, trusted, lease=Budget(calls=1, tokens=bound + 1_800))
    assert sent["max_tokens"] == 1_800
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 1_300}
    sent, _ = await asked(server, trusted, lease=Budget(calls=1, tokens=bound + 1_200))
    assert (sent["max_tokens"], "thinking" in sent) == (1_200, False), "1,024 is the least"


@pytest.mark.parametrize(
    ("name", "sampled"),
    [
        ("claude-haiku-4-5", True),
        ("claude-opus-4-6", True),
        ("claude-opus-5", False),  # which takes no temperature at all
        ("claude-sonnet-5-5", False),  # which cannot stop thinking
    ],
)
async def test_claude_keeps_its_temperature_in_calls_that_do_not_think(server, name, sampled):
    own = anthropic(server.url, name, temperature=0.2)
    sent, _ = await asked(server, own, thinking=0)
    assert sent.get("temperature") == (0.5 if sampled else None)
    if sampled:
        for each in (own, anthropic(server.url, name).bind(temperature=0.2)):
            sent, _ = await asked(server, each, thinking=0, temperature=None)
            assert sent["temperature"] == 0.2
    sent, _ = await asked(server, anthropic(server.url, name).bind(temperature=0.2))
    assert "temperature" not in sent


async def test_an_effort_of_none_keeps_the_temperature(server):
    profile = {"reasoning_effort_levels": ["none", "low", "medium"]}
    model = chat_openai(server.url, "o9", profile=profile)
    sent, _ = await asked(server, model, thinking=0)
    assert (sent["reasoning_effort"], sent["temperature"]) == ("none", 0.5)
    sent, _ = await asked(server, model)
    assert (sent["reasoning_effort"], "temperature" in sent) == ("low", False)


async def test_a_budget_of_the_users_own_is_replaced(server):
    own = {"type": "enabled", "budget_tokens": 9_000}
    model = anthropic(server.url, "claude-haiku-4-5", thinking=own)
    for each in (model, anthropic(server.url, "claude-haiku-4-5").bind(thinking=own)):
        sent, _ = await asked(server, each)
        assert sent["thinking"]["budget_tokens"] == 2_000
        sent, _ = await asked(server, each, thinking=0)
        assert "thinking" not in sent


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("name", "tokens", "thinking", "effort"),
    [
        ("claude-opus-4-7", 2_000, ADAPTIVE, "low"),
        ("claude-opus-5", 5_000, ADAPTIVE, "medium"),
        ("claude-sonnet-5-5", 40_000, ADAPTIVE, "xhigh"),
        ("claude-haiku-5-5", 2_000, ADAPTIVE, None),
        ("claude-opus-5", 0, {"type": "disabled"}, None),
        ("claude-sonnet-5-5", 0, ADAPTIVE, "low"),
        ("claude-opus-4-6", 2_000, {"type": "adaptive"}, "low"),
    ],
)
async def test_newer_claudes_think_adaptively_by_effort(server, name, tokens, thinking, effort):
    sent, _ = await asked(server, anthropic(server.url, name), thinking=tokens)
    expected = {"model": name, "max_tokens": tokens + 500, "thinking": thinking}
    assert sent == {**expected, **({"output_config": {"effort": effort}} if effort else {})}


@pytest.mark.parametrize(
    ("name", "tokens", "config"),
    [
        ("gemini-2.5-flash", 2_000, {"thinking_budget": 2_000, "include_thoughts": True}),
        ("gemini-2.5-flash", 90_000, {"thinking_budget": 24_576, "include_thoughts": True}),
        ("gemini-2.5-flash", 0, {"thinking_budget": 0}),
        ("gemini-2.5-pro", 0, {"thinking_budget": 128}),
        ("gemini-2.5-pro", 300, {"thinking_budget": 300, "include_thoughts": True}),
        ("gemini-3.5-flash", 5_000, {"thinking_level": "MEDIUM", "include_thoughts": True}),
        ("gemini-3.5-flash", 0, {"thinking_level": "MINIMAL"}),
        ("gemini-4-argon", 100, {"thinking_level": "LOW", "include_thoughts": True}),
    ],
)
async def test_gemini_gets_a_budget_or_a_level(server, name, tokens, config):
    sent, completion = await asked(server, google(server.url, name), thinking=tokens)
    told = sent["generationConfig"]
    assert told["thinkingConfig"] == config
    assert (told["maxOutputTokens"], told["temperature"]) == (tokens + 500, 0.5)
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT)
    assert completion.usage.reasoning_tokens == USAGE["thought"]


async def test_a_thinking_configuration_of_the_users_own_is_replaced(server):
    model = google(server.url, "gemini-2.5-flash", thinking_config={"thinking_budget": 7_000})
    sent, _ = await asked(server, model)
    assert sent["generationConfig"]["thinkingConfig"]["thinking_budget"] == 2_000
    sent, _ = await asked(server, google(server.url, "gemini-3.5-flash").bind(thinking_budget=9))
    assert "thinking_budget" not in sent["generationConfig"]["thinkingConfig"]


@pytest.mark.parametrize(
    ("name", "tokens", "think"),
    [("qwen3", 2_000, True), ("qwen3", 0, False), ("gpt-oss:20b", 20_000, "high")],
)
async def test_ollama_gets_its_switch_and_its_thoughts_are_told_apart(server, name, tokens, think):
    model = ChatOllama(model=name, base_url=server.url)
    sent, completion = await asked(server, model, thinking=tokens)
    assert sent["think"] == think
    assert sent["options"] == {"num_predict": tokens + 500, "temperature": 0.5}
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT if think else "")
    counted = USAGE["output"] - endpoint(model).counter.text(ANSWER)
    assert completion.usage.reasoning_tokens == (counted if think else 0)


BOTH = {"enable_thinking": True, "thinking": True}
SERVED = {"model": "qwen3", "stream": False, "max_completion_tokens": 2_500, "temperature": 0.5}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vllm", {"chat_template_kwargs": BOTH, "thinking_token_budget": 2_000}),
        (
            "llama.cpp",
            {"chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 2_000},
        ),
        (
            "sglang",
            {
                "chat_template_kwargs": BOTH,
                "separate_reasoning": True,
                "custom_params": {"thinking_budget": 2_000},
            },
        ),
    ],
)
async def test_servers_get_switches_and_a_budget_in_the_body(server, name, told):
    model = chat_openai(server.url, "qwen3", name)
    sent, completion = await asked(server, model)
    assert sent == {**SERVED, **told}
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT)
    assert completion.usage.reasoning_tokens == USAGE["thought"]


@pytest.mark.parametrize("build", ["vllm", "claude", "ollama"])
async def test_a_thought_that_is_streamed_is_told_apart_and_counted(server, build):
    model = {
        "vllm": lambda: chat_openai(server.url, "qwen3", "vllm"),
        "claude": lambda: anthropic(server.url, "claude-haiku-4-5"),
        "ollama": lambda: ChatOllama(model="qwen3", base_url=server.url),
    }[build]()
    sent, completion = await asked(server, model, lease=Budget(tokens=9_000, seconds=20))
    assert sent["stream"] is True
    assert (completion.text, completion.reasoning) == (ANSWER, THOUGHT)
    assert completion.finish_reason in ("stop", "end_turn")
    assert completion.usage.output_tokens == USAGE["output"]
    assert 20 <= completion.usage.reasoning_tokens <= USAGE["output"]


async def test_a_stream_that_only_thinks_is_cut_off_at_its_limit(server):
    model = chat_openai(server.url, "qwen3", "vllm")
    known = endpoint(model)
    request = Request(
        messages=[HumanMessage("hi")], max_output_tokens=4, thinking=3, answer_tokens=1
    )
    completion = (await complete(known, request, Budget(tokens=500)))[0]
    assert completion.truncated
    assert THOUGHT.startswith(completion.reasoning)
    assert completion.reasoning


async def test_what_the_user_has_in_the_body_stays_there(server):
    own = {"top_k": 20, "chat_template_kwargs": {"custom": 1}, "thinking_token_budget": 9}
    model = chat_openai(server.url, "qwen3", "vllm", extra_body=own)
    for each in (model, chat_openai(server.url, "qwen3", "vllm").bind(extra_body=own)):
        sent, _ = await asked(server, each, thinking=0)
        off = {"custom": 1, "enable_thinking": False, "thinking": False}
        assert sent == {
            **SERVED,
            "max_completion_tokens": 500,
            "top_k": 20,
            "chat_template_kwargs": off,
            "thinking_token_budget": 9,
        }


@pytest.mark.parametrize(
    "model",
    [
        Scripted(),
        ChatOpenAI(model="gpt-4.1", api_key="none"),
        ChatOpenAI(model="gpt-5-mini", api_key="none", base_url="http://127.0.0.1:9/v1"),
        ChatOpenAI(model="o3", api_key="none", metadata={"thinks_natively": False}),
        ChatAnthropic(model="claude-m", api_key="none"),
        ChatGoogleGenerativeAI(model="gemini-2.5-flash-image", google_api_key="none"),
    ],
)
def test_of_other_models_it_is_not_known_that_they_think(model):
    assert endpoint(model).thinking is None


@pytest.mark.parametrize(
    "model",
    [
        ChatOpenAI(model="gpt-5-mini", api_key="none"),
        ChatAnthropic(model="claude-haiku-4-5", api_key="none"),
        ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="none"),
        ChatOllama(model="qwen3"),
    ],
)
def test_of_models_at_their_vendors_the_profile_says_so(model):
    assert endpoint(model).thinking is not None


def test_who_vouches_names_a_server_that_is_known():
    with pytest.raises(ValueError, match=r"must be True, False or vllm, .*, got 'tgi'"):
        endpoint(chat_openai("http://127.0.0.1:9", thinks="tgi"))


def test_a_level_is_chosen_by_what_its_thoughts_usually_take():
    levels = ["none", "minimal", "low", "medium", "high", "xhigh"]
    picked = [level_of(tokens, levels) for tokens in (1, 1_023, 1_024, 4_096, 16_384, 99_999)]
    assert picked == ["minimal", "minimal", "low", "medium", "high", "xhigh"]
    assert level_of(10, ["low", "high"]) == "low"


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        (anthropic(None, "claude-haiku-4-5"), 0),
        (anthropic(None, "claude-opus-4-6"), 0),
        (anthropic(None, "claude-sonnet-5-5"), 1_024),
        (google(None, "gemini-2.5-flash"), 0),
        (google(None, "gemini-2.5-pro"), 128),
        (ChatOllama(model="qwen3", metadata=THINKS), 0),
        (ChatOllama(model="gpt-oss:20b", metadata=THINKS), 1_024),
        (chat_openai("http://127.0.0.1:9"), 128),
    ],
)
def test_what_a_model_thinks_that_cannot_stop_is_known_or_estimated(model, tokens):
    assert endpoint(model).thinking.unstoppable == tokens
