"""The few words in a node of a drawing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.search_trees.making import texts
from tscale_graph.search_trees import TreeNode
from tscale_graph.search_trees.labels import first_words, standing


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ""),
        ({"score": 0.825, "visits": 14}, "0.82 · 14 visits"),
        ({"score": 0.5, "value": 0.1, "visits": 1}, "0.50 · 1 visit"),
        ({"value": 0.1, "visits": 1200}, "~0.10 · 1,200 visits"),
        ({"status": "failed", "score": 0.0}, "0.00 · failed"),
    ],
)
def test_a_node_says_how_it_fared(fields, said):
    node = TreeNode(
        **{"index": 0, "parent": None, "depth": 0, "status": "open", "text": "", **fields}
    )
    assert standing(node) == said


def test_a_short_text_stands_whole():
    assert first_words("13 - 9 = 4\n(left: 4, 4, 6)") == "13 - 9 = 4 (left: 4, 4, 6)"


def test_a_long_text_ends_in_an_ellipsis():
    assert first_words("x" * 61) == "x" * 59 + "…"
    assert first_words("x" * 60) == "x" * 60


@pytest.mark.parametrize("text", ["", " \n", "\x00\u202e", " " * 5_000])
def test_a_text_without_words_says_so(text):
    assert first_words(text) == "no text"


@given(texts, st.integers(1, 80))
def test_words_fit_on_one_line_and_can_be_printed(text, width):
    words = first_words(text, width=width)
    assert words.isprintable()
    assert words == "no text" or 0 < len(words) <= width
