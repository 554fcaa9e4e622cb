"""Embeddings of the steps so far: with a model whose vectors are plain to see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from tscale_graph.verifiers.process.embedding import LONGEST_TEXT, Embedded
from tscale_graph.verifiers.process.features import features, features_of_many
from tscale_graph.verifiers.process.reading import Position

QUESTION = "Tom has 3 apples. He gets 4 more."
texts = st.text(st.sampled_from("0123456789+=. abé中🎉\n"), max_size=12)


class Letters(Embeddings):
    """How often a text has each of three letters; says what it was asked."""

    def __init__(self, fails=0):
        self.calls = []
        self.fails = fails

    def embed_documents(self, texts):
        self.calls.append(list(texts))
        if len(self.calls) > 1 and self.fails:
            raise ConnectionError("no embeddings today")
        return [[float(text.count(letter)) for letter in "abc"] for text in texts]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


def test_a_step_has_the_vector_of_all_that_was_said_and_its_cosines():
    one = Embedded(Letters())
    assert one.columns == ("vector.0", "vector.1", "vector.2", "to_question", "to_previous")
    rows = one("ab", ["a", "bb", "c"])
    assert rows[:, :3].tolist() == [[2, 1, 0], [2, 3, 0], [2, 3, 1]]
    assert rows[:, 3] == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert rows[:, 4] == pytest.approx([0.5**0.5, 0, 0])


def test_a_text_without_a_direction_has_no_cosine():
    rows = Embedded(Letters())("ab", ["?", "a"])
    assert np.isnan(rows[0, 3:]).all()
    assert rows[1, 3] == pytest.approx(0.5**0.5)
    assert np.isnan(rows[1, 4])


@given(texts, st.lists(texts, max_size=6), st.integers(0, 6))
def test_a_step_has_no_feature_of_what_comes_after(question, steps, length):
    one = Embedded(DeterministicFakeEmbedding(size=4))
    whole = one(question, steps)
    assert whole.shape == (len(steps), 6)
    np.testing.assert_array_equal(whole[:length], one(question, steps[:length]))


@given(st.lists(st.tuples(texts, st.lists(texts, max_size=4)), max_size=4))
def test_many_solutions_are_as_one_by_one_and_one_call(solutions):
    embeddings = Letters()
    one = Embedded(embeddings)
    many = one.several(solutions)
    assert len(embeddings.calls) == 1 + any(steps for _, steps in solutions)
    assert len(set(embeddings.calls[-1])) == len(embeddings.calls[-1]), "no text twice"
    for found, (question, steps) in zip(many, solutions, strict=True):
        np.testing.assert_array_equal(found, one(question, steps))


def test_the_whitespace_around_steps_makes_no_difference():
    one = Embedded(DeterministicFakeEmbedding(size=4))
    np.testing.assert_array_equal(one("q", ["a\n", " b\n\n"]), one("q", ["a", "b"]))


def test_dimensions_that_are_given_are_not_asked_for():
    embeddings = Letters()
    one = Embedded(embeddings, "letters", dimensions=3, cosines=False)
    assert embeddings.calls == []
    assert one("ab", ["a"]).tolist() == [[2, 1, 0]]
    assert embeddings.calls == [["ab\na\n"]], "without cosines one text a step"


@pytest.mark.parametrize("steps", [0, 1, 1_000])
def test_any_number_of_steps(steps):
    embeddings = Letters()
    rows = Embedded(embeddings)(QUESTION, [f"a {k}" for k in range(steps)])
    assert rows.shape == (steps, 5)
    assert max(map(len, embeddings.calls[-1])) <= len(QUESTION) + 1 + LONGEST_TEXT


def test_dimensions_must_be_some_and_those_of_the_vectors():
    with pytest.raises(ValueError, match="dimensions must be at least 1, got 0"):
        Embedded(Letters(), dimensions=0)
    matrix, notes = features([Embedded(Letters(), dimensions=2)], "q", ["a"])
    assert np.isnan(matrix).all()
    assert notes == ["the featurizer embeddings failed: the vectors have shape (3, 3), not (3, 2)"]


def test_embeddings_that_fail_are_unknown_and_told_of_every_solution():
    solutions = [("q", ["a", "b"]), ("r", ["c"])]
    found = features_of_many([Position(), Embedded(Letters(fails=1))], solutions)
    for (matrix, notes), (_, steps) in zip(found, solutions, strict=True):
        assert matrix.shape == (len(steps), 8)
        assert np.isfinite(matrix[:, :3]).all()
        assert np.isnan(matrix[:, 3:]).all()
        assert notes == ["the featurizer embeddings failed: no embeddings today"]
