"""Statistics of token log-probabilities, from a source that cuts texts as it likes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.process.features import features, features_of_many
from tscale_graph.verifiers.process.logprobs import TokenLogprobs, starts_of

texts = st.text(st.sampled_from("0123456789+=. abé中🎉\n"), max_size=12)


def by_lines(question, solution):
    """Tokens of three characters that never reach over the end of a line, after the prompt."""
    tokens = [("<user>", None), (question, -9.0), ("<assistant>\n", -9.0)]
    for line in solution.splitlines(keepends=True):
        tokens += [(line[k : k + 3], -len(set(line[k : k + 3]))) for k in range(0, len(line), 3)]
    return tokens


def of(source, steps, question="q"):
    one = TokenLogprobs(source)
    return [dict(zip(one.columns, row, strict=True)) for row in one(question, steps)]


def test_each_step_has_the_statistics_of_its_tokens():
    def source(question, solution):
        assert (question, solution) == ("q", "3 + 4 = 7\n7.\n")
        told = [("…", None), ("3", -1), (" +", -2), (" 4 = 7", -3), ("\n", -40), ("7", -0.5)]
        return [*told, (".\n", -1.5)]

    one, two = of(source, ["3 + 4 = 7\n", "7."])
    assert one == pytest.approx(
        {"mean": -2, "minimum": -3, "low": -2.8, "last": -3, "lowest_so_far": -3}
    )
    assert two == pytest.approx(
        {"mean": -1, "minimum": -1.5, "low": -1.4, "last": -1.5, "lowest_so_far": -3}
    )


@pytest.mark.parametrize(
    ("told", "counted"), [(None, math.nan), (math.nan, math.nan), (-1e9, -50.0), (0.1, 0.0)]
)
def test_a_logprob_is_bounded_or_unknown(told, counted):
    [row] = of(lambda question, solution: [("7", told)], ["7"])
    assert row["mean"] == pytest.approx(counted, nan_ok=True)


def test_a_step_without_a_known_token_is_unknown_and_forgets_nothing():
    rows = of(lambda q, s: [("a", -3.0), ("\n", -1.0), ("b", None), ("\n", -1.0)], ["a", "b", " "])
    assert [row["lowest_so_far"] for row in rows] == [-3, -3, -3]
    assert math.isnan(rows[1]["mean"])
    assert math.isnan(rows[2]["last"])


@given(texts, st.lists(texts, max_size=6), st.integers(0, 6))
def test_a_step_has_no_feature_of_what_comes_after(question, steps, length):
    one = TokenLogprobs(by_lines)
    whole = one(question, steps)
    assert whole.shape == (len(steps), 5)
    np.testing.assert_array_equal(whole[:length], one(question, steps[:length]))


@given(st.lists(st.tuples(texts, st.lists(texts, max_size=4)), max_size=4))
def test_many_solutions_are_as_one_by_one(solutions):
    one = TokenLogprobs(by_lines, parallel=2)
    for found, solution in zip(one.several(solutions), solutions, strict=True):
        np.testing.assert_array_equal(found, one(*solution))


@pytest.mark.parametrize("steps", [0, 1, 1_000])
def test_any_number_of_steps(steps):
    rows = TokenLogprobs(by_lines)("q", [f"{k} + 1 = {k + 1}" for k in range(steps)])
    assert rows.shape == (steps, 5)
    assert np.isfinite(rows).all()


@given(st.text(max_size=30), st.data())
def test_tokens_are_found_where_they_begin(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=8)))
    cuts = [cut for cut in cuts if cut < len(text)]
    tokens = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a < b]
    assert starts_of(["before", *tokens], text) == ([0, *cuts] if text else [])


@pytest.mark.parametrize(
    ("tokens", "text", "starts"),
    [
        (["<s>", "▁The", "▁sum", "\n", "7"], "The sum\n7", [0, 4, 7, 8]),
        (["a", " \ufffd", "\ufffd", "\ufffd", "b"], "a 日b", [0, 3, 3, 3, 3]),
        (["", "", "日", "b"], "日b", [0, 0, 0, 1]),
        (["assistant\n7", " + 1"], "7 + 1", [0, 1]),
        (["7", "."], "7.\n", [0, 1]),
    ],
)
def test_tokens_need_not_be_written_as_the_text_is(tokens, text, starts):
    assert starts_of(tokens, text) == starts


def test_tokens_of_another_text_are_refused():
    matrix, notes = features(
        [TokenLogprobs(lambda question, solution: [("quite another", -1.0)])], "q", ["3 + 4 = 7"]
    )
    assert np.isnan(matrix).all()
    assert notes == [
        "the featurizer token_logprobs failed: the tokens end with another text than '3 + 4 = 7\\n'"
    ]


def test_a_source_that_fails_is_unknown_and_told():
    def broken(question, solution):
        raise ConnectionError("gone")

    found = features_of_many([TokenLogprobs(broken)], [("q", ["a"]), ("q", ["b", "c"])])
    assert [matrix.shape for matrix, _ in found] == [(1, 5), (2, 5)]
    assert all(np.isnan(matrix).all() for matrix, _ in found)
    assert [notes for _, notes in found] == [["the featurizer token_logprobs failed: gone"]] * 2


def test_some_must_be_asked_for_at_a_time():
    with pytest.raises(ValueError, match="parallel must be at least 1, got 0"):
        TokenLogprobs(by_lines, parallel=0)
