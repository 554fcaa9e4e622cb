"""Rows of steps, from any graph at all."""

from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.drawing.order import back_edges, rows

NAMES = ["a", "b", "c", "d", "e"]
EDGES = st.sets(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda e: e[0] != e[1])
)


@given(EDGES)
def test_every_step_has_one_place(edges):
    assert sorted(name for row in rows(NAMES, edges) for name in row) == NAMES


@given(EDGES)
def test_without_the_edges_that_go_back_there_is_no_loop(edges):
    forward = edges - back_edges(NAMES, edges)
    assert back_edges(NAMES, forward) == set()


def test_what_follows_a_loop_comes_after_all_of_it():
    edges = [("a", "b"), ("a", "e"), ("b", "c"), ("c", "d"), ("d", "a")]
    assert rows(NAMES, edges) == [["a"], ["b"], ["c"], ["d"], ["e"]]


def test_steps_without_edges_come_last():
    assert rows(["a", "b", "c"], [("b", "c")]) == [["b"], ["c"], ["a"]]
