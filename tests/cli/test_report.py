"""`tscale report`, as a person or a script uses it."""

import pytest

from tests.reporting.outcomes import several
from tscale_graph.recordings.outcomes import append_outcome

TWO = {"one": (0.4, 100), "vote": (0.8, 400)}


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.jsonl"
    for one in several(TWO, questions=4):
        append_outcome(path, one)
    return path


def test_a_report_is_written_and_its_findings_are_told(runs, tmp_path, tscale):
    out = tmp_path / "report"
    done = tscale("report", str(runs), "--out", str(out), "--highlight", "vote", "--title", "Mine")
    assert done.returncode == 0
    assert done.stdout.startswith("- vote: ")
    assert done.stderr.strip() == str(out / "report.html")
    assert (out / "report.md").read_text().startswith("# Mine\n")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--highlight", "other"), "highlight must be one of one, vote, got 'other'"),
        (("nowhere.jsonl",), "nowhere.jsonl"),
        (("SAME",), "run 0, is in"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(runs, tmp_path, tscale, change, says):
    more = [str(runs) if one == "SAME" else one for one in change]
    done = tscale("report", str(runs), *more, "--out", str(tmp_path / "report"))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_of_something_else_is_told_with_its_line(tmp_path, tscale):
    path = tmp_path / "other.jsonl"
    path.write_text('{"name": 1}\n')
    done = tscale("report", str(path), "--out", str(tmp_path / "report"))
    assert done.returncode == 2
    assert f"{path}, line 1: " in done.stderr
