"""Extended thinking: a thought of so many tokens, then the answer, apart from each other."""

import asyncio

import pytest
from langchain_core.messages import HumanMessage

from tests.scripted import Scripted, count
from tests.techniques.searching import QUESTION, Told, ask, asked_of, billed, told
from tests.techniques.thoughtful import ANSWER, CONTINUES, asked_to_think, thoughtful, words
from tscale_graph import Budget, BudgetExceeded, SamplingError, extended_thinking, solve

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


async def test_a_message_of_the_models_own_ends_without_white_space():
    """Claude refuses one that does not."""
    model = Honest(decide=thoughtful(words(10), "two.").decide, metadata=CONTINUES)
    await ask(extended_thinking(model.bind(max_tokens=10), thinking_tokens=20), ENOUGH)
    begun = [prompt[-1][1] for prompt in asked_of(model)[:2]]
    assert begun == ["<think>", "<think>" + words(10).rstrip()]
