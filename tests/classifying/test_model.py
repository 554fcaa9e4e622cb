"""The text classifier: what it says of any text, and which files it reads."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.classifying import TASK_CLASSES, TextClassifier
from tscale_graph.classifying.features import LONGEST, clipped, features
from tscale_graph.classifying.model import SHIPPED, quantised, shipped

SMALL = TextClassifier(
    classes=("a", "b"),
    weights={"w:cat": (127, -127), "w:dog": (-127, 127)},
    bias=(0.0, 0.0),
    scale=0.02,
    temperature=1.0,
    card={"data": "two words"},
)


def test_the_words_decide():
    assert SMALL("my cat").task_class == "a"
    assert SMALL("my dogs").task_class == "b"
    assert SMALL("my cat").reason == "reads like it: cat"


def test_what_it_does_not_know_is_a_tie():
    found = SMALL("Guten Morgen")
    assert (found.task_class, found.confidence) == ("a", 0.5)
    assert found.reason == "nothing in it is known"


@given(st.text(max_size=400))
def test_any_text_has_probabilities_that_sum_to_1_and_the_same_ones_again(question):
    shares = shipped().probabilities(question)
    assert set(shares) == set(TASK_CLASSES)
    assert all(0 <= share <= 1 for share in shares.values())
    assert sum(shares.values()) == pytest.approx(1)
    found = shipped()(question)
    assert found.confidence == max(shares.values())
    assert shares[found.task_class] == found.confidence
    assert found == shipped()(question)


@pytest.mark.parametrize(
    "question", ["", " ", "\ud800", "\x00", "(" * 5000, "=" * 100_000, "1 " * 9]
)
def test_odd_texts_are_classified_too(question):
    assert 0 <= shipped()(question).confidence <= 1


@pytest.mark.parametrize(
    "question",
    ["今日は何曜日ですか", "Сколько будет два плюс два", "ما هي عاصمة مصر", "আজ আবহাওয়া কেমন"],
)
def test_other_alphabets_leave_it_unsure(question):
    assert shipped()(question).confidence < 0.6


def test_of_a_long_question_the_beginning_and_the_end_are_read():
    long = "start " + "x" * 9_000 + " end"
    assert len(clipped(long)) == LONGEST + 1
    assert {"w:start", "w:end"} <= set(features(long))


def test_weights_become_whole_numbers_and_those_of_nothing_are_left_out():
    whole, scale = quantised({"x": (1.0, -0.5), "y": (0.001, 0.0)})
    assert whole == {"x": (127, -64)}
    assert scale == pytest.approx(1 / 127)
    assert quantised({}) == ({}, 1.0)


def test_what_is_saved_is_read_again(tmp_path):
    path = tmp_path / "small.json"
    SMALL.save(path)
    assert TextClassifier.load(path) == SMALL
    SMALL.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def told(**changed):
    known = {
        "format": 1, "card": {}, "classes": ["a", "b"], "bias": [0, 0], "scale": 1,
        "temperature": 1, "weights": {"w:x": [1, 2]},
    }  # fmt: skip
    return json.dumps({**known, **changed})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no text classifier"),
        ("[]", "must be a JSON object"),
        ("[" * 100_000, "is no text classifier"),
        ("\x80", "is no text classifier"),
        (told(format=2), "has format 2, this version reads 1"),
        (told(classes=["a", "a"]), "two classes or more"),
        (told(classes=["a", {}]), "is no text classifier"),
        (told(classes=["a", ""]), "must be names"),
        (told(bias=[0]), "must have 2 biases, got 1"),
        (told(bias=[0, None]), "a bias must be a finite number"),
        (told(scale=0), "scale must be above 0"),
        (told(temperature=float("nan")), "numbers must be finite"),
        (told(temperature=1e999), "numbers must be finite"),
        (told(scale=10**400), "is no text classifier"),
        (told(weights={"w:x": [1]}), "must be 2 whole numbers"),
        (told(weights={"w:x": [1, 2.5]}), "must be 2 whole numbers"),
        (told(weights={"w:x": [1, 500]}), "must be 2 whole numbers"),
        (told(weights=[1]), "is no text classifier"),
        (told().replace('"card"', '"cord"'), "is no text classifier"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, text, problem):
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=problem) as refused:
        TextClassifier.load(path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "large.json"
    SMALL.save(path)
    monkeypatch.setattr("tscale_graph.classifying.model.LARGEST", 10)
    with pytest.raises(ValueError, match="at most 10 are read"):
        TextClassifier.load(path)


def test_the_shipped_one_is_small_and_read_once():
    assert SHIPPED.stat().st_size < 3_000_000
    assert shipped() is shipped()


def test_it_runs_without_numpy():
    run = (
        "import sys\n"
        "from tscale_graph.classifying import check_classifier\n"
        "print(check_classifier('trained')('Say hello.').task_class)\n"
        "assert not {'numpy', 'sklearn', 'langgraph'} & set(sys.modules) - before\n"
    )
    command = [sys.executable, "-c", "import sys\nbefore = set(sys.modules)\n" + run]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
