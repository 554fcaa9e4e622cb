"""Reasoning steps: how a model is asked for the next one, and where it ends."""

import pytest

from tests.techniques.reasoning import GOOD, prefers_good, writes
from tests.techniques.searching import QUESTION, ask, asked_of, told
from tscale_graph import beam_search
from tscale_graph.search.steps import StepSplitter


def goes_on(prompt):
    return "solution so far" in prompt[-1].text


PREFILLS = {"continues_assistant_message": True}


async def test_the_first_step_is_asked_for_with_the_bare_question():
    model = told(writes(GOOD))
    await ask(beam_search(model, prefers_good, beams=1, width=1))
    assert asked_of(model)[0] == [("human", QUESTION)]


async def test_the_next_step_is_asked_for_in_words():
    model = told(writes(GOOD))
    result = await ask(beam_search(model, prefers_good, beams=1, width=1))
    assert asked_of(model)[1:] == [
        [
            (
                "human",
                f"{QUESTION}\n\nThis is the solution so far:\n\n{so_far}\n\nContinue it "
                "with the next step only. Do not repeat what is there, and do not comment on it.",
            ),
        ]
        for so_far in ("good one", "good one\n\ngood two")
    ]
    assert result.text.rstrip() == "good one\n\ngood two\n\nThe answer is 3"
    assert (result.answer, result.status) == ("3", "complete")


async def test_where_the_model_goes_on_from_it_the_solution_is_prefilled():
    model = told(writes(GOOD), metadata=PREFILLS)
    await ask(beam_search(model, prefers_good, beams=1, width=1))
    assert asked_of(model)[1:] == [
        [("human", QUESTION), ("ai", so_far)]
        for so_far in ("good one\n\n", "good one\n\ngood two\n\n")
    ]


@pytest.mark.parametrize(
    ("metadata", "continuation", "last"),
    [({}, "prefill", "ai"), (PREFILLS, "prompt", "human")],
)
async def test_the_user_may_say_how_to_continue(metadata, continuation, last):
    model = told(writes(GOOD), metadata=metadata)
    technique = beam_search(model, prefers_good, beams=1, width=1, continuation=continuation)
    await ask(technique)
    assert [prompt[-1][0] for prompt in asked_of(model)] == ["human", last, last]


async def test_a_server_that_repeats_the_prefilled_solution_is_understood():
    def decide(prompt):
        so_far = prompt[-1].text if len(prompt) > 1 else ""
        return so_far + ("the first step" if not so_far else "The answer is 3")

    model = told(decide, metadata=PREFILLS)
    result = await ask(beam_search(model, lambda q, a: 0.5, beams=1, width=1))
    assert result.text.rstrip() == "the first step\n\nThe answer is 3"


async def test_what_a_model_says_beyond_one_step_is_left_out():
    model = told(lambda prompt: "The answer is 3" if goes_on(prompt) else "one\n\ntwo\n\nthree")
    result = await ask(beam_search(model, lambda q, a: 0.5, beams=1, width=1))
    assert result.text.rstrip() == "one\n\nThe answer is 3"


@pytest.mark.parametrize(
    ("steps", "stop", "said", "step"),
    [
        ("paragraph", ["\n\n"], "a\nb\n\nc", "a\nb\n\n"),
        ("line", ["\n"], "a\nb", "a\n"),
        ("sentence", None, "It is 3.5 m. So it fits.", "It is 3.5 m. "),
        ("delimiter:;", [";"], "a;b", "a;"),
        (StepSplitter("delimiter", "|"), ["|"], "a|b", "a|"),
    ],
)
async def test_where_a_step_ends_is_up_to_the_user(steps, stop, said, step):
    model = told(lambda prompt: "The answer is 3" if goes_on(prompt) else said)
    result = await ask(beam_search(model, lambda q, a: 0.5, beams=1, width=1, steps=steps))
    assert result.tree.nodes[1].text == step
    assert model.options[0]["stop_at"] == stop
    assert result.text.startswith(f"{step}The answer is 3")


@pytest.mark.parametrize("steps", ["paragraph", "line", "delimiter:\nStep "])
async def test_the_answer_ends_where_the_model_ended_it(steps):
    model = told(writes(GOOD))
    result = await ask(beam_search(model, prefers_good, beams=1, width=1, steps=steps))
    assert result.text.endswith("The answer is 3"), "nothing that the model did not say"


async def test_a_step_has_its_own_limit_of_tokens():
    model = told(writes(GOOD))
    await ask(beam_search(model, prefers_good, beams=1, width=1, step_tokens=17))
    assert {options["max_tokens"] for options in model.options} == {17}
