"""Prices: published ones, the user's own, and none."""

from types import SimpleNamespace

import genai_prices
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.scripted import Scripted
from tscale_graph.models.pricing import _dearest, price_list, unknown_price

MILLION = 1_000_000


def prices_of(model):
    params = model._get_ls_params()
    return price_list(model, name=params.get("ls_model_name", "m"), provider=params["ls_provider"])


def published(name, provider, **tokens):
    usage = genai_prices.Usage(**tokens)
    return float(genai_prices.calc_price(usage, name, provider_id=provider).total_price)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        (ChatOpenAI(model="gpt-4.1-mini", api_key="k"), "openai"),
        (ChatAnthropic(model="claude-sonnet-4-5", api_key="k"), "anthropic"),
        (ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="k"), "google"),
    ],
)
def test_vendors_models_cost_what_is_published(model, provider):
    name = model._get_ls_params()["ls_model_name"]
    expected = published(name, provider, input_tokens=1_000, output_tokens=200)
    cost = prices_of(model).cost(input_tokens=1_000, output_tokens=200)
    assert cost == pytest.approx(expected, abs=1e-9)
    assert cost >= expected > 0


def test_what_was_read_from_a_cache_costs_its_own_price():
    prices = prices_of(ChatOpenAI(model="gpt-4.1-mini", api_key="k"))
    whole = prices.cost(input_tokens=1_000, output_tokens=0)
    cached = prices.cost(input_tokens=1_000, output_tokens=0, cached_tokens=900)
    expected = published("gpt-4.1-mini", "openai", input_tokens=1_000, cache_read_tokens=900)
    assert cached == pytest.approx(expected, abs=1e-9)
    assert cached < whole


@pytest.mark.parametrize("tokens", [1_000, 150_000, 250_000, MILLION])
def test_a_lease_is_paid_at_the_dearest_tier(tokens):
    model = ChatGoogleGenerativeAI(model="gemini-2.5-pro", google_api_key="k")
    prices = prices_of(model)
    true = prices.cost(input_tokens=tokens, output_tokens=tokens)
    assert prices.ceiling.cost(input_tokens=tokens, output_tokens=tokens) >= true


def test_the_dearest_tier_is_the_highest_price_of_all():
    tiers = [SimpleNamespace(price=3), SimpleNamespace(price=2)]
    assert _dearest(SimpleNamespace(base=1, tiers=tiers)) == 3
    assert _dearest(SimpleNamespace(base=4, tiers=tiers)) == 4
    assert _dearest(2.5) == 2.5


def test_the_users_own_price_comes_first():
    told = {"usd_per_million_tokens": {"input": 1, "output": 2}}
    prices = prices_of(ChatOpenAI(model="gpt-4.1-mini", api_key="k", metadata=told))
    assert prices.cost(input_tokens=MILLION, output_tokens=MILLION) == 3.0
    assert prices.cost(input_tokens=MILLION, output_tokens=0, cached_tokens=MILLION) == 1.0


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"input": 1}, "output: Field required"),
        ({"input": -1, "output": 1}, "input: "),
        ({"input": 1, "output": float("inf")}, "output: "),
        ({"input": 1, "output": 1, "cached": 1}, "cached: "),
        (3, "got 3"),
    ],
)
def test_a_malformed_price_is_one_line(told, complaint):
    model = ChatOpenAI(model="m", api_key="k", metadata={"usd_per_million_tokens": told})
    with pytest.raises(ValueError, match=r'metadata\["usd_per_million_tokens"\]') as raised:
        prices_of(model)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "model",
    [
        Scripted(),
        ChatOpenAI(model="gpt-4.1-mini", api_key="k", base_url="http://127.0.0.1:9/v1"),
        ChatOpenAI(model="no-such-model", api_key="k"),
        AzureChatOpenAI(
            azure_endpoint="https://ours.openai.azure.com",
            api_version="2024-06-01",
            api_key="k",
            azure_deployment="gpt-4.1-mini",
        ),
    ],
)
def test_a_price_that_nobody_told_is_unknown_and_costs_nothing(model):
    params = model._get_ls_params()
    prices = price_list(
        model, name=params.get("ls_model_name") or "m", provider=params["ls_provider"]
    )
    assert prices.ceiling is None
    assert prices.cost(input_tokens=MILLION, output_tokens=MILLION) == 0.0


def test_the_address_in_the_environment_decides_whose_prices_hold(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert prices_of(ChatOpenAI(model="gpt-4.1-mini", api_key="k")).ceiling is None


def test_an_unknown_price_says_how_to_give_one():
    assert unknown_price("m").startswith("the price of m is not known")
    assert 'metadata={"usd_per_million_tokens"' in unknown_price("m")
