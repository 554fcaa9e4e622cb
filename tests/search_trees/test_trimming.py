"""Which nodes of a large tree are drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.search_trees.making import chain_of, tree_of, trees
from tscale_graph.search_trees.trimming import most_visited


def test_a_tree_that_fits_is_drawn_whole():
    assert most_visited(tree_of([0, 0, 1]), 4) == [0, 1, 2, 3]


def test_the_best_path_is_kept_and_then_the_most_visited():
    tree = tree_of([0, 0, 0, 1, 2, 3], best=4, visits=[9, 0, 5, 7, 0, 6, 1])
    assert most_visited(tree, 4) == [0, 1, 3, 4]
    assert most_visited(tree, 6) == [0, 1, 2, 3, 4, 5]


def test_a_best_path_that_is_too_long_loses_its_middle():
    assert most_visited(chain_of(100), 5) == [0, 1, 2, 98, 99]


@pytest.mark.parametrize("max_nodes", [1, 0, -3])
def test_fewer_than_two_nodes_are_no_picture(max_nodes):
    with pytest.raises(ValueError, match=f"^max_nodes must be at least 2, got {max_nodes}$"):
        most_visited(tree_of([0]), max_nodes)


@given(trees(), st.integers(2, 12))
def test_as_many_nodes_as_allowed_are_drawn_each_below_another(tree, max_nodes):
    kept = most_visited(tree, max_nodes)
    assert len(kept) == min(max_nodes, len(tree.nodes))
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert tree.best is None or tree.best in kept
    if len(tree.best_path) <= max_nodes:
        assert set(tree.best_path) <= set(kept)
        assert all(tree.nodes[index].parent in kept for index in kept[1:])
