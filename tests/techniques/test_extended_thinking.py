"""Extended thinking: a thought of so many tokens, then the answer, apart from each other."""

import asyncio

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.models import recording_server
from tests.models.recording_server import ANSWER as SERVED_ANSWER
from tests.models.recording_server import THOUGHT, USAGE, recording
from tests.scripted import Scripted, count
from tests.techniques.searching import QUESTION, Told, ask, asked_of, billed, told
from tests.techniques.thoughtful import ANSWER, CONTINUES, asked_to_think, thoughtful, words
from tscale_graph import Budget, BudgetExceeded, SamplingError, extended_thinking, solve
from tscale_graph.techniques.thinking.reading import apart

THINKS = {"thinks_natively": True}
ENOUGH = Budget(tokens=20_000, calls=60)


def limits(model):
    return [options["max_tokens"] for options in model.options]


async def test_a_thought_in_words_and_then_the_answer():
    model = thoughtful("Three of them.")
    result = await ask(extended_thinking(model, thinking_tokens=100), ENOUGH)
    assert (result.answer, result.text, result.status) == ("3", ANSWER, "complete")
    think, answer = asked_of(model)
    assert think[0][1].startswith(f"{QUESTION}\n\nThink this through before you answer.")
    assert think[0][1].endswith("write </think>")
    assert "This is your reasoning:\n\nThree of them.\n\nGive the answer now" in answer[0][1]
    assert limits(model) == [100, 1024]
    assert [options["stop_at"] for options in model.options] == [["</think>"], None]


async def test_a_thought_begun_in_the_models_own_message():
    model = thoughtful("Three of them.", prefill=True)
    result = await ask(extended_thinking(model), ENOUGH)
    assert result.answer == "3"
    assert asked_of(model) == [
        [("human", QUESTION), ("ai", "<think>")],
        [("human", QUESTION), ("ai", "<think>Three of them.\n</think>")],
    ]


@pytest.mark.parametrize("prefill", [False, True])
async def test_a_thought_that_stops_before_its_minimum_goes_on_with_wait(prefill):
    model = thoughtful(words(10), words(5), prefill=prefill)
    graph = extended_thinking(model, thinking_tokens=40, min_thinking_tokens=20)
    result = await ask(graph, ENOUGH)
    assert len(model.calls) == 4
    assert result.candidates[0].reasoning.count("\n\nWait") == 2
    assert limits(model) == [40, 30, 25, 1024]
    begun = asked_of(model)[1][-1][1]
    assert begun.rstrip().endswith("Wait" if prefill else "Do not repeat what is there.")


async def test_the_word_to_go_on_with_and_the_markers_are_the_users():
    model = thoughtful(words(3), words(3), prefill=True, metadata={})
    model.decide = lambda prompt, _: words(3) if "[/T]" not in prompt[-1].text else ANSWER
    graph = extended_thinking(
        model, min_thinking_tokens=6, wait="Hmm", markers=("[T]", "[/T]"), thinking_tokens=9
    )
    await ask(graph, ENOUGH)
    assert [prompt[-1][1] for prompt in asked_of(model)] == [
        "[T]",
        f"[T]{words(3).rstrip()}\n\nHmm",
        f"[T]{words(3).rstrip()}\n\nHmm{words(3).rstrip()}\n[/T]",
    ]


async def test_a_thought_that_reaches_its_maximum_is_ended():
    model = thoughtful(words(500), prefill=True)
    result = await ask(extended_thinking(model, thinking_tokens=30), ENOUGH)
    assert count(result.candidates[0].reasoning) == 30
    assert result.status == "complete"
    assert result.usage.reasoning_tokens == 30
    assert asked_of(model)[1][-1][1].endswith("</think>")


class Honest(Told):
    """Says that it was cut, where it was."""

    def finish(self, call, text):
        result = super().finish(call, text)
        cut = call.max_tokens is not None and count(text) >= call.max_tokens
        reason = {"finish_reason": "length" if cut else "stop"}
        result.generations[0].message.response_metadata = reason
        return result


async def test_a_thought_that_was_cut_is_held_to_the_answer():
    model = Honest(decide=thoughtful(words(500)).decide, metadata=CONTINUES)
    await ask(extended_thinking(model, thinking_tokens=30), ENOUGH)
    assert asked_of(model)[1][-1][1].endswith("</think>\n\nFinal answer:")


async def test_what_follows_the_end_of_a_thought_is_none_of_it():
    model = thoughtful("<think>Three.</think>\nThe answer is 2")
    result = await ask(extended_thinking(model), ENOUGH)
    assert (result.candidates[0].reasoning, result.answer) == ("Three.", "3")


async def test_a_model_with_nothing_to_add_is_not_asked_for_ever():
    model = thoughtful(words(2), "")
    result = await ask(extended_thinking(model, min_thinking_tokens=100), Budget(calls=100))
    assert len(model.calls) == 4
    assert "thought for 2 tokens, and would not go on to 100" in result.notes
    assert result.answer == "3"


async def test_thought_and_answer_are_apart_in_the_result_and_the_message():
    model = thoughtful(words(7).strip())
    graph = extended_thinking(model).compile()
    out = await graph.ainvoke({"messages": [("user", QUESTION)], "budget": ENOUGH})
    message, result = out["messages"][-1], out["result"]
    (candidate,) = result.candidates
    assert (candidate.text, candidate.reasoning) == (ANSWER, words(7).strip())
    assert message.content_blocks == [
        {"type": "reasoning", "reasoning": words(7).strip()},
        {"type": "text", "text": ANSWER},
    ]
    assert (message.text, message.content) == (ANSWER, ANSWER)
    assert message.usage_metadata["output_token_details"] == {"reasoning": 7}
    assert result.usage.reasoning_tokens == candidate.usage.reasoning_tokens == 7
    assert result.usage.tokens == billed(model)
    # It can be a part of the next conversation.
    again = await graph.ainvoke(
        {"messages": [*out["messages"], ("user", "Sure?")], "budget": ENOUGH}
    )
    assert again["result"].answer == "3"


def test_it_runs_from_invoke_and_by_name():
    model = thoughtful("Three.")
    out = (
        extended_thinking(model).compile().invoke({"messages": [("user", "q?")], "budget": ENOUGH})
    )
    assert out["result"].answer == "3"
    result = solve("q?", "extended-thinking", model=model, thinking_tokens=5, budget=ENOUGH)
    assert (result.answer, result.technique) == ("3", "extended_thinking")


async def test_seed_system_and_temperature_reach_every_call():
    class Warm(Told):
        seed: int | None = None

    model = Warm(decide=thoughtful("Three.").decide)
    await ask(extended_thinking(model, seed=7, system="Be brief.", temperature=0.3), ENOUGH)
    assert [(o["seed"], o["temperature"]) for o in model.options] == [(7, 0.3), (8, 0.3)]
    assert [prompt[0] for prompt in asked_of(model)] == [("system", "Be brief.")] * 2


async def test_the_answer_is_told_on_the_custom_stream():
    graph = extended_thinking(thoughtful("Three.")).compile()
    asked = {"messages": [HumanMessage(QUESTION)], "budget": ENOUGH}
    seen = [event async for event in graph.astream(asked, stream_mode="custom")]
    assert [event["thought"] for event in seen if "thought" in event] == ["Three."]
    assert [event["sample"]["text"] for event in seen if "sample" in event] == [ANSWER]


async def test_a_small_budget_shortens_the_thought_and_not_the_answer():
    answer = "so " * 39 + "3"
    seen = []
    for tokens in (150, 200, 250, 400, 900):
        model = thoughtful(words(400), answer=answer, prefill=True)
        graph = extended_thinking(model, thinking_tokens=200, max_output_tokens=30)
        result = await ask(graph, Budget(tokens=tokens))
        assert result.text == answer
        assert limits(model)[-1] == 30
        assert billed(model) <= tokens
        seen.append((count(result.candidates[0].reasoning), result.status))
    lengths = [length for length, _ in seen]
    assert lengths == sorted(lengths)
    assert seen[0] == (0, "cut_off")
    assert seen[-1] == (200, "complete")


async def test_without_room_for_a_thought_there_is_an_answer_and_a_note():
    model = thoughtful("never", prefill=True)
    result = await ask(extended_thinking(model), Budget(calls=1))
    assert (result.answer, result.status, result.cut_off_by) == ("3", "cut_off", "calls")
    assert "the budget's calls left no room for a thought" in result.notes
    assert asked_of(model) == [[("human", QUESTION)]]


async def test_without_room_for_an_answer_the_error_carries_the_usage():
    model = thoughtful("never")
    with pytest.raises(BudgetExceeded, match="tokens=5 is too little for the question") as raised:
        await ask(extended_thinking(model), Budget(tokens=5))
    assert raised.value.usage.calls == len(model.calls) == 0
    result = await ask(extended_thinking(model, on_exceeded="return"), Budget(tokens=5))
    assert (result.answer, result.cut_off_by, result.candidates) == (None, "tokens", [])


async def test_a_thought_that_takes_too_long_leaves_time_for_the_answer():
    class Slow(Told):
        async def wait(self):
            await asyncio.sleep(5 if asked_to_think(self.prompts[-1]) else 0)

    model = Slow(decide=thoughtful("Three.").decide)
    graph = extended_thinking(model, thinking_tokens=200, max_output_tokens=200)
    result = await ask(graph, Budget(seconds=0.6))
    assert (result.answer, result.status, result.cut_off_by) == ("3", "cut_off", "seconds")
    assert 0.2 < result.usage.seconds < 0.6


async def test_a_model_that_fails_raises_with_the_usage():
    model = thoughtful("Three.", fail=1.0)
    with pytest.raises(
        SamplingError, match=r"the call failed with .*the scripted failure"
    ) as raised:
        await ask(extended_thinking(model), ENOUGH)
    assert raised.value.usage.calls == len(model.calls)


async def test_a_thought_that_fails_is_noted_and_the_answer_is_asked_for():
    def decide(prompt, number):
        if asked_to_think(prompt):
            raise RuntimeError("no thought today")
        return ANSWER

    result = await ask(extended_thinking(told(decide)), ENOUGH)
    assert result.answer == "3"
    assert any("a thought failed: " in note for note in result.notes)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"thinking_tokens": 0}, "thinking_tokens must be at least 1, got 0"),
        ({"min_thinking_tokens": -1}, "min_thinking_tokens must be at least 0, got -1"),
        (
            {"thinking_tokens": 10, "min_thinking_tokens": 11},
            "min_thinking_tokens must be at most thinking_tokens=10, got 11",
        ),
        ({"way": "magic"}, "way must be one of auto, native, prefill, prompt, got 'magic'"),
        ({"way": "native"}, 'way="native" needs a model that thinks natively, got scripted'),
        ({"wait": " "}, "^wait must be a text that is not blank, got ' '$"),
        ({"wait": None}, "^wait must be a text that is not blank, got None$"),
        ({"markers": "<think>"}, "^markers must be two different texts, .*, got '<think>'$"),
        ({"markers": "ab"}, "^markers must be two different texts"),
        ({"markers": ("<t>",)}, "^markers must be two different texts"),
        ({"markers": ("<t>", " ")}, "^markers must be two different texts"),
        ({"markers": ("<t>", "<t>")}, "^markers must be two different texts"),
        ({"markers": ("<t>", 3)}, "^markers must be two different texts"),
        ({"markers": ("<t>", "</t>", "")}, "^markers must be two different texts"),
        ({"markers": None}, "^markers must be two different texts"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1"),
        ({"temperature": 3}, "temperature must be between 0 and 2"),
        ({"on_exceeded": "ignore"}, "on_exceeded must be"),
        ({"answer": "poem"}, "poem"),
    ],
)
def test_bad_arguments_fail_when_the_graph_is_built(arguments, says):
    with pytest.raises(ValueError, match=says):
        extended_thinking(Scripted(), **arguments)


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


async def test_a_message_of_the_models_own_ends_without_white_space():
    """Claude refuses one that does not."""
    model = Honest(decide=thoughtful(words(10), "two.").decide, metadata=CONTINUES)
    await ask(extended_thinking(model.bind(max_tokens=10), thinking_tokens=20), ENOUGH)
    begun = [prompt[-1][1] for prompt in asked_of(model)[:2]]
    assert begun == ["<think>", "<think>" + words(10).rstrip()]


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
