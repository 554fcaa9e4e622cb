"""`tscale policy`, and `tscale solve --policy`."""

import json

import pytest

from tests.fake_server import Behaviour
from tests.policies import POLICY
from tscale_graph import Policy
from tscale_graph.policy import default_text

TOLD = """\
default_class: plain
classes:
  plain:
    technique: self_consistency
    model: openai:fake
    arguments: {max_samples: 2, stop: fixed}
    budget: {calls: 9, seconds: 20}
  checked:
    technique: best_of_n
    verifier: equation
    model: openai:fake
    arguments: {n: 3}
    budget: {calls: 9, seconds: 20}
    fallback: plain
"""


@pytest.fixture
def policy(tmp_path, asked_by_default):
    asked_by_default.reset(Behaviour(answers={"x = 5": 1.0}))
    path = tmp_path / "policy.yaml"
    path.write_text(TOLD)
    return path


def solve(tscale, policy, *more):
    done = tscale("solve", "Solve 3x + 4 = 19 for x.", "--policy", str(policy), "--json", *more)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def test_a_policy_is_all_that_a_question_needs(policy, tscale, monkeypatch):
    monkeypatch.setattr("tscale_graph.cli.finishing.local_weights", lambda: 1 / 0)
    result = solve(tscale, policy)
    assert (result["answer"], result["technique"]) == ("x = 5", "self_consistency")
    assert result["usage"]["calls"] == 2
    assert result["notes"][0].startswith("class plain: an equation to solve")


def test_a_class_a_technique_and_a_budget_come_before_it(policy, tscale):
    assert solve(tscale, policy, "--class", "checked")["technique"] == "best_of_n"
    assert solve(tscale, policy, "--technique", "best-of-n")["technique"] == "best_of_n"
    cut = solve(tscale, policy, "--budget", "calls=1")
    assert (cut["usage"]["calls"], cut["cut_off_by"]) == (1, "calls")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--class", "poetry"), "task_class must be one of plain, checked, got 'poetry'"),
        (("--technique", "refine"), "technique must be one of self_consistency, best_of_n, got"),
        (("--samples", "3"), "its policy says the rest"),
    ],
)
def test_wrong_use_is_one_line(policy, tscale, more, says):
    done = tscale("solve", "How many?", "--policy", str(policy), *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_broken_policy_is_one_line_and_status_2(policy, tscale):
    policy.write_text(TOLD.replace("n: 3", "n: 0"))
    done = tscale("solve", "How many?", "--policy", str(policy))
    assert (done.returncode, done.stdout) == (2, "")
    told = f"tscale: {policy}:12:17: class checked: n must be at least 1, got 0\n"
    assert done.stderr == told


def test_a_class_without_a_budget_wants_one_with_the_question(policy, tscale):
    policy.write_text(TOLD.replace("    budget: {calls: 9, seconds: 20}\n", "", 1))
    done = tscale("solve", "How many?", "--policy", str(policy))
    assert done.returncode == 2
    assert "no budget: class plain has none" in done.stderr
    assert solve(tscale, policy, "--budget", "calls=5")["answer"] == "x = 5"


def test_check_tells_everything_that_is_wrong(policy, tscale):
    good = tscale("policy", "check", str(policy))
    assert (good.returncode, good.stdout) == (0, f"{policy}: 2 classes, nothing wrong\n")
    policy.write_text(POLICY.replace("max_samples", "samples").replace("n: 8", "n: 0"))
    done = tscale("policy", "check", str(policy))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert [line.split(": ", 1)[0] for line in lines] == [f"{policy}:6:7", f"{policy}:19:7"]
    gone = tscale("policy", "check", "nowhere.yaml")
    assert (gone.returncode, gone.stderr) == (2, "nowhere.yaml: No such file or directory\n")


def test_show_prints_what_loads_again(policy, tscale, tmp_path):
    assert tscale("policy", "show").stdout == default_text()
    again = tmp_path / "again.yaml"
    for shown, whole in ((), Policy.default()), ((str(policy),), Policy.load(policy)):
        again.write_text(tscale("policy", "show", *shown).stdout)
        assert Policy.load(again) == whole


def test_the_schema_is_printed(tscale):
    schema = json.loads(tscale("policy", "schema").stdout)
    assert schema["title"] == "A policy of tscale-graph"
