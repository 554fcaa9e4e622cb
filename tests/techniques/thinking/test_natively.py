"""Extended thinking by the providers themselves, and what is done where they refuse."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

from tests.models import recording_server
from tests.models.recording_server import ANSWER as SERVED_ANSWER
from tests.models.recording_server import THOUGHT, USAGE, recording
from tests.techniques.searching import QUESTION, ask
from tests.techniques.thoughtful import ANSWER, CONTINUES, thoughtful
from tscale_graph import Budget, extended_thinking
from tscale_graph.techniques.thinking.reading import apart

THINKS = {"thinks_natively": True}
ENOUGH = Budget(tokens=20_000, calls=60)


@pytest.fixture
def server():
    with recording() as recorder:
        yield recorder


def served(server, thinks="vllm", **metadata):
    return ChatOpenAI(
        model="gpt-5-mini",
        api_key="none",
        base_url=f"{server.url}/v1",
        metadata={"thinks_natively": thinks, "honours_output_limit": True, **metadata},
    )


async def test_natively_one_call_thinks_and_answers(server):
    graph = extended_thinking(served(server), thinking_tokens=2_000, max_output_tokens=500)
    out = await graph.compile().ainvoke(
        {"messages": [("user", QUESTION)], "budget": Budget(calls=9)}
    )
    result = out["result"]
    assert (result.answer, result.text, result.usage.calls) == ("3", SERVED_ANSWER, 1)
    assert result.candidates[0].reasoning == THOUGHT
    assert result.usage.reasoning_tokens == USAGE["thought"]
    assert [block["type"] for block in out["messages"][-1].content_blocks] == ["reasoning", "text"]
    (sent,) = server.asked
    assert (sent["thinking_token_budget"], sent["max_completion_tokens"]) == (2_000, 2_500)


async def test_natively_too_the_budget_shortens_the_thought_and_not_the_answer(server):
    graph = extended_thinking(served(server), thinking_tokens=2_000, max_output_tokens=500)
    await ask(graph, Budget(tokens=3_500))
    (sent,) = server.asked
    assert 16 < sent["thinking_token_budget"] < 1_500
    assert sent["max_completion_tokens"] - sent["thinking_token_budget"] == 500


async def test_a_budget_too_small_for_a_native_thought_buys_one_in_a_call_of_its_own(server):
    """Claude thinks natively from 1,024 tokens on."""
    model = ChatAnthropic(
        model="claude-haiku-4-5",
        api_key="none",
        base_url=server.url,
        metadata={"thinks_natively": True, "honours_output_limit": True},
    )
    graph = extended_thinking(model, max_output_tokens=100)
    result = await ask(graph, Budget(tokens=2_500))
    assert result.answer == "3"
    assert [sent.get("thinking") for sent in server.asked] == [None, None]
    server.asked.clear()
    await ask(graph, Budget(tokens=5_000))
    (sent,) = server.asked
    assert 1_024 <= sent["thinking"]["budget_tokens"] < 4_096
    assert sent["max_tokens"] == sent["thinking"]["budget_tokens"] + 100


async def test_fewer_tokens_than_a_provider_can_be_told_are_asked_for_in_words(server):
    model = ChatAnthropic(
        model="claude-haiku-4-5", api_key="none", base_url=server.url, metadata=THINKS
    )
    result = await ask(extended_thinking(model, thinking_tokens=200), ENOUGH)
    assert [sent.get("thinking") for sent in server.asked] == [None, None]
    assert "claude-haiku-4-5 thinks natively from 1024 tokens on" in result.notes


async def test_an_effort_is_told_in_a_note(server):
    result = await ask(extended_thinking(served(server, True), thinking_tokens=5_000), ENOUGH)
    assert 'effort "medium" stands for 5000 thinking tokens' in result.notes
    (sent,) = server.asked
    assert sent["reasoning_effort"] == "medium"


async def test_a_server_that_refuses_to_think_is_asked_in_two_calls_with_a_note(server):
    server.refuses = lambda body: "unknown field" if "thinking_token_budget" in body else None
    model = served(server, continues_assistant_message=True)
    result = await ask(extended_thinking(model, thinking_tokens=100), ENOUGH)
    assert result.answer == "3"
    assert any(note.startswith("gpt-5-mini does not think natively: ") for note in result.notes)
    native, think, answer = server.asked
    assert think["messages"][-1] == {"role": "assistant", "content": "<think>"}
    assert (think["max_completion_tokens"], think["stop"]) == (100, ["</think>"])
    assert "chat_template_kwargs" in native
    assert "chat_template_kwargs" not in {**think, **answer}


async def test_one_that_refuses_to_go_on_from_its_own_message_is_asked_in_words(server):
    server.refuses = lambda body: body["messages"][-1]["role"] == "assistant" and "no prefill"
    model = served(server, False, continues_assistant_message=True)
    result = await ask(extended_thinking(model, thinking_tokens=100), ENOUGH)
    assert result.answer == "3"
    assert any("does not go on from an assistant message" in note for note in result.notes)


async def test_a_thought_that_may_not_go_on_is_answered_from(server):
    """The same request again would be refused again."""

    def goes_on(body):
        last = body["messages"][-1]
        begun = last["role"] == "assistant" and "</think>" not in last["content"]
        return "too far" if begun and last["content"] != "<think>" else None

    server.refuses = goes_on
    model = served(server, False, continues_assistant_message=True)
    graph = extended_thinking(model, thinking_tokens=100, min_thinking_tokens=60)
    result = await ask(graph, ENOUGH)
    assert (result.answer, result.usage.calls) == ("3", 3)
    told = "gpt-5-mini did not take the call that goes on with its thought: "
    assert any(note.startswith(told) for note in result.notes)
    assert not any("does not go on from an assistant message" in note for note in result.notes)
    assert server.asked[-1]["messages"][-1]["role"] == "user", "in the next way"


async def test_a_way_that_was_refused_is_not_asked_again_where_one_before_it_had_no_room(server):
    model = ChatAnthropic(
        model="claude-haiku-4-5",
        api_key="none",
        base_url=server.url,
        metadata={**THINKS, **CONTINUES, "honours_output_limit": True},
    )
    server.refuses = lambda body: body["messages"][-1]["role"] == "assistant" and "no prefill"
    result = await ask(extended_thinking(model, max_output_tokens=100), Budget(tokens=2_500))
    assert result.answer == "3"
    assert [sent["messages"][-1]["role"] for sent in server.asked] == ["assistant", "user", "user"]


async def test_a_thought_that_took_the_answers_tokens_is_followed_by_a_call_that_answers(
    server, monkeypatch
):
    def all_thought(body):
        reply = recording_server.chat_completion(body)
        if "thinking_token_budget" in body:
            reply["choices"][0]["message"]["content"] = ""
            reply["choices"][0]["finish_reason"] = "length"
            reply["usage"]["completion_tokens_details"]["reasoning_tokens"] = 30
        return reply

    monkeypatch.setitem(recording_server.FORMS, "/v1/chat/completions", all_thought)
    result = await ask(extended_thinking(served(server), thinking_tokens=20), ENOUGH)
    assert result.answer == "3"
    answer = server.asked[1]
    assert answer["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
    assert THOUGHT in answer["messages"][-1]["content"]
    assert answer["max_completion_tokens"] == 1024


@pytest.mark.parametrize("tokens", [2_500, 20_000])
async def test_a_model_that_cannot_stop_thinking_has_room_for_that_beside_its_answer(
    server, monkeypatch, tokens
):
    """The second call is told the lowest effort; what that takes was kept back with the answer."""

    def thinks_the_first_time(body):
        reply = recording_server.chat_completion(body)
        if len(server.asked) == 1:
            choice, usage = reply["choices"][0], reply["usage"]
            choice["message"]["content"], choice["finish_reason"] = "", "length"
            usage["completion_tokens"] = body["max_completion_tokens"]
            usage["completion_tokens_details"]["reasoning_tokens"] = usage["completion_tokens"]
        return reply

    monkeypatch.setitem(recording_server.FORMS, "/v1/chat/completions", thinks_the_first_time)
    graph = extended_thinking(served(server, True), thinking_tokens=2_000, max_output_tokens=500)
    result = await ask(graph, Budget(tokens=tokens))
    assert (result.answer, result.usage.calls) == ("3", 2)
    assert result.usage.tokens <= tokens
    _, answer = server.asked
    assert (answer["reasoning_effort"], answer["max_completion_tokens"]) == ("minimal", 628)


async def test_a_thought_that_a_server_leaves_in_the_text_is_told_apart(server, monkeypatch):
    def unparsed(body):
        reply = recording_server.chat_completion(body)
        said = f"<think>{THOUGHT}</think>\n\n{SERVED_ANSWER}"
        reply["choices"][0]["message"] = {"role": "assistant", "content": said}
        return reply

    monkeypatch.setitem(recording_server.FORMS, "/v1/chat/completions", unparsed)
    result = await ask(extended_thinking(served(server)), ENOUGH)
    assert (result.text, result.candidates[0].reasoning) == (SERVED_ANSWER, THOUGHT)


@pytest.mark.parametrize(
    ("said", "reasoning", "text"),
    [
        ("The closing tag is </think>", "", "The closing tag is </think>"),
        ("It is <think> and </think> in pairs", "", "It is <think> and </think> in pairs"),
        ("So 3.</think>The tag is </think>", "So 3.", "The tag is </think>"),
        ("<think>So 3.</think>The tag is </think>", "So 3.", "The tag is </think>"),
        ("<think>So 3", "So 3", ""),
    ],
)
def test_an_answer_that_speaks_of_the_markers_stays_whole(said, reasoning, text):
    assert apart(said, ("<think>", "</think>")) == (reasoning, text)


@pytest.mark.parametrize("prefill", [False, True])
async def test_nothing_of_an_answer_is_lost_that_is_all_thought(prefill):
    for said in ("The closing tag is </think>", "<think>3</think>", "<think>The answer is 3"):
        model = thoughtful("Three.", answer=said, prefill=prefill)
        result = await ask(extended_thinking(model, answer="text"), ENOUGH)
        assert (result.text, result.status) == (said, "complete")


async def test_it_is_a_node_of_another_graph():
    from langgraph.graph import START, MessagesState, StateGraph

    parent = StateGraph(MessagesState)
    parent.add_node("solve", extended_thinking(thoughtful("Three."), budget=ENOUGH).compile())
    parent.add_edge(START, "solve")
    out = await parent.compile().ainvoke({"messages": [("user", QUESTION)]})
    assert [message.text for message in out["messages"]] == [QUESTION, ANSWER]


async def test_a_users_own_limit_that_has_no_room_for_both_is_kept_in_two_calls(server):
    model = served(server).bind(max_tokens=500)
    result = await ask(extended_thinking(model, max_output_tokens=500), ENOUGH)
    assert result.answer == "3"
    assert [sent["max_completion_tokens"] for sent in server.asked] == [500, 500]
    assert server.asked[0]["stop"] == ["</think>"]


async def test_a_model_that_is_not_known_to_think_says_so_in_a_note():
    result = await ask(extended_thinking(thoughtful("Three.")), ENOUGH)
    assert "scripted is not known to think natively: it thought in separate calls" in result.notes
