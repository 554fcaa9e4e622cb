"""Recorded chains: what they are, on disk and off."""

import gzip

import pytest
from pydantic import ValidationError

from tests.recordings.made_up_chains import asked, version
from tscale_graph.recordings.files import append_question, drop_unfinished_line, read_chains


@pytest.mark.parametrize("name", ["chains.jsonl", "chains.jsonl.gz"])
def test_what_is_written_is_read_again(tmp_path, name):
    written = [asked("13", "1214", name="a"), asked("2-3", name="b", verified=False)]
    for question in written:
        append_question(tmp_path / name, question)
    assert list(read_chains(tmp_path / name)) == written


def test_a_killed_run_loses_no_more_than_the_line_that_it_was_writing(tmp_path):
    path = tmp_path / "chains.jsonl.gz"
    append_question(path, asked("13", name="a"))
    whole = path.read_bytes()
    path.write_bytes(whole + gzip.compress(b'{"id":"b","question":"How m')[:20])
    assert drop_unfinished_line(path) > 0
    assert [question.id for question in read_chains(path)] == ["a"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "chains.jsonl, line 1: Invalid JSON"),
        ('{"id": "a", "question": "How?", "max_revisions": 4}', "line 1: chains: Field required"),
        (asked("3", name="a").model_dump_json() * 1 + "\n" + asked("3", name="a").model_dump_json(),
         "line 2: id 'a' was there before"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_refused_in_one_line(tmp_path, line, said):
    path = tmp_path / "chains.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=said):
        list(read_chains(path))


@pytest.mark.parametrize("chains", [(), ("",), ("1111",)])
def test_there_are_chains_and_each_has_a_version_and_no_more_than_were_asked_for(chains):
    with pytest.raises(ValidationError, match="chain"):
        asked(*chains, max_revisions=2)


def test_a_version_revises_one_before_it():
    question = asked("12")
    late = version("2", 1).model_copy(update={"base": 1})
    with pytest.raises(ValidationError, match="base of version 1 of chain 0 must be a version be"):
        type(question)(**{**dict(question), "chains": ((version("1", 0), late),)})


def test_a_version_costs_its_prompt_itself_and_its_critique():
    assert version("1", 1, verified=False).tokens == 120 + 6 + 50
