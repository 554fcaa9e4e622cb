"""`tscale prm label`, as a person or a script uses it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.fake_server import Behaviour
from tscale_graph.recordings.files import drop_unfinished_line, read_recording

ANSWERS = {"1 + 2 = 3\nThe answer is 3": 2.0, "1 + 2 = 4\nThe answer is 4": 1.0}
PLENTY = ("--budget", "tokens=1000000")


@pytest.fixture
def server(asked_by_default):
    asked_by_default.reset(Behaviour(answers=ANSWERS))
    return asked_by_default


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    lines = ({"id": k, "question": f"How many are in {k}?", "gold": 3} for k in range(5))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def labelling(questions, out, *more):
    """The arguments of the command."""
    return [
        "prm", "label", str(questions), "--out", str(out), "--model", "openai:fake", "--steps",
        "line", "--solutions", "3", "--max-output-tokens", "16", *more,
    ]  # fmt: skip


def samples(out):
    return [sample for q in read_recording(out, rollouts=True) for sample in q.samples]


def asked_of(server):
    """Completions that the server was asked for."""
    return sum(request.n for request in server.ledger().requests)


@pytest.mark.slow
def test_steps_are_labelled_and_the_time_and_money_left_are_told(
    server, questions, tmp_path, tscale_process
):
    out = tmp_path / "labels.jsonl.gz"
    done = tscale_process(*labelling(questions, out, *PLENTY))
    assert (done.returncode, done.stdout) == (0, "")
    told = done.stderr.splitlines()
    assert told[0].startswith("1 of 5 questions, ")
    assert "about 0:" in told[0]
    assert " tokens left" in told[0]
    assert f"{out}: 5 of 5 questions; this run: {len(samples(out))} completions, " in told[-1]
    assert f"{server.ledger().billed_tokens:,} tokens" in told[-1]
    assert {sample.given for sample in samples(out)} == {0, 1}


def test_the_exit_status_says_that_the_budget_cut_it(server, questions, tmp_path, tscale):
    out = tmp_path / "labels.jsonl"
    cut = tscale(*labelling(questions, out, "--budget", "calls=12"))
    assert cut.returncode == 3
    assert "cut off by calls" in cut.stderr
    assert len(samples(out)) == 12
    assert tscale(*labelling(questions, out, *PLENTY)).returncode == 0
    assert asked_of(server) == len(samples(out))


@pytest.mark.slow
def test_a_killed_run_is_gone_on_with_and_asks_for_nothing_twice(
    server, questions, tmp_path, tscale
):
    server.reset(Behaviour(answers=ANSWERS, latency=0.05))
    out = tmp_path / "labels.jsonl.gz"
    command = [sys.executable, "-m", "tscale_graph", *labelling(questions, out, *PLENTY)]
    with subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while asked_of(server) < 16 and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    drop_unfinished_line(out)
    kept = samples(out)
    assert len(kept) >= 6
    asked_before = asked_of(server)
    assert tscale(*labelling(questions, out, *PLENTY)).returncode == 0
    assert samples(out)[: len(kept)] == kept
    assert len(samples(out)) - len(kept) == asked_of(server) - asked_before


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ((), "--budget"),
        (("--budget", "tokens=1000", "--solutions", "0"), "solutions must be at least 1, got 0"),
        (("--budget", "tokens=1000", "--steps", "words"), "steps must be one of"),
        (("--budget", "tokens=1000", "--continuation", "no"), "continuation must be one of"),
    ],
)
def test_wrong_use_is_one_line(server, questions, tmp_path, tscale, more, complaint):
    done = tscale(*labelling(questions, tmp_path / "labels.jsonl", *more))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_bare_prm_says_what_it_can_do(tscale):
    done = tscale("prm")
    assert done.returncode == 2
    assert "action" in done.stderr
    assert "label" in tscale("prm", "--help").stdout
