"""Outcomes are kept a line each, survive a kill, and are refused when they come twice."""

import pytest

from tscale_graph.budget import Usage
from tscale_graph.recordings.files import drop_unfinished_line
from tscale_graph.recordings.outcomes import Outcome, append_outcome, read_outcomes


def outcome(name="q1", **more):
    usage = Usage(calls=2, input_tokens=10, output_tokens=5)
    given = {"task_class": "maths", "setting": "refine", "correct": True, "usage": usage, **more}
    return Outcome(id=name, **given)


@pytest.mark.parametrize("name", ["outcomes.jsonl", "outcomes.jsonl.gz"])
def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path, name):
    path = tmp_path / name
    kept = [outcome("q1"), outcome("q2", status="cut_off", cut_off_by="tokens", notes=("so",))]
    for one in kept:
        append_outcome(path, one)
    append_outcome(path, outcome("q3"))
    path.write_bytes(path.read_bytes()[:-9])
    assert drop_unfinished_line(path) > 0
    assert list(read_outcomes(path)) == kept
    append_outcome(path, outcome("q3"))
    assert [one.id for one in read_outcomes(path)] == ["q1", "q2", "q3"]


def test_a_whole_last_line_without_its_end_is_done_again(tmp_path):
    path = tmp_path / "outcomes.jsonl"
    append_outcome(path, outcome())
    path.write_bytes(path.read_bytes()[:-1])
    drop_unfinished_line(path)
    assert list(read_outcomes(path)) == []


def test_the_same_run_twice_is_refused_and_another_run_of_it_is_not(tmp_path):
    path = tmp_path / "outcomes.jsonl"
    append_outcome(path, outcome())
    append_outcome(path, outcome(run=1))
    assert len(list(read_outcomes(path))) == 2
    append_outcome(path, outcome())
    with pytest.raises(ValueError, match="line 3: 'refine' on question 'q1' of maths, run 0, was"):
        list(read_outcomes(path))


def test_a_line_that_is_no_outcome_is_refused_in_one_line(tmp_path):
    path = tmp_path / "outcomes.jsonl"
    path.write_text('{"id": "q1"}\n')
    with pytest.raises(ValueError, match="line 1: task_class: Field required") as error:
        list(read_outcomes(path))
    assert "\n" not in str(error.value)
