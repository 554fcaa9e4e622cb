"""`tscale record`, as a person or a script uses it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.fake_server import Behaviour
from tscale_graph.recordings.files import read_recording

ANSWERS = {"The answer is 3": 2.0, "The answer is 4": 1.0}


@pytest.fixture
def server(asked_by_default):
    asked_by_default.reset(Behaviour(answers=ANSWERS))
    return asked_by_default


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    lines = ({"id": k, "question": f"How many are in {k}?", "gold": 3} for k in range(6))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def recording(questions, out, *more):
    """The arguments of the command."""
    return [
        "record", str(questions), "--out", str(out), "--model", "openai:fake",
        "--samples", "4", "--max-output-tokens", "16", *more,
    ]  # fmt: skip


PLENTY = ("--budget", "tokens=100000")


@pytest.mark.slow
def test_a_recording_is_made_and_its_cost_told(server, questions, tmp_path, tscale_process):
    out = tmp_path / "samples.jsonl.gz"
    done = tscale_process(*recording(questions, out, *PLENTY))
    assert (done.returncode, done.stdout) == (0, "")
    assert len(list(read_recording(out))) == 6
    told = done.stderr.splitlines()
    assert told[0].startswith("1 of 6 questions, ")
    assert f"{out}: 6 of 6 questions; this run: 24 samples, " in told[-1]
    assert f"{server.ledger().billed_tokens:,} tokens" in told[-1]


def test_the_exit_status_says_that_the_budget_cut_it(server, questions, tmp_path, tscale):
    out = tmp_path / "samples.jsonl"
    cut = tscale(*recording(questions, out, "--budget", "calls=10"))
    assert cut.returncode == 3
    assert "2 of 6 questions, cut off by calls" in cut.stderr
    assert tscale(*recording(questions, out, *PLENTY)).returncode == 0
    assert [len(q.samples) for q in read_recording(out)] == [4] * 6
    assert sum(request.n for request in server.ledger().requests) == 24


@pytest.mark.parametrize("name", ["samples.jsonl", "samples.jsonl.gz"])
@pytest.mark.slow
def test_a_killed_run_goes_on_and_loses_at_most_the_question_in_flight(
    server, questions, tmp_path, tscale, name
):
    server.reset(Behaviour(answers=ANSWERS, latency=0.3))
    out = tmp_path / name
    asked_for = recording(questions, out, *PLENTY)
    killed = subprocess.Popen(
        [sys.executable, "-m", "tscale_graph", *asked_for], stderr=subprocess.PIPE, text=True
    )
    for _ in range(2):
        assert "questions" in killed.stderr.readline()
    time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    with out.open("ab") as half_written:
        half_written.write(out.read_bytes()[:40])
    asked = len(server.ledger().requests)
    kept = 2
    done = tscale(*asked_for)
    assert done.returncode == 0
    assert [q.id for q in read_recording(out)] == [str(k) for k in range(6)]
    assert [len(q.samples) for q in read_recording(out)] == [4] * 6
    assert asked <= kept + 1
    assert len(server.ledger().requests) - asked == 6 - kept


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no budget: say what this may cost"),
        (("--budget", "tokens=0"), "tokens should be greater than 0, got 0"),
        ((*PLENTY, "--samples", "0"), "samples must be at least 1, got 0"),
        ((*PLENTY, "--answer", "poem"), "answer must be one of"),
        ((*PLENTY, "--verify", "oracle"), "verifier must be one of"),
        ((*PLENTY, "--examples", "nowhere.jsonl"), "nowhere.jsonl"),
        ((*PLENTY, "--model", "no:model"), "got 'no:model'"),
        (("--budget", "usd=1"), "is not known"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(server, questions, tmp_path, arguments, says, tscale):
    done = tscale(*recording(questions, tmp_path / "samples.jsonl", *arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_bad_line_of_the_questions_is_told_by_its_number(server, questions, tmp_path, tscale):
    questions.write_text(questions.read_text() + "{\n")
    done = tscale(*recording(questions, tmp_path / "samples.jsonl", *PLENTY))
    assert done.returncode == 2
    assert "line 7: not JSON" in done.stderr
    assert not server.ledger().requests


def test_a_model_that_fails_is_status_1(server, questions, tmp_path, tscale):
    server.reset(Behaviour(faults={"400": 1.0}))
    done = tscale(*recording(questions, tmp_path / "samples.jsonl", *PLENTY))
    assert done.returncode == 1
    assert "question '0': " in done.stderr
