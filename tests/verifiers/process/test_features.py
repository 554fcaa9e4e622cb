"""Features of steps: by hand, and causal whatever the text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.process.features import Own, column_names, features
from tscale_graph.verifiers.process.reading import Arithmetic, Position, Wording

QUESTION = "Tom has 3 apples. He gets 4 more and loses 2."
ALL = (Position(), Wording(), Arithmetic())
texts = st.text(st.sampled_from("0123456789+-*/=(). abcé中\n"), max_size=30)


def of(featurizer, steps, question=QUESTION):
    return [dict(zip(featurizer.columns, row, strict=True)) for row in featurizer(question, steps)]


@given(st.lists(texts, max_size=6), st.integers(0, 6), texts)
def test_a_step_has_no_feature_of_what_comes_after(steps, length, question):
    for featurizer in ALL:
        whole = featurizer(question, steps)
        assert whole.shape == (len(steps), len(featurizer.columns))
        assert np.isfinite(whole).all()
        np.testing.assert_array_equal(whole[:length], featurizer(question, steps[:length]))


def test_where_a_step_stands():
    rows = of(Position(), ["3 + 4 = 7", "7 - 2 = 5", "The answer is 5."])
    assert [row["index"] for row in rows] == pytest.approx([0, math.log(2), math.log(3)])
    assert [(row["first"], row["final"]) for row in rows] == [(1, 0), (0, 0), (0, 1)]


def test_how_it_is_written():
    one, two, three = of(Wording(), ["3 + 4 = 7", "7 - 9 = 5", "3 + 4 = 7"])
    assert one["known_numbers"] == pytest.approx(2 / 3)
    assert one["new_numbers"] == pytest.approx(math.log(2))
    assert two["known_numbers"] == pytest.approx(1 / 3), "9 and 5 are new"
    assert (one["repeats"], two["repeats"], three["repeats"]) == (0, 0, 1)
    assert three["known_numbers"] == three["shared_words"] == 1


def test_whether_its_equations_are_true():
    rows = of(Arithmetic(), ["3 + 4 = 7", "7 - 2 = 6", "So it is 6 * 2 = 12, and 12 / 5 = 2.4"])
    assert [row["equations"] for row in rows] == [1, 1, 2]
    assert [row["wrong"] for row in rows] == [0, 1, 0]
    assert [row["wrong_so_far"] for row in rows] == pytest.approx([0, math.log(2), math.log(2)])
    assert [row["unknown_terms"] for row in rows] == [0, 0, 1], "nobody said 5"
    assert [row["goes_on"] for row in rows] == [0, 1, 1]


def test_an_equation_may_end_a_sentence():
    rows = of(Arithmetic(), ["So 3 + 4 = 7.", "7 - 2 = 4."])
    assert [(row["equations"], row["wrong"]) for row in rows] == [(1, 0), (1, 1)]


def test_numbers_that_are_used_up_and_those_that_are_not_used_yet():
    rows = of(Arithmetic(), ["3 + 4 = 7", "7 - 2 = 5", "The answer is 5."])
    assert [row["used_again"] for row in rows] == [0, 0, 0]
    assert [row["unused"] for row in rows] == pytest.approx([math.log(3), math.log(2), math.log(2)])
    rows = of(Arithmetic(), ["3 + 4 = 7", "7 - 4 = 3", "3 + 7 = 10"])
    assert [row["used_again"] for row in rows] == [0, 1, 1]
    assert [row["used_again_so_far"] for row in rows] == pytest.approx(
        [0, math.log(2), math.log(3)]
    )


@pytest.mark.parametrize(
    "step",
    [
        "",
        "   ",
        "Das Ergebnis ist unklar.",
        "答案是七",
        "= = =",
        "1/0 = 3",
        "x" * 9_999,
        "9" * 9_999,
    ],
)
def test_a_step_without_arithmetic_has_none(step):
    [row] = of(Arithmetic(), [step])
    assert row.pop("unused") == pytest.approx(math.log(4)), "3, 4 and 2"
    assert set(row.values()) == {0.0}


def test_a_thousand_steps_take_time_in_proportion():
    steps = [f"{k} + 1 = {k + 1}" for k in range(1_000)]
    matrix, notes = features(ALL, QUESTION, steps)
    assert matrix.shape == (1_000, len(column_names(ALL)))
    assert notes == []


def test_the_users_own_feature_sees_the_steps_so_far():
    own = Own("steps", lambda question, steps: len(steps) + len(question))
    assert own("ab", ["x", "y"]).tolist() == [[3.0], [4.0]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_feature_that_is_no_number_is_unknown(bad):
    matrix, notes = features([Own("odd", lambda question, steps: bad)], "q", ["a"])
    assert np.isnan(matrix).all()
    assert notes == []


def test_a_featurizer_that_fails_leaves_the_others_alone():
    def broken(question, steps):
        raise ConnectionError("no embeddings today")

    matrix, notes = features([Position(), Own("far", broken)], "q", ["a", "b"])
    assert np.isfinite(matrix[:, :3]).all()
    assert np.isnan(matrix[:, 3]).all()
    assert notes == ["the featurizer far failed: no embeddings today"]


def test_a_featurizer_of_the_wrong_shape_has_failed():
    class Wide(Position):
        def __call__(self, question, steps):
            return np.zeros((1, 7))

    matrix, notes = features([Wide()], "q", ["a", "b"])
    assert matrix.shape == (2, 3)
    assert notes == ["the featurizer position failed: it gave (1, 7) for (2, 3)"]


def test_columns_are_named_by_their_featurizer():
    assert column_names(ALL)[:4] == (
        "position.index",
        "position.first",
        "position.final",
        "wording.length",
    )


@pytest.mark.parametrize(
    ("step", "equations", "wrong"),
    [
        ("1,000 + 500 = 1,500", 1, 0),
        ("1,000 + 2,500 = 3,500", 1, 0),
        ("1,000 + 2,500 = 3,600", 1, 1),
        ("1,234,567 * 2 = 2,469,134", 1, 0),
        ("12 + 1 = 13, 500 are left", 1, 0),
    ],
)
def test_thousands_may_be_separated(step, equations, wrong):
    [row] = of(Arithmetic(), [step])
    assert (row["equations"], row["wrong"]) == (equations, wrong)


def test_a_number_is_known_however_it_is_written():
    for question in ("He has 1,500 and 20.", "He has 1500 and 20."):
        for step in ("1,500 + 20 = 1,520", "1500 + 20 = 1520"):
            assert of(Arithmetic(), [step], question)[0]["unknown_terms"] == 0
            assert of(Wording(), [step], question)[0]["known_numbers"] == pytest.approx(2 / 3)
    for written in ("−3", "-3"):
        for step in ("-3 + 5 = 2", "−3 + 5 = 2"):
            told = f"Add 5 to {written}."
            assert of(Arithmetic(), [step], told)[0]["unknown_terms"] == 0
            assert of(Wording(), [step], told)[0]["known_numbers"] == pytest.approx(2 / 3)
    assert of(Arithmetic(), ["3 - 7 = -4", "-4 * 2 = -8"])[1]["goes_on"] == 1


@pytest.mark.parametrize("step", ["1,2,3", "0,125", "12,34", "1,2345", "1234,567", "1,000,00"])
def test_other_commas_part_numbers(step):
    [row] = of(Wording(), [step])
    assert row["numbers"] > math.log(2)
