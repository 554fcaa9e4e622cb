import pytest

from tscale_graph.recordings.questions import (
    Example,
    Question,
    read_examples,
    read_questions,
    shown_in_turns,
)


def test_questions_and_examples_are_read_one_a_line(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"id": 1, "question": "1 + 1?", "gold": 2}\n\n'
        '{"id": "b", "question": "?", "verifier": "equation"}\n'
    )
    assert read_questions(path) == [
        Question(id="1", question="1 + 1?", gold="2"),
        Question(id="b", question="?", verifier="equation"),
    ]
    path.write_text('{"question": "1 + 1?", "answer": "2"}\n')
    assert read_examples(path) == [Example(question="1 + 1?", answer="2")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1: not JSON"),
        ("3", "line 1: the line: Input should be"),
        ('{"id": "a"}', "line 1: question: Field required"),
        ('{"id": "a", "question": ""}', "line 1: question: String should have at least 1"),
        ('{"id": "a", "question": "?", "gold": true}', "line 1: gold: Input should be"),
        ('{"id": "a", "question": "?"}\n{"id": "a", "question": "!"}', "line 2: id 'a' was there"),
        ("\n", "no questions"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path, text, says):
    path = tmp_path / "questions.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match="questions") as caught:
        read_questions(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_examples_are_shown_as_turns():
    assert shown_in_turns([Example(question="1 + 1?", answer="2")], "2 + 2?") == [
        ("human", "1 + 1?"),
        ("ai", "2"),
        ("human", "2 + 2?"),
    ]
