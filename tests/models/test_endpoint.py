"""What each provider's class is sent, read from the real classes."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph.models.endpoint import endpoint

PROMPT = [("user", "hi")]


def chat_openai(**more):
    return ChatOpenAI(model="gpt-4.1-mini", api_key="none", **more)


def payload(model, **asked):
    called, options = endpoint(model).request(max_output_tokens=7, **asked)
    return called._get_request_payload(PROMPT, **options)


def test_chat_openai_gets_its_limit_seed_temperature_and_n():
    sent = payload(chat_openai(), temperature=0.5, seed=3, n=4, stop=["Q:"])
    assert sent["max_completion_tokens"] == 7
    assert (sent["temperature"], sent["seed"], sent["n"], sent["stop"]) == (0.5, 3, 4, ["Q:"])
    assert "max_tokens" not in sent


def test_azure_gets_one_limit_only():
    model = AzureChatOpenAI(
        azure_endpoint="https://example.invalid",
        api_version="2024-06-01",
        api_key="none",
        azure_deployment="d",
        max_tokens=500,
    )
    sent = payload(model, n=2)
    assert sent["max_completion_tokens"] == 7
    assert "max_tokens" not in sent


def test_the_responses_api_gets_no_seed_and_no_n():
    model = chat_openai(use_responses_api=True)
    assert not endpoint(model).shares_prompt
    sent = payload(model, temperature=0.5, seed=3)
    assert sent["max_output_tokens"] == 7
    assert "seed" not in sent


def test_a_model_without_a_temperature_is_sent_none():
    sent = payload(ChatOpenAI(model="gpt-5-mini", api_key="none"), temperature=0.5)
    assert sent.get("temperature") is None


def test_anthropic_gets_max_tokens_and_no_seed():
    model = ChatAnthropic(model="claude-sonnet-4-5", api_key="none")
    sent = payload(model, temperature=0.5, seed=3)
    assert sent["max_tokens"] == 7
    assert "seed" not in sent


def test_google_gets_max_output_tokens_and_a_single_attempt():
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="none")
    called, options = endpoint(model).request(max_output_tokens=7, temperature=0.5)
    assert options == {"max_output_tokens": 7, "temperature": 0.5, "max_retries": 1}
    assert "max_output_tokens=7" in str(called._prepare_request([], **options))


def test_ollama_keeps_its_own_options_beside_the_limit():
    model = ChatOllama(model="qwen3", num_ctx=4096)
    called, options = endpoint(model).request(max_output_tokens=7, temperature=0.5, seed=3)
    sent = called._chat_params([], **options)["options"]
    assert sent == {"num_ctx": 4096, "num_predict": 7, "temperature": 0.5, "seed": 3}
    assert model.num_predict is None, "the user's model is left as it was"


def test_any_other_model_is_streamed_and_given_max_tokens():
    known = endpoint(Scripted())
    assert (known.output_limit, known.honours_limit) == ("max_tokens", False)


def test_the_users_own_output_limit_is_kept_when_it_is_lower():
    assert endpoint(chat_openai(max_tokens=50)).own_output_limit == 50


def test_bound_arguments_stay_bound():
    bound = endpoint(chat_openai().bind(tools=[{"type": "function", "function": {"name": "f"}}]))
    _, options = bound.request(max_output_tokens=7)
    assert options["tools"][0]["function"]["name"] == "f"


def test_the_price_comes_from_the_lists_or_from_the_user():
    assert endpoint(chat_openai()).prices.cost(input_tokens=1_000_000, output_tokens=0) == 0.4
    told = chat_openai(metadata={"usd_per_million_tokens": {"input": 1, "output": 2}})
    assert endpoint(told).prices.cost(input_tokens=500_000, output_tokens=500_000) == 1.5
    assert endpoint(chat_openai(base_url="http://127.0.0.1:9/v1")).prices.ceiling is None
    wrong = chat_openai(metadata={"usd_per_million_tokens": {"input": -1, "output": 2}})
    with pytest.raises(ValueError, match=r'metadata\["usd_per_million_tokens"\] must be'):
        endpoint(wrong)


@pytest.mark.parametrize("fault", ["500", "429"])
async def test_the_client_does_not_retry_behind_our_back(fault):
    with FakeServer(Behaviour(faults={fault: 1.0}), in_process=True) as server:
        model = ChatOpenAI(model="fake", api_key="none", base_url=server.url)
        ours, _ = endpoint(model).request(max_output_tokens=7)
        with pytest.raises(Exception, match=fault):
            await ours.ainvoke("hi")
        assert len(server.ledger().requests) == 1
    assert model.max_retries is None, "the user's model is left as it was"
