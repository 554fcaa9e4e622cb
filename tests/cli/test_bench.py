"""`tscale bench`, as a person or a script uses it."""

import json

import pytest

from tests.fake_server import Behaviour
from tests.recordings.made_up import many
from tscale_graph.recordings.files import append_question
from tscale_graph.recordings.outcomes import read_contenders, read_outcomes

ANSWERS = {"The answer is 3": 2.0, "The answer is 4": 1.0}
BEST = "best-of-n(n=2, verifier=equation)"
TRIED = (
    "--try",
    "one=self-consistency(max_samples=1)",
    "--try",
    BEST,
)


@pytest.fixture
def server(asked_by_default):
    asked_by_default.reset(Behaviour(answers=ANSWERS))
    return asked_by_default


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    lines = (
        {"id": k, "question": f"Solve x + {k} = {k + 3}.", "gold": 3, "kind": "sums/easy"}
        for k in range(5)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def bench(questions, out, *more, tried=TRIED, limits=("--budget", "tokens=100000")):
    return [
        "bench", str(questions), "--out", str(out), "--model", "openai:fake", "--request",
        "tokens=2000", "--max-output-tokens", "16", *limits, *tried, *more,
    ]  # fmt: skip


def test_every_run_is_kept_and_what_it_cost_is_told(server, questions, tmp_path, tscale):
    out = tmp_path / "runs.jsonl.gz"
    done = tscale(*bench(questions, out, "--class-field", "kind"))
    assert (done.returncode, done.stdout) == (0, "")
    found = list(read_outcomes(out))
    assert {one.task_class for one in found} == {"sums-easy"}
    assert {one.setting for one in found} == {"one", BEST}
    assert len(found) == 10
    assert f"{out}: 10 of 10 runs; this time: " in done.stderr
    assert f"{server.ledger().billed_tokens:,} tokens" in done.stderr
    again = tscale(*bench(questions, out, "--class-field", "kind"))
    assert "10 of 10 runs; this time: 0 tokens" in again.stderr


def test_a_policy_file_takes_part(server, questions, tmp_path, tscale):
    policy = tmp_path / "mine.yaml"
    policy.write_text(
        "default_class: any\nclasses:\n  any:\n    technique: self_consistency\n"
        "    arguments: {max_samples: 2, max_output_tokens: 16}\n"
    )
    out = tmp_path / "runs.jsonl"
    done = tscale(*bench(questions, out, tried=("--try", f"tuned={policy}")))
    assert done.returncode == 0
    assert {one.route for one in read_outcomes(out)} == {"any"}
    assert read_contenders(out)["tuned"].policy.default_class == "any"


def test_the_exit_status_says_that_the_budget_cut_it(server, questions, tmp_path, tscale):
    out = tmp_path / "runs.jsonl"
    done = tscale(*bench(questions, out, limits=("--budget", "tokens=2100")))
    assert done.returncode == 3
    assert "of 10 runs, cut off by tokens" in done.stderr
    assert tscale(*bench(questions, out)).returncode == 0


def test_a_server_that_is_not_there_fails_in_a_line(questions, tmp_path, tscale, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    done = tscale(*bench(questions, tmp_path / "runs.jsonl"))
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("tscale: ")


def test_a_recording_is_played_without_any_model(tmp_path, tscale):
    recording = tmp_path / "samples.jsonl.gz"
    for question in many(6, 8):
        append_question(recording, question)
    done = tscale(
        "bench", f"counting={recording}", "--replay", "--out", str(tmp_path / "runs.jsonl"),
        "--budget", "tokens=100000", "--request", "tokens=20000", "--runs", "2", *TRIED[:2],
    )  # fmt: skip
    assert done.returncode == 0
    found = list(read_outcomes(tmp_path / "runs.jsonl"))
    assert {(one.task_class, one.run) for one in found} == {("counting", 0), ("counting", 1)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no budget: say what this may cost"),
        (("--budget", "tokens=10", "--request", "tokens=x"), "--request tokens must be a whole"),
        (("--budget", "tokens=10", "--try", "self-consistncy"), "technique must be one of"),
        (("--budget", "tokens=10", "--try", "one=best-of-n"), "names 'one' more than once"),
        (("--budget", "tokens=10", "--try", "nowhere.yaml"), "nowhere.yaml"),
        (("--budget", "tokens=10", "--try", "x=self-consistency(most=3)"), "takes no 'most'"),
        (("--budget", "tokens=10", "--try", "x=best-of-n(n=3)"), "x: best_of_n needs a verifier"),
        (("--budget", "tokens=10", "--replay"), "so give no --model"),
        (("--budget", "tokens=10", "--classify", "oracle"), "classifier must be"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(server, questions, tmp_path, arguments, says, tscale):
    out = tmp_path / "runs.jsonl"
    done = tscale(*bench(questions, out, *arguments, tried=TRIED[:2], limits=()))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()
