"""Playing recorded samples back through ordinary calls and through techniques."""

import asyncio
from collections import Counter

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tests.recordings.families import EQUATIONS, LETTERS
from tests.recordings.made_up import many, question
from tests.recordings.make import path
from tscale_graph import Budget, best_of_n, self_consistency
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.replay import ReplayModel
from tscale_graph.models.replies import read_message
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.records import playing_order
from tscale_graph.recordings.simulating import prepare, simulate
from tscale_graph.stopping import stopping_rule

ASKED = question("q", "333-1233")


def text(place):
    return ASKED.samples[place].text


def test_each_sample_is_played_once_in_the_seeded_order():
    model = ReplayModel(questions=[ASKED], seed=5)
    said = [model.invoke(ASKED.question).text for _ in ASKED.samples]
    assert said == [text(place) for place in playing_order(ASKED, seed=5)]
    with pytest.raises(ValueError, match="has 8 recorded samples, got a call for 8 to 8"):
        model.invoke(ASKED.question)


async def test_a_call_with_a_seed_gets_the_sample_at_that_place_whatever_came_before():
    model = ReplayModel(questions=[ASKED], seed=5)
    order = playing_order(ASKED, seed=5)
    places = [3, 0, 7, 3]
    replies = await asyncio.gather(*(model.ainvoke(ASKED.question, seed=k) for k in places))
    assert [reply.text for reply in replies] == [text(order[k]) for k in places]
    assert model.invoke(ASKED.question).text == text(order[0])


def test_calls_at_the_same_time_share_the_samples_out():
    model = ReplayModel(questions=[ASKED])
    replies = model.batch([ASKED.question] * 8)
    assert Counter(r.text for r in replies) == Counter(s.text for s in ASKED.samples)


def test_in_order_starts_anew_and_leaves_the_first_where_it_was():
    model = ReplayModel(questions=[ASKED], seed=1)
    model.invoke(ASKED.question)
    again = model.in_order(1)
    assert again.invoke(ASKED.question).text == text(playing_order(ASKED, seed=1)[0])
    assert model.invoke(ASKED.question).text == text(playing_order(ASKED, seed=1)[1])


@pytest.mark.parametrize("run", ["generate", "agenerate"])
def test_several_completions_pay_for_the_prompt_once(run):
    model = ReplayModel(questions=[ASKED], seed=2)
    prompt = [[HumanMessage(ASKED.question)]]
    if run == "generate":
        result = model.generate(prompt, n=5, seed=2)
    else:
        result = asyncio.run(model.agenerate(prompt, n=5, seed=2))
    places = playing_order(ASKED, seed=2)[2:7]
    assert [g.text for g in result.generations[0]] == [text(place) for place in places]
    tokens = sum(ASKED.samples[place].output_tokens for place in places)
    for generation in result.generations[0]:
        assert generation.message.usage_metadata["input_tokens"] == 10
        assert generation.message.usage_metadata["output_tokens"] == tokens


def test_a_question_that_was_not_recorded_is_an_error_in_one_line():
    model = ReplayModel(questions=many(3))
    with pytest.raises(ValueError, match="must be one of 3 recorded questions, got 'Why") as caught:
        model.invoke("Why?\nReally, why?")
    assert "\n" not in str(caught.value)


def test_the_last_human_message_is_the_question():
    model = ReplayModel(questions=[ASKED])
    turns = [SystemMessage("Think."), HumanMessage("1 + 1?"), AIMessage("2")]
    assert model.invoke([*turns, HumanMessage(ASKED.question)]).text


def test_the_whole_recorded_prompt_finds_the_question_too():
    shown = ASKED.model_copy(update={"messages": (("human", "Q: 1 + 1?\nA: 2\nQ: How many?\nA:"),)})
    model = ReplayModel(questions=[shown])
    whole = model.invoke("Q: 1 + 1?\nA: 2\nQ: How many?\nA:", seed=0)
    assert whole.text == model.invoke(ASKED.question, seed=0).text


def test_recordings_in_which_questions_are_alike_or_missing_are_refused():
    with pytest.raises(ValueError, match="must differ, got 'a' and 'b' alike"):
        ReplayModel(
            questions=[ASKED.model_copy(update={"id": "a"}), ASKED.model_copy(update={"id": "b"})]
        )
    with pytest.raises(ValueError, match="at least one recorded question, got none"):
        ReplayModel(questions=[])


def test_the_mean_log_probability_is_found_where_the_library_reads_it():
    model = ReplayModel(questions=[ASKED])
    for k, place in enumerate(playing_order(ASKED, seed=0)):
        logprobs = read_message(model.invoke(ASKED.question, seed=k)).logprobs
        sample = ASKED.samples[place]
        assert len(logprobs) == sample.output_tokens
        assert sum(logprobs) / len(logprobs) == pytest.approx(sample.mean_logprob)


def test_a_sample_longer_than_the_calls_limit_is_cut_short():
    model = ReplayModel(questions=[ASKED])
    whole, cut = (model.invoke(ASKED.question, seed=0, max_tokens=limit) for limit in (99, 2))
    assert cut.usage_metadata["output_tokens"] == 2
    assert (cut.response_metadata["finish_reason"], whole.text.startswith(cut.text)) == (
        "length",
        True,
    )
    assert len(cut.text) < len(whole.text)


def test_prompts_are_counted_as_recorded():
    counter = endpoint(ReplayModel(questions=[ASKED])).counter
    assert counter.prompt_bound([HumanMessage(ASKED.question)]) == 10


@pytest.mark.parametrize("together", [True, False])
async def test_a_run_within_a_token_budget_has_the_recorded_usage_exactly(together):
    model = ReplayModel(questions=[ASKED], seed=4)
    graph = self_consistency(
        model,
        max_samples=8,
        stop="fixed",
        seed=0,
        max_output_tokens=6,
        max_parallel=None if together else 1,
    )
    asked = {"messages": [("user", ASKED.question)], "budget": Budget(tokens=60)}
    result = (await graph.compile().ainvoke(asked))["result"]
    assert result.usage.tokens <= 60
    order = playing_order(ASKED, seed=4)[: len(result.candidates)]
    assert [c.text for c in result.candidates] == [text(place) for place in order]
    assert result.usage.output_tokens == sum(ASKED.samples[p].output_tokens for p in order)
    assert result.usage.input_tokens == (10 if together else 10 * len(order))
    assert result.cut_off_by == (None if len(order) == 8 else "tokens")


@pytest.mark.parametrize("run", ["invoke", "ainvoke"])
def test_best_of_n_plays_it_too(run):
    model = ReplayModel(questions=[ASKED], seed=4)

    def verifier(question, answer):
        return answer == "3"

    graph = best_of_n(model, verifier, n=8, seed=0, answer="number").compile()
    asked = {"messages": [("user", ASKED.question)], "budget": Budget(calls=20)}
    out = graph.invoke(asked) if run == "invoke" else asyncio.run(graph.ainvoke(asked))
    assert out["result"].answer == "3"


def few(family):
    """Every twentieth question that was recorded of a family."""
    return list(read_recording(path(family)))[::20]


@pytest.mark.parametrize("questions", [many(4), few(LETTERS)], ids=["made up", "letters"])
@pytest.mark.parametrize("rule", ["beta", "fixed"])
@pytest.mark.parametrize("max_parallel", [None, 1])
def test_a_graph_comes_to_what_the_simulator_says(questions, rule, max_parallel):
    for asked in questions:
        deck = prepare(asked)
        for seed in range(3):
            model = ReplayModel(questions=[asked], seed=seed)
            graph = self_consistency(
                model,
                max_samples=24,
                stop=rule,
                answer="number",
                seed=0,
                max_parallel=max_parallel,
                on_exceeded="return",
            ).compile()
            state = {"messages": [("user", asked.question)], "budget": Budget(calls=100)}
            waves, result = 0, None
            for event in graph.stream(state, stream_mode="updates"):
                waves += "decide" in event
                result = event.get("finish", {}).get("result", result)
            played = simulate(
                deck, stopping_rule(rule), seed=seed, max_samples=24, max_parallel=max_parallel
            )
            assert result.answer == played.answer
            assert len(result.candidates) == played.samples
            assert waves == played.rounds
            assert result.usage.tokens == played.tokens


@pytest.mark.parametrize("select", ["max", "weighted"])
def test_best_of_n_comes_to_what_the_simulator_says(select):
    for asked in few(EQUATIONS):
        deck = prepare(asked, verification="recorded")
        for seed in range(2):
            graph = best_of_n(
                ReplayModel(questions=[asked], seed=seed),
                "equation",
                n=24,
                select=select,
                answer="number",
                seed=0,
            ).compile()
            state = {"messages": [("user", asked.question)], "budget": Budget(calls=100)}
            result = graph.invoke(state)["result"]
            played = simulate(
                deck, stopping_rule("first_pass"), seed=seed, max_samples=24, select=select
            )
            assert result.answer == played.answer
            assert len(result.candidates) == played.samples
            assert result.usage.tokens == played.tokens
            assert bool(result.verdict and result.verdict.passed) == played.right
