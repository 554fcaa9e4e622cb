"""Votes weighted by how sure the model was."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_openai import ChatOpenAI
from pydantic import Field

from tests.fake_server import UNLIKELY_LOGPROB, UNSURE_LOGPROB, Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph import Budget, self_consistency
from tscale_graph.candidates import Candidate, TraceConfidence
from tscale_graph.techniques.confidence import (
    STATE_CONFIDENCE,
    MissingLogprobs,
    confidence_floor,
    read_stated,
)
from tscale_graph.votes import DeepConf, LogprobVote

ROOM = Budget(tokens=200_000)
SURE = "Therefore the answer is 3"
UNSURE = "Is it? Or? Hm? ??? The answer is 2"


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("Confidence: 85", 0.85),
        ("Confidence: 85%", 0.85),
        ("confidence: 85 percent", 0.85),
        ("Confidence: 0.85", 0.85),
        ("Confidence: 1.0", 1.0),
        ("Confidence: 8/10", 0.8),
        ("Confidence: 8.5 / 10", 0.85),
        ("Confidence: 90/100", 0.9),
        ("**Confidence:** 85%", 0.85),
        ("**Confidence: 85%**", 0.85),
        ("- Confidence: **85**.", 0.85),
        ("My confidence is 70", 0.7),
        ("Confidence level: 60%", 0.6),
        ("Confidence = 0", 0.0),
        ("Confidence: 100", 1.0),
        ("Confidence: 150", None),
        ("Confidence: 11/10", None),
    ],
)
def test_a_line_that_states_a_confidence_is_read_and_taken_out(line, stated):
    assert read_stated(f"The answer is 3\n{line}") == ("The answer is 3", stated)


@pytest.mark.parametrize(
    "text",
    ["The answer is 3", "", "My confidence in 3 apples is high", "Confidence: high", "Confidence"],
)
def test_a_text_that_states_none_is_left_as_it_is(text):
    assert read_stated(text) == (text, None)


def test_of_several_the_last_counts_and_none_stays_in_the_text():
    text = "Confidence: 20%\nNo, wait.\nThe answer is 3\nConfidence: 90%"
    assert read_stated(text) == ("No, wait.\nThe answer is 3", 0.9)


@given(st.integers(0, 100), st.sampled_from(["{}", "{}%", "**{}%**", "{}/100", "{} percent"]))
def test_every_percentage_is_read_as_it_is_written(percent, form):
    text, stated = read_stated(f"It is 7.\n\nConfidence: {form.format(percent)}\n")
    assert (text, stated) == ("It is 7.", percent / 100)


async def ask(model, budget=ROOM, **arguments):
    arguments = {"max_samples": 4, "stop": "fixed", **arguments}
    graph = self_consistency(model, **arguments).compile()
    asked = {"messages": [("user", "How many?")], "budget": budget}
    return (await graph.ainvoke(asked))["result"]


class Hears(Scripted):
    """Keeps the system prompts that it was given."""

    heard: list[Any] = Field(default_factory=list)

    def begin(self, messages, options):
        self.heard.append([str(m.text) for m in messages if m.type == "system"])
        return super().begin(messages, options)


async def test_a_sure_minority_beats_an_unsure_majority():
    said = ["The answer is 3\nConfidence: 99%", *["The answer is 2\nConfidence: 5%"] * 2]
    model = Hears(answers=said)
    result = await ask(model, max_samples=3, vote="stated_confidence", system="Be brief.")
    assert result.answer == "3"
    assert result.text == "The answer is 3", "without the line"
    assert [c.stated_confidence for c in result.candidates] == [0.99, 0.05, 0.05]
    assert model.heard == [[f"Be brief.\n\n{STATE_CONFIDENCE}"]] * 3
    assert (await ask(Scripted(answers=said), max_samples=3)).answer != "3"


async def test_the_stated_number_is_never_read_as_the_answer():
    model = Scripted(answers=["I counted 3\nConfidence: 85", "I counted 3\nConfidence: 140%"])
    result = await ask(model, max_samples=2, vote="stated_confidence")
    assert {c.answer for c in result.candidates} == {"3"}


async def test_a_model_that_states_nothing_has_equal_votes_and_a_note():
    model = Scripted(answers=["The answer is 2", "The answer is 3", "The answer is 3"])
    result = await ask(model, max_samples=3, vote="stated_confidence")
    assert result.answer == "3"
    assert any("a stated confidence: every vote counted the same" in n for n in result.notes)


async def test_other_votes_do_not_ask_for_a_confidence():
    model = Hears()
    await ask(model, max_samples=1)
    assert model.heard == [[]]


@pytest.fixture(scope="module")
def server():
    with FakeServer(in_process=False) as running:
        yield running


def client(server, **more):
    return ChatOpenAI(model="fake", base_url=server.url, api_key="none", **more)


@pytest.mark.parametrize("streamed", [False, True])
async def test_log_probabilities_weigh_the_votes(server, streamed):
    server.reset(Behaviour(answers={SURE: 0.35, UNSURE: 0.65}, seed=3))
    budget = Budget(tokens=200_000, seconds=30) if streamed else ROOM
    parallel = 1 if streamed else None
    result = await ask(
        client(server),
        budget,
        max_samples=12,
        vote=LogprobVote(temperature=0.1),
        max_parallel=parallel,
    )
    counts = {tally.answer: tally.count for tally in result.votes}
    assert counts["2"] > counts["3"], "or the weights would decide nothing"
    assert result.answer == "3"
    by_answer = {c.answer: c.mean_logprob for c in result.candidates}
    assert by_answer["2"] < by_answer["3"] < 0
    requests = server.ledger().requests
    assert {request.stream for request in requests} == {streamed}
    assert result.usage.tokens == sum(request.billed_tokens for request in requests)


@pytest.mark.parametrize("streamed", [False, True])
async def test_deepconf_drops_the_least_sure_and_weighs_the_rest(server, streamed):
    server.reset(Behaviour(answers={SURE: 0.35, UNSURE: 0.65}, seed=3))
    budget = Budget(tokens=200_000, seconds=30) if streamed else ROOM
    result = await ask(
        client(server),
        budget,
        max_samples=12,
        vote=DeepConf(keep=0.2),
        max_parallel=1 if streamed else None,
    )
    assert result.answer == "3"
    sure, unsure = (
        next(c.confidence for c in result.candidates if c.answer == answer) for answer in "32"
    )
    assert unsure.lowest_group == pytest.approx(-UNSURE_LOGPROB)
    assert -UNLIKELY_LOGPROB * 0.9 < sure.lowest_group < -UNLIKELY_LOGPROB


async def test_the_named_vote_asks_for_twenty_likely_tokens(server):
    server.reset(Behaviour(answers={SURE: 1.0}))
    result = await ask(client(server), vote="deepconf")
    assert result.answer == "3"
    assert all(c.confidence for c in result.candidates)


@pytest.mark.parametrize("served", ["ignored", "refused"])
@pytest.mark.parametrize("vote", ["logprob", "deepconf"])
async def test_missing_log_probabilities_are_an_error_at_the_first_call(server, vote, served):
    server.reset(Behaviour(logprobs=served))
    setting = r"model\.bind\(logprobs=True" + (r", top_logprobs=20\)" if vote == "deepconf" else "")
    with pytest.raises(MissingLogprobs, match=f"{vote} needs log-probabilities.*{setting}"):
        await ask(client(server), vote=vote, max_samples=8)
    requests = server.ledger(settle=1).requests
    assert len([r for r in requests if r.fate != "error_status"]) == 1
    assert issubclass(MissingLogprobs, ValueError)


async def test_a_model_without_log_probabilities_is_refused_too():
    model = Scripted()
    with pytest.raises(MissingLogprobs, match="logprob needs log-probabilities, and scripted"):
        await ask(model, vote="logprob", max_parallel=1)
    assert len(model.calls) == 1


WORDS = "so it goes on and on " * 30
STEADY = f"{WORDS}The answer is 3"
DOUBTING = f"So it? Hm??? {'??? ' * 60}{WORDS}The answer is 2"
WARM_UP = 4
ONLINE = DeepConf(online=True, warm_up=WARM_UP, keep=1.0)


@pytest.fixture
def doubting(server):
    """With this seed the warm-up is steady, and half of the samples after it are not."""
    server.reset(
        Behaviour(answers={STEADY: 0.5, DOUBTING: 0.5}, seed=131, chunk_delay=0.06, chunk_chars=48)
    )
    return server


async def test_a_sample_less_sure_than_the_warm_up_is_cut_off_and_does_not_vote(doubting):
    result = await ask(client(doubting), vote=ONLINE, max_samples=16, max_parallel=4)
    cut = [c for c in result.candidates if c.discarded]
    kept = [c for c in result.candidates if not c.discarded]
    assert len(cut) == 6
    assert {c.index < WARM_UP for c in cut} == {False}
    assert {c.discarded for c in cut} == {
        "cut off: the model had become less sure than the samples of the warm-up"
    }
    assert all(len(c.text) < len(DOUBTING) for c in cut)
    assert {c.answer for c in kept} == {"3"}
    assert [(tally.answer, tally.count) for tally in result.votes] == [("3", 10)]
    assert (result.status, result.cut_off_by) == ("complete", None)
    warm_up, *later = doubting.ledger(settle=2).requests
    assert (warm_up.n, warm_up.stream) == (WARM_UP, False)
    assert {(request.n, request.stream) for request in later} == {(1, True)}
    fates = [request.fate for request in later]
    assert (fates.count("client_disconnected"), fates.count("completed")) == (6, 6)


async def test_what_was_streamed_before_the_cut_is_counted_and_no_more_than_that(doubting):
    budget = Budget(tokens=60_000, calls=16)
    result = await ask(client(doubting), budget, vote=ONLINE, max_samples=16, max_parallel=4)
    requests = doubting.ledger(settle=2).requests
    assert result.usage.calls == 16 == sum(request.n for request in requests)
    billed = sum(request.billed_tokens for request in requests)
    assert billed <= result.usage.tokens <= budget.tokens
    cut = [c for c in result.candidates if c.discarded]
    assert all(c.usage.output_tokens < 150 for c in cut), "of 1024 that each might have taken"


async def test_a_budget_that_is_used_up_after_the_warm_up_is_not_exceeded(doubting):
    budget = Budget(tokens=1_500)
    result = await ask(client(doubting), budget, vote=ONLINE, max_samples=16, max_output_tokens=300)
    billed = doubting.ledger(settle=2).billed_tokens
    assert billed <= result.usage.tokens <= 1_500
    assert (result.answer, result.cut_off_by) == ("3", "tokens")
    assert WARM_UP < len(result.candidates) < 16


def traced(index, lowest, tokens=40, **more):
    trace = TraceConfidence(mean=lowest, lowest_group=lowest, bottom_groups=lowest, tail=lowest)
    usage = {"output_tokens": tokens}
    return Candidate(index=index, text="x", confidence=trace, usage=usage, **more)


def test_the_floor_is_learnt_from_the_warm_up_alone():
    online = DeepConf(online=True, warm_up=3, keep=0.5)
    warm = [traced(0, 2.0), traced(1, 6.0, tokens=80), traced(2, 4.0)]
    assert confidence_floor(warm[:2], online) is None
    floor = confidence_floor([*warm, traced(3, 100.0)], online)
    assert floor.lowest_group == pytest.approx(4.0)
    assert floor.window == math.ceil(round((40 + 80 + 40) / 3) / 4)


def test_samples_that_failed_teach_nothing_and_offline_there_is_no_floor():
    online = DeepConf(online=True, warm_up=2, keep=1.0)
    warm = [traced(0, 1.0, error="lost"), traced(1, 5.0)]
    assert confidence_floor(warm, online).lowest_group == pytest.approx(5.0)
    assert confidence_floor([Candidate(index=0), Candidate(index=1)], online) is None
    assert confidence_floor(warm, DeepConf()) is None


@given(st.lists(st.floats(0, 30), min_size=1, max_size=8), st.floats(0.1, 1))
def test_the_surest_of_the_warm_up_would_pass_its_own_floor(lowest, keep):
    online = DeepConf(online=True, warm_up=len(lowest), keep=keep)
    floor = confidence_floor([traced(k, x) for k, x in enumerate(lowest)], online)
    assert floor.lowest_group < max(lowest)
    if keep == 1:
        assert floor.lowest_group < min(lowest)
