"""What each provider's class is sent, read from the real classes."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.messages import HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph import Budget, self_consistency
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
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


def azure(where):
    return AzureChatOpenAI(
        azure_endpoint=where, api_version="2024-06-01", api_key="none", azure_deployment="d"
    )


def anthropic(**more):
    return ChatAnthropic(model="claude-m", api_key="none", **more)


def google(**more):
    return ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="none", **more)


ELSEWHERE = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "model",
    [
        chat_openai(),
        chat_openai(base_url="https://eu.api.openai.com/v1"),
        azure("https://ours.openai.azure.com"),
        anthropic(),
        google(),
        ChatOllama(model="m", base_url=ELSEWHERE),
        chat_openai(base_url=ELSEWHERE, metadata={"honours_output_limit": True}),
    ],
)
def test_vendors_at_their_own_address_and_vouched_servers_are_trusted_with_a_limit(model):
    assert endpoint(model).honours_limit


@pytest.mark.parametrize(
    "model",
    [
        chat_openai(base_url=ELSEWHERE),
        chat_openai(base_url="https://api.openai.com.example.org/v1"),
        chat_openai(base_url="http://api.openai.com/v1"),
        azure("https://example.invalid"),
        anthropic(base_url=ELSEWHERE),
        google(base_url=ELSEWHERE),
        chat_openai(metadata={"honours_output_limit": False}),
    ],
)
def test_the_same_classes_elsewhere_are_not(model):
    assert not endpoint(model).honours_limit


def test_who_vouches_says_yes_or_no():
    with pytest.raises(ValueError, match="must be True or False, got 'yes'"):
        endpoint(chat_openai(metadata={"honours_output_limit": "yes"}))


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_an_address_from_the_environment_is_no_vendors(variable, monkeypatch):
    monkeypatch.setenv(variable, ELSEWHERE)
    known = endpoint(chat_openai())
    assert not known.honours_limit
    assert known.prices.ceiling is None
    assert known.counter.prompt_bound([HumanMessage("hi")]) > 100, "no tokenizer of OpenAI's"


OPTIONS = {
    "max_tokens": 4000,
    "max_completion_tokens": 4000,
    "max_output_tokens": 4000,
    "n": 5,
    "candidate_count": 5,
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("nested", [None, "extra_body"])
@pytest.mark.parametrize("n", [1, 2])
def test_what_a_lease_decides_cannot_be_bound(name, nested, n):
    bound = {name: OPTIONS[name], "user": "u"}
    model = chat_openai().bind(**(bound if nested is None else {nested: bound}))
    sent = payload(model, n=n)
    sent = {**sent, **sent.pop("extra_body", {})}
    limits = {key: sent[key] for key in sent if key in OPTIONS and key != "n"}
    assert limits == {"max_completion_tokens": 7}
    assert (sent.get("n") or 1, sent["user"]) == (n, "u")


def test_neither_can_it_be_set_on_the_model():
    model = chat_openai(n=5, max_tokens=4000, extra_body={"max_tokens": 4000, "n": 4, "top_k": 2})
    sent = payload(model)
    assert (sent["max_completion_tokens"], sent.get("n") or 1) == (7, 1)
    assert sent["extra_body"] == {"top_k": 2}
    assert model.n == 5, "the user's model is left as it was"


def test_google_is_asked_for_one_candidate():
    called, options = endpoint(google(n=4).bind(candidate_count=3)).request(max_output_tokens=7)
    assert called._prepare_request([], **options)["config"].candidate_count in (None, 1)


def test_options_that_are_bound_to_ollama_keep_the_limit():
    model = ChatOllama(model="m").bind(options={"num_predict": 4000, "num_ctx": 64})
    known = endpoint(model)
    assert known.own_output_limit == 4000
    called, options = known.request(max_output_tokens=7, seed=3)
    assert called._chat_params([], **options)["options"] == {
        "num_predict": 7,
        "num_ctx": 64,
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (chat_openai(max_tokens=50).bind(max_tokens=40), 40),
        (chat_openai(max_tokens=50).bind(max_completion_tokens=60), 50),
        (chat_openai(extra_body={"max_tokens": 30}), 30),
        (chat_openai().bind(n=3), None),
        (anthropic().bind(max_tokens=40), 40),
    ],
)
def test_the_lowest_of_the_users_own_limits_counts(model, limit):
    assert endpoint(model).own_output_limit == limit


async def test_callbacks_tags_and_metadata_of_the_model_are_kept():
    seen = []

    class Watching(AsyncCallbackHandler):
        async def on_chat_model_start(self, serialized, messages, *, tags, metadata, **more):
            seen.append((tags, metadata["team"]))

    configured = {"callbacks": [Watching()], "tags": ["blue"], "metadata": {"team": "t"}}
    model = Scripted().bind(stop=["Q:"]).with_config(configured)
    graph = self_consistency(model, max_samples=2, stop="fixed").compile()
    for budget in (Budget(calls=2), Budget(calls=2, tokens=100_000)):
        seen.clear()
        await graph.ainvoke({"messages": [("user", "q?")], "budget": budget})
        assert len(seen) == 2
        assert all("blue" in tags and team == "t" for tags, team in seen)


@pytest.mark.parametrize("own", [False, True])
async def test_a_cache_of_answers_gives_no_samples(own):
    cache = InMemoryCache()
    set_llm_cache(None if own else cache)
    try:
        model = Scripted(
            answers=["The answer is 1", "The answer is 2"], cache=cache if own else None
        )
        graph = self_consistency(model, max_samples=8, stop="fixed").compile()
        state = {"messages": [("user", "q?")], "budget": Budget(calls=8)}
        await graph.ainvoke(state)
        result = (await graph.ainvoke(state))["result"]
    finally:
        set_llm_cache(None)
    assert len(model.calls) == 2 * result.usage.calls == 16
    assert {candidate.answer for candidate in result.candidates} == {"1", "2"}


async def test_a_server_that_ignores_its_limit_is_cut_off_where_tokens_are_limited():
    behaviour = Behaviour(ignore_max_tokens=True, completion_tokens=5_000, chunk_delay=0.002)
    with FakeServer(behaviour, in_process=True) as server:
        model = ChatOpenAI(model="fake", api_key="none", base_url=server.url)
        graph = self_consistency(model, max_samples=1, max_output_tokens=100).compile()
        state = {"messages": [("user", "q?")], "budget": Budget(tokens=2_000)}
        result = (await graph.ainvoke(state))["result"]
        ledger = server.ledger(settle=5)
    assert [candidate.truncated for candidate in result.candidates] == [True]
    assert sum(request.billed_tokens for request in ledger.requests) <= 2_000


async def test_a_request_for_several_that_comes_back_over_its_limit_marks_the_server():
    behaviour = Behaviour(ignore_max_tokens=True, completion_tokens=500)
    price = {"usd_per_million_tokens": {"input": 1, "output": 1}}
    with FakeServer(behaviour, in_process=True) as server:
        known = endpoint(
            ChatOpenAI(model="fake", api_key="none", base_url=server.url, metadata=price)
        )
        asked = Request(messages=[HumanMessage("q?")], n=4, max_output_tokens=100)
        for lease in (Budget(tokens=1_000), Budget(usd=0.001)):
            completions = await complete(known, asked, lease)
            assert completions[0].overshoot_tokens > 0
        assert {request.n for request in server.ledger().requests} == {4}


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
