"""What docs/bench.md says to type does what it says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.fake_server import Behaviour
from tscale_graph import Policy
from tscale_graph.recordings.outcomes import read_outcomes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/bench.md").read_text()
SHELL = re.search(r"<!-- runs in CI -->\n```sh\n(.*?)```", PAGE, re.DOTALL)[1]
COMMANDS = [shlex.split(line) for line in SHELL.replace("\\\n", " ").splitlines() if line.strip()]
ANSWERS = {"The answer is 3": 2.0, "The answer is 1": 1.0, "x = 4": 1.0}


@pytest.mark.slow
def test_from_questions_to_a_policy_and_a_report(asked_by_default, tmp_path, monkeypatch, tscale):
    asked_by_default.reset(Behaviour(answers=ANSWERS))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", "examples")
    for _, *command in COMMANDS:
        more = {"report": [], "tune": ["--samples", "6"]}.get(command[0], [])
        asks = [] if command[0] == "report" else ["--model", "openai:fake"]
        done = tscale(*command, *asks, *more)
        assert done.returncode == 0, done.stderr
    assert set(Policy.load("policy.yaml").classes) == {"letters", "equations"}
    assert {one.setting for one in read_outcomes("runs.jsonl")} == {
        "one pass", "vote of 16", "policy.yaml",
    }  # fmt: skip
    written = {path.name for path in Path("report").iterdir()}
    assert written == {"report.html", "report.md", "report.json", "frontier.svg"}
