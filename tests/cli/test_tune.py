"""`tscale tune`, as a person or a script uses it."""

import json
import random

import pytest

from tests.bench.test_learning import recorded
from tests.fake_server import Behaviour
from tscale_graph import Policy
from tscale_graph.recordings.files import append_question


@pytest.fixture
def recordings(tmp_path):
    files = []
    for name, share in (("settled", 0.95), ("split", 0.6)):
        path = tmp_path / f"{name}.jsonl"
        for one in recorded(name, share):
            append_question(path, one)
        files.append(str(path))
    return files


def test_a_policy_is_learnt_from_recordings_and_told(recordings, tmp_path, tscale):
    out = tmp_path / "policy.yaml"
    done = tscale("tune", *recordings, "--replay", "--out", str(out), "--mean-calls", "5")
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert text.startswith("# Learnt by tscale tune on ")
    assert "# On new questions like them: " in text
    assert set(Policy.load(out).classes) == {"settled", "split"}
    assert "on new questions: " in done.stdout.replace("\n", " ")
    assert "settled" in done.stdout
    found = json.loads((tmp_path / "policy.runs" / "tuned.json").read_text())
    assert found["limit"] == 5
    assert tscale("policy", "check", str(out)).returncode == 0


def test_all_that_was_found_is_told_as_json(recordings, tmp_path, tscale):
    out = tmp_path / "policy.json"
    aim = ("--accuracy", "0.6", "--shares", "settled=3,split=1", "--json")
    done = tscale("tune", *recordings, "--replay", "--out", str(out), *aim)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    shares = [(one["name"], one["share"]) for one in found["classes"]]
    assert shares == [("settled", 0.75), ("split", 0.25)]
    assert set(Policy.load(out).classes) == {"settled", "split"}


def test_a_model_is_sampled_within_the_budget_and_goes_on(asked_by_default, tmp_path, tscale):
    asked_by_default.reset(Behaviour(answers={"The answer is 3": 2.0, "The answer is 4": 1.0}))
    path = tmp_path / "questions.jsonl"
    rng = random.Random(0)
    lines = ({"id": k, "question": f"How many are in {rng.random()}?", "gold": 3} for k in range(8))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [
        "tune", f"counting={path}", "--out", str(tmp_path / "policy.yaml"), "--mean-calls", "3",
        "--model", "openai:fake", "--samples", "6", "--max-output-tokens", "16",
    ]  # fmt: skip
    cut = tscale(*command, "--budget", "calls=20")
    assert cut.returncode == 3
    assert "3 of 8 questions have their 6 samples" in cut.stdout.replace("\n", " ")
    done = tscale(*command, "--budget", "calls=100")
    assert done.returncode == 0
    ledger = asked_by_default.ledger()
    assert sum(request.n for request in ledger.requests) == 8 * 6
    assert Policy.load(tmp_path / "policy.yaml").classes["counting"].model == "openai:fake"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "one of the arguments --mean-tokens --mean-calls --mean-usd --accuracy is required"),
        (("--mean-calls", "3", "--accuracy", "0.5"), "not allowed with argument"),
        (("--mean-calls", "-1"), "mean_calls must be above 0, got -1"),
        (("--mean-calls", "0.5"), "mean_calls must be at least 1"),
        (("--mean-calls", "3", "--shares", "settled=x"), "--shares takes CLASS=NUMBER"),
        (("--mean-calls", "3", "--default-class", "other"), "default_class must be one of"),
        (("--mean-calls", "3", "--try", "policy.yaml"), "policy.yaml"),
        (("--mean-calls", "3", "--out", "/nowhere/policy.yaml"), "there is no folder"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(recordings, tmp_path, arguments, says, tscale):
    out = tmp_path / "policy.yaml"
    done = tscale("tune", *recordings, "--replay", "--out", str(out), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    told = [line for line in done.stderr.splitlines() if "classes" not in line]
    assert len(told) == 1
    assert not out.exists()
