import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings.made_up import many, question
from tests.recordings.shared_data import shared
from tscale_graph.recordings.files import (
    append_question,
    drop_unfinished_line,
    logistic,
    read_recording,
)


@pytest.fixture(params=["recording.jsonl", "recording.jsonl.gz"])
def path(request, tmp_path):
    return tmp_path / request.param


def write(path, *lines):
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def test_what_is_appended_is_read_back(path):
    questions = many(3)
    for asked in questions:
        append_question(path, asked)
    assert list(read_recording(path)) == questions


def test_neighbouring_lines_of_one_question_are_one_question(path):
    whole = question("a", "123412")
    append_question(path, whole.model_copy(update={"samples": whole.samples[:4]}))
    append_question(path, whole.model_copy(update={"samples": whole.samples[4:]}))
    append_question(path, question("b"))
    assert list(read_recording(path)) == [whole, question("b")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[]", 'line 2: a recorded question needs "id", "question" and "samples"'),
        ('{"id": "x", "question": "?"}', "line 2: a recorded question needs"),
        ('{"id": "x", "samples": []}', "line 2: question: Field required"),
        ('{"id": "x", "question": "?", "samples": [3]}', "line 2: samples.0: Input should be"),
        (
            '{"id": "x", "question": "?", "samples": [{"score": 3.5}]}',
            'got 3.5 (raw rewards are read with scores="reward")',
        ),
        (
            '{"id": "x", "question": "?", "samples": [{"output_tokens": -1}]}',
            "line 2: samples.0.output_tokens: Input should be greater than or equal to 0, got -1",
        ),
    ],
)
def test_a_bad_line_is_told_by_file_and_number_in_one_line(path, line, says):
    write(path, question("a").model_dump_json(), line)
    with pytest.raises(ValueError, match="line 2") as caught:
        list(read_recording(path))
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_id_that_comes_back_later_is_an_error(path):
    write(path, *(question(name).model_dump_json() for name in "aba"))
    with pytest.raises(ValueError, match="line 3: id 'a' was there before"):
        list(read_recording(path))


def test_a_wrong_kind_of_scores_is_refused(path):
    with pytest.raises(ValueError, match='"probability" or "reward", got \'logits\''):
        list(read_recording(path, scores="logits"))


def test_questions_are_read_one_at_a_time(path):
    write(path, question("a").model_dump_json(), question("b").model_dump_json(), "{")
    questions = read_recording(path)
    assert next(questions).id == "a"


@pytest.mark.parametrize("cut", [1, 2, 30, 80])
def test_a_half_written_line_is_dropped_and_nothing_else(path, cut):
    for name in "ab":
        append_question(path, question(name))
    whole = path.stat().st_size
    append_question(path, question("c"))
    broken = path.read_bytes()[:-cut]
    path.write_bytes(broken)
    assert drop_unfinished_line(path) == len(broken) - whole
    assert [q.id for q in read_recording(path)] == ["a", "b"]
    append_question(path, question("c"))
    assert [q.id for q in read_recording(path)] == ["a", "b", "c"]
    assert drop_unfinished_line(path) == 0


def test_reading_a_damaged_file_is_an_error_in_one_line(tmp_path):
    path = tmp_path / "recording.jsonl.gz"
    append_question(path, question("a"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="damaged"):
        list(read_recording(path))


@given(st.lists(st.floats(-700, 700, allow_nan=False), min_size=2))
def test_rewards_keep_their_order_within_zero_and_one(rewards):
    scores = [logistic(reward) for reward in sorted(rewards)]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)


@given(st.floats(-30, 30))
def test_a_reward_is_the_log_odds_of_its_score(reward):
    score = logistic(reward)
    assert math.isclose(math.log(score) - math.log1p(-score), reward, rel_tol=1e-3, abs_tol=1e-9)


def test_other_peoples_names_for_tokens_and_tests_are_understood(path):
    sample = {"answer": "A", "correct": True, "tokens_est": 61.6, "tests": "101", "visible2": 0.5}
    write(path, json.dumps({"id": 7, "question": "?", "gold": None, "samples": [sample]}))
    (asked,) = read_recording(path)
    assert asked.id == "7"
    assert asked.samples[0].output_tokens == 62
    assert asked.samples[0].tests == (True, False, True)
    assert asked.samples[0].model_extra == {"visible2": 0.5}


@pytest.mark.parametrize(
    ("name", "questions", "samples", "right"),
    [
        ("qwen", 100, 8, 0.910),
        ("codet", 164, 100, 0.204),
        ("game24", 100, 100, 0.040),
    ],
)
def test_larger_models_recordings_are_read_as_they_are(name, questions, samples, right):
    read = shared(name)
    assert len(read) == questions
    assert {len(q.samples) for q in read} == {samples}
    share = sum(s.correct for q in read for s in q.samples) / (questions * samples)
    assert share == pytest.approx(right, abs=0.002)
    assert all(s.output_tokens > 0 for q in read for s in q.samples if s.text)


def test_nothing_is_cut_from_a_file_that_is_damaged_in_the_middle(tmp_path):
    path = tmp_path / "samples.jsonl.gz"
    for name in "abc":
        append_question(path, question(name))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    assert drop_unfinished_line(path) == 0
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.jsonl.gz", b'{"id": "a", "question": "?", "samples": []}\n'),
        ("questions.jsonl", b'{"id": "a", "question": "How many?"}\n{"id": "b", "question": "?"}'),
        ("notes.txt", b"hello\nmy notes without an end"),
    ],
)
def test_nothing_is_cut_from_a_file_of_another_kind(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert drop_unfinished_line(path) == 0
    assert path.read_bytes() == content
    with pytest.raises(ValueError, match=name):
        list(read_recording(path))
