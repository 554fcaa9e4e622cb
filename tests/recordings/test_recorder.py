"""Recording from a server that can misbehave, and from scripted models."""

import gzip
import random

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph.budget import Budget
from tscale_graph.candidates import SamplingError
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.questions import Example, Question
from tscale_graph.recordings.recorder import arecord, record

ANSWERS = {"The answer is 3": 2.0, "The answer is 4": 1.0}
QUESTIONS = [
    Question(id=f"q{k}", question=f"How many r's are in word {k}?", gold="3") for k in range(4)
]
PLENTY = Budget(tokens=1_000_000)


@pytest.fixture(scope="module")
def running():
    with FakeServer(Behaviour(answers=ANSWERS), in_process=True) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset(Behaviour(answers=ANSWERS))
    return running


@pytest.fixture
def model(server):
    return ChatOpenAI(model="fake", base_url=server.url, api_key="none", max_retries=0)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "samples.jsonl.gz"


async def test_every_sample_is_kept_with_what_was_learnt_about_it(model, out, server):
    recorded = await arecord(
        QUESTIONS, out, model=model, samples=20, budget=PLENTY, max_output_tokens=16
    )
    assert (recorded.questions, recorded.samples, recorded.cut_off_by) == (4, 80, None)
    questions = list(read_recording(out))
    assert [q.id for q in questions] == ["q0", "q1", "q2", "q3"]
    for asked in questions:
        assert (asked.kind, asked.model, asked.temperature) == ("number", "fake", 0.8)
        assert len(asked.samples) == 20
        for sample in asked.samples:
            assert sample.text == f"The answer is {sample.answer}"
            assert sample.correct == (sample.answer == "3")
            assert sample.output_tokens == 4
            assert sample.mean_logprob < 0
    assert {s.correct for q in questions for s in q.samples} == {True, False}
    ledger = server.ledger()
    assert [request.n for request in ledger.requests] == [16, 4] * 4
    assert recorded.usage.tokens == ledger.billed_tokens
    assert {q.prompt_tokens for q in questions} == {r.prompt_tokens for r in ledger.requests}


async def test_a_recording_that_is_complete_costs_nothing_to_make_again(model, out, server):
    for _ in range(2):
        await arecord(QUESTIONS, out, model=model, samples=4, budget=PLENTY)
    assert len(server.ledger().requests) == 4
    assert [len(q.samples) for q in read_recording(out)] == [4] * 4


async def test_the_budget_is_for_the_whole_run_and_is_never_exceeded(model, out, server):
    rng = random.Random(0)
    total, samples = 0, 0
    while samples < 80:
        tokens = rng.randint(150, 400)
        recorded = await arecord(
            QUESTIONS,
            out,
            model=model,
            samples=20,
            budget=Budget(tokens=tokens),
            max_output_tokens=16,
        )
        assert recorded.usage.tokens <= tokens
        total += recorded.usage.tokens
        samples += recorded.samples
        assert recorded.cut_off_by == ("tokens" if samples < 80 else None)
    assert [len(q.samples) for q in read_recording(out)] == [20] * 4
    assert total == server.ledger().billed_tokens


@pytest.mark.parametrize("n", ["one", "error"])
async def test_a_server_that_does_not_answer_several_times_is_asked_one_by_one(
    model, out, server, n
):
    server.reset(Behaviour(answers=ANSWERS, n=n))
    recorded = await arecord(QUESTIONS[:1], out, model=model, samples=6, budget=PLENTY)
    assert recorded.samples == 6
    assert {request.n for request in server.ledger().requests[1:]} == {1}


@pytest.mark.parametrize("n", ["yes", "one", "error"])
async def test_calls_that_cannot_be_spared_are_not_risked_on_a_refusal(model, out, server, n):
    server.reset(Behaviour(answers=ANSWERS, n=n))
    budget = Budget(calls=16)
    recorded = await arecord(QUESTIONS[:1], out, model=model, samples=16, budget=budget)
    assert (recorded.samples, recorded.usage.calls, recorded.cut_off_by) == (16, 16, None)


async def test_calls_are_counted_too(model, out):
    recorded = await arecord(QUESTIONS, out, model=model, samples=5, budget=Budget(calls=7))
    assert (recorded.usage.calls, recorded.questions, recorded.cut_off_by) == (7, 1, "calls")
    assert [len(q.samples) for q in read_recording(out)] == [5, 2]


async def test_time_that_is_up_ends_it(model, out, server):
    server.reset(Behaviour(answers=ANSWERS, latency=0.3))
    recorded = await arecord(QUESTIONS, out, model=model, samples=4, budget=Budget(seconds=0.8))
    assert recorded.cut_off_by == "seconds"
    assert 1 <= recorded.questions < 4


async def test_a_model_that_fails_keeps_what_was_written(model, out, server):
    await arecord(QUESTIONS[:2], out, model=model, samples=4, budget=PLENTY)
    server.reset(Behaviour(faults={"500": 1.0}))
    with pytest.raises(SamplingError, match="question 'q2': ") as caught:
        await arecord(QUESTIONS, out, model=model, samples=4, budget=Budget(calls=4))
    assert caught.value.usage.calls == 4
    assert [q.id for q in read_recording(out)] == ["q0", "q1"]


def test_a_verifier_decides_where_there_is_no_gold_answer(out):
    asked = [Question(id="e", question="Solve 2x + 2 = 8 for x.", verifier="equation")]
    model = Scripted(answers=["x = 3", "x = 4", "no idea"])
    record(asked, out, model=model, samples=3, budget=PLENTY)
    samples = next(read_recording(out)).samples
    assert sorted(s.correct for s in samples) == [False, False, True]
    assert all(s.passed == s.correct for s in samples if s.answer)
    assert [s.mean_logprob for s in samples] == [None] * 3


def test_examples_and_system_prompt_are_shown_and_kept(out):
    model = Scripted()
    examples = [Example(question="1 + 1?", answer="2")]
    record(
        QUESTIONS[:1],
        out,
        model=model,
        samples=1,
        budget=PLENTY,
        system="Count.",
        examples=examples,
    )
    (asked,) = read_recording(out)
    assert asked.messages == (
        ("system", "Count."),
        ("human", "1 + 1?"),
        ("ai", "2"),
        ("human", QUESTIONS[0].question),
    )


async def test_seeds_depend_on_seed_question_and_place_and_on_nothing_else(model, tmp_path):
    said = []
    for name, questions, seed in (
        ("a", QUESTIONS, 0),
        ("b", QUESTIONS[::-1], 0),
        ("c", QUESTIONS, 1),
    ):
        out = tmp_path / f"{name}.jsonl"
        await arecord(questions, out, model=model, samples=8, budget=PLENTY, seed=seed)
        said.append({q.id: [s.text for s in q.samples] for q in read_recording(out)})
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"samples": 0}, "samples must be at least 1, got 0"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1, got 0"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
        ({"shown": "aloud"}, 'shown must be "turns" or "message", got \'aloud\''),
        ({"answer": "poem"}, "answer must be one of"),
        ({"verifier": "oracle"}, "verifier must be one of"),
        ({"budget": Budget(usd=1)}, "is not known, so usd cannot be limited"),
    ],
)
def test_a_bad_argument_is_told_before_any_call(out, arguments, says):
    model = Scripted()
    with pytest.raises(ValueError, match=r"must be|is not") as caught:
        record(QUESTIONS, out, **{"model": model, "budget": PLENTY, **arguments})
    assert says in str(caught.value)
    assert not model.calls
    assert not out.exists()


def test_a_question_that_cannot_be_judged_is_refused(out):
    with pytest.raises(ValueError, match="'q' has neither a gold answer nor a verifier"):
        record([Question(id="q", question="?")], out, model=Scripted(), budget=PLENTY)


def test_a_file_that_is_no_recording_is_left_alone(out):
    out.write_bytes(gzip.compress(b'{"some": "thing"}\n'))
    before = out.read_bytes()
    with pytest.raises(ValueError, match="line 1: a recorded question needs"):
        record(QUESTIONS, out, model=Scripted(), budget=PLENTY)
    assert out.read_bytes() == before


async def test_a_question_that_was_cut_off_goes_on_first(model, out):
    await arecord(QUESTIONS, out, model=model, samples=5, budget=Budget(calls=7))
    await arecord(QUESTIONS[::-1], out, model=model, samples=5, budget=PLENTY)
    assert [(q.id, len(q.samples)) for q in read_recording(out)] == [
        ("q0", 5), ("q1", 5), ("q3", 5), ("q2", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"samples": 4}, "has 2 samples of question 'q0', fewer than 4"),
        ({"temperature": 0.5}, "is of scripted at temperature 0.8, got scripted at 0.5"),
        ({"model": Scripted(model_name="other")}, "got other at 0.8"),
    ],
)
def test_what_cannot_go_on_in_the_same_file_is_refused(out, changed, says):
    settings = {"model": Scripted(), "samples": 2, "budget": PLENTY}
    record(QUESTIONS, out, **settings)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="samples") as caught:
        record(QUESTIONS, out, **{**settings, **changed})
    assert says in str(caught.value)
    assert out.read_bytes() == before


def test_a_verifier_that_spends_is_refused(out):
    def judge(question, answer, *, lease):
        raise AssertionError

    with pytest.raises(ValueError, match="must not call a model"):
        record(QUESTIONS, out, model=Scripted(), budget=PLENTY, verifier=judge)
