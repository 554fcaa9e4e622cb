"""Reading what judges write: strictly where they were held to a form, leniently where not."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.judges.forms import (
    PickForm,
    RankingForm,
    SameForm,
    ScoreForm,
    WinnerForm,
    in_words,
    whole_schema,
)
from tscale_graph.verifiers.judges.replies import read_reply

SCORE, WINNER, PICK, RANKING, SAME = (
    ScoreForm(10),
    WinnerForm(),
    PickForm(4),
    RankingForm(3),
    SameForm(),
)


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (SCORE, '{"reason": "fine", "score": 7}', 0.7),
        (SCORE, '```json\n{"reason": "fine", "score": 7}\n```', 0.7),
        (SCORE, 'Here it is: {"score": "7", "reason": "a {brace} in it"} Bye.', 0.7),
        (SCORE, 'They wrote {"score": 10}, but:\n{"reason": "wrong", "score": 1}', 0.1),
        (SCORE, "Score: 7/10", 0.7),
        (SCORE, "**Score:** 7", 0.7),
        (SCORE, "I would say 7 out of 10.", 0.7),
        (SCORE, "The score is 3.5 / 5", 0.7),
        (SCORE, "Rating: [[7]]", 0.7),
        (SCORE, " 7 ", 0.7),
        (SCORE, "At first a score of 2, then I looked again. Score: 7", 0.7),
        (WINNER, '{"winner": "first", "reason": ""}', 0),
        (WINNER, "The better answer is the second.", 1),
        (WINNER, "Winner: tie", None),
        (WINNER, "[[second]]", 1),
        (PICK, '{"choice": 3}', 2),
        (PICK, "The most consistent response is Response 3.", 2),
        (PICK, "3", 2),
        (RANKING, '{"ranking": [2, 3, 1]}', (1, 2, 0)),
        (RANKING, "[2] > [3] > [1]", (1, 2, 0)),
        (RANKING, '{"ranking": ["2", 3, 3, 9]}', (1, 2)),
        (SAME, '{"same": true}', True),
        (SAME, "No, they differ.", False),
        (SAME, "They look alike, but same: no", False),
    ],
)
def test_a_reply_is_read_however_it_is_written(form, text, value):
    assert read_reply(form, text).value == value


@pytest.mark.parametrize(
    ("form", "text", "problem"),
    [
        (SCORE, "", "empty"),
        (SCORE, "A fine answer.", "no score"),
        (SCORE, "There are 12 apples.", "no score"),
        (SCORE, '{"score": 11}', "from 0 to 10, got 11"),
        (SCORE, '{"score": -1}', "from 0 to 10"),
        (SCORE, '{"score": true}', "must be a number"),
        (SCORE, '{"score": null}', "must be a number"),
        (SCORE, '{"score": NaN}', "from 0 to 10"),
        (SCORE, '{"reason": "it stops in the mid', "no score"),
        (SCORE, "Score: 7/0", "out of 10"),
        (WINNER, '{"winner": "both"}', "first, second or tie"),
        (WINNER, '{"winner": null}', "first, second or tie"),
        (WINNER, "I cannot say which of the two I prefer.", "no winner"),
        (PICK, '{"choice": 5}', "from 1 to 4"),
        (PICK, '{"choice": 1.5}', "number from 1 to 4"),
        (PICK, "All of them.", "no choice"),
        (RANKING, '{"ranking": [7, 8]}', "none of them"),
        (RANKING, '{"ranking": 2}', "must be a list"),
        (RANKING, "None.", "no ranking"),
        (SAME, '{"same": "maybe"}', "true or false"),
        (SAME, "Perhaps.", "no same"),
    ],
)
def test_a_reply_without_a_judgement_is_an_error_and_no_judgement(form, text, problem):
    with pytest.raises(ValueError, match=problem):
        read_reply(form, text)


@pytest.mark.parametrize("form", [SCORE, WINNER, PICK, RANKING, SAME])
def test_the_example_that_a_model_is_shown_can_be_read_and_fits_the_schema(form):
    example = json.loads(form.example)
    form.read(example)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate({"reason": "", form.field: example}, whole_schema(form))
    assert f'"{form.field}": {form.example}' in in_words(form)


@given(st.text() | st.from_regex(r"[\s{}\"score:winner/>,0-9\[\]]{0,40}", fullmatch=True))
def test_no_reply_makes_anything_but_a_value_error(text):
    for form in (SCORE, WINNER, PICK, RANKING, SAME):
        with suppress(ValueError):
            read_reply(form, text)


def test_a_tool_call_is_read_before_the_text():
    call = {"name": "judgement", "args": {"reason": "so", "score": 3}}
    read = read_reply(SCORE, "Score: 9", [call])
    assert (read.value, read.reason) == (0.3, "so")
    with pytest.raises(ValueError, match="empty"):
        read_reply(SCORE, "", [{"name": "judgement", "args": {"reason": "so"}}])


@given(st.lists(st.integers(-2, 9), max_size=9))
def test_a_ranking_names_each_text_at_most_once_in_the_order_of_first_mention(numbers):
    valid = [number - 1 for number in numbers if 1 <= number <= 5]
    if not valid:
        with pytest.raises(ValueError, match="none of them"):
            RankingForm(5).read(numbers)
        return
    places = RankingForm(5).read(numbers)
    assert sorted(places) == sorted(set(valid))
    assert list(places) == sorted(set(valid), key=valid.index)
