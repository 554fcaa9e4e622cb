"""How each provider's class is held to a form: asked of the real classes."""

import random

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from tests.scripted import Scripted
from tscale_graph import Budget
from tscale_graph.models.endpoint import endpoint
from tscale_graph.verifiers.judges import equivalent, judge, listwise_judge
from tscale_graph.verifiers.judges.forms import RankingForm, ScoreForm, whole_schema
from tscale_graph.verifiers.judges.structure import held_to

FORM = ScoreForm(10)


def bound(model):
    return held_to(endpoint(model), FORM).bound


def test_openai_is_given_a_strict_schema_beside_what_the_user_sends_along():
    model = ChatOpenAI(model="gpt-5-mini", api_key="none", extra_body={"top_k": 3})
    sent = bound(model)["extra_body"]
    assert sent["top_k"] == 3
    schema = sent["response_format"]["json_schema"]
    assert (schema["strict"], schema["name"]) == (True, "judgement")
    assert list(schema["schema"]["properties"]) == ["reason", "score"]
    payload = model._get_request_payload("hi", **bound(model))
    assert "response_format" not in payload, "the SDK would parse the reply, and lose its usage"


def test_openais_responses_api_is_given_it_in_its_own_place():
    model = ChatOpenAI(model="gpt-5-mini", api_key="none", use_responses_api=True)
    payload = model._get_request_payload("hi", **bound(model))
    assert payload["text"]["format"]["schema"]["required"] == ["reason", "score"]


def test_anthropic_is_given_a_tool_that_it_must_use():
    options = bound(ChatAnthropic(model="claude-sonnet-4-5", api_key="none"))
    assert options["tool_choice"] == {"type": "tool", "name": "judgement"}
    assert options["tools"][0]["input_schema"]["required"] == ["reason", "score"]


def test_google_and_ollama_are_given_the_schema():
    google = bound(ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="none"))
    assert google["response_mime_type"] == "application/json"
    assert google["response_json_schema"]["required"] == ["reason", "score"]
    ollama = bound(ChatOllama(model="x"))
    assert ollama["format"]["required"] == ["reason", "score"]


def test_classes_that_are_not_known_are_told_in_words():
    assert held_to(endpoint(Scripted()), FORM) is None


def test_the_schema_counts_as_part_of_the_prompt():
    anthropic = endpoint(ChatAnthropic(model="claude-sonnet-4-5", api_key="none"))
    prompt = [AIMessage("hi")]
    held = held_to(anthropic, FORM)
    more = held.counter.prompt_bound(prompt) - anthropic.counter.prompt_bound(prompt)
    assert more > len(str(whole_schema(FORM)))


def test_structure_can_be_turned_off():
    model = ChatAnthropic(model="claude-sonnet-4-5", api_key="none")
    with_it, without = judge(model), judge(model, structured=False)
    assert with_it.call_size("q", "a").prompt_tokens > without.call_size("q", "a").prompt_tokens


@pytest.mark.model
class TestTheEmbeddedModel:
    """llama.cpp writes by a grammar made from the schema, so even a tiny model keeps to it."""

    LEASE = Budget(calls=2, tokens=3_000)

    async def test_it_scores_in_form(self):
        verdict = await judge("local", max_output_tokens=160)("2 + 2?", "4", lease=self.LEASE)
        assert 0 <= verdict.score <= 1
        assert 1 <= verdict.usage.calls <= 2
        assert verdict.usage.tokens <= 3_000

    def test_its_grammar_lets_no_part_of_the_form_go_on_for_ever(self):
        from tscale_graph.models.embedded import embedded_model

        held = held_to(endpoint(embedded_model()), RankingForm(3))
        form = held.bound["extra_body"]["response_format"]["json_schema"]["schema"]
        assert form["properties"]["reason"]["maxLength"] < 1_000
        assert form["properties"]["ranking"]["maxItems"] == 3

    async def test_its_prompt_is_counted_exactly(self):
        from tscale_graph.models.attempts import Request
        from tscale_graph.models.calls import complete
        from tscale_graph.models.embedded import embedded_model

        verifier = judge(embedded_model())
        prompt = verifier._prompt("2 + 2?", "4").messages()
        held = held_to(verifier.asker.endpoint, FORM)
        request = Request(messages=prompt, max_output_tokens=100)
        [reply] = await complete(held, request, Budget(calls=1))
        assert reply.prompt_tokens == held.counter.prompt_bound(prompt)
        assert reply.text.lstrip().startswith("{")

    async def test_it_ranks_and_compares_in_form(self):
        lease = Budget(calls=2, tokens=8_000)
        ranking = await listwise_judge("local", max_output_tokens=160).rank(
            "2 + 2?", ["4", "5", "four"], lease=lease, rng=random.Random(1)
        )
        assert max(ranking.scores) == 1.0
        same, usage = await equivalent("local", max_output_tokens=160).same(
            "2 + 2?", "4", "four", lease=lease
        )
        assert isinstance(same, bool)
        assert usage.calls == 1, "held to the form, so the first reply can be read"
