"""What a search tree holds, and what it refuses to be."""

from itertools import pairwise

import pytest
from hypothesis import given
from pydantic import ValidationError

from tests.search_trees.making import chain_of, tree_of, trees
from tscale_graph.search_trees import SearchTree, TreeNode


def node(index, parent, depth, **more):
    return TreeNode(index=index, parent=parent, depth=depth, status="open", text="", **more)


def rebuilt(nodes, best=None):
    return SearchTree(technique="beam", question="what?", nodes=nodes, best=best)


@pytest.mark.parametrize(
    ("nodes", "best", "message"),
    [
        ([node(1, None, 0)], None, "index of the node at place 0 must be 0, got 1"),
        (
            [node(0, None, 0), node(2, 0, 1)],
            None,
            "index of the node at place 1 must be 1, got 2",
        ),
        ([node(0, 0, 0)], None, "parent of node 0 must be None, got 0"),
        (
            [node(0, None, 0), node(1, None, 0)],
            None,
            "parent of node 1 must be a node before it, got None",
        ),
        (
            [node(0, None, 0), node(1, 1, 1)],
            None,
            "parent of node 1 must be a node before it, got 1",
        ),
        (
            [node(0, None, 0), node(1, -1, 1)],
            None,
            "parent of node 1 must be a node before it, got -1",
        ),
        ([node(0, None, 1)], None, "depth of node 0 must be 0, got 1"),
        ([node(0, None, 0), node(1, 0, 2)], None, "depth of node 1 must be 1, got 2"),
        ([node(0, None, 0)], 1, "best must be from 0 to 0, got 1"),
        ([node(0, None, 0)], -1, "best must be from 0 to 0, got -1"),
    ],
)
def test_what_is_no_tree_is_refused_in_one_line(nodes, best, message):
    with pytest.raises(ValidationError) as refused:
        rebuilt(nodes, best)
    assert [error["msg"] for error in refused.value.errors()] == [f"Value error, {message}"]


def test_a_tree_has_a_root():
    with pytest.raises(ValidationError, match="at least 1 item"):
        rebuilt([])


@pytest.mark.parametrize("field", ["score", "value"])
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_scores_and_values_are_shares(field, share):
    with pytest.raises(ValidationError, match=field):
        node(0, None, 0, **{field: share})


def test_half_a_character_is_replaced_and_two_halves_are_joined():
    cut = tree_of([], texts=["\ud83d!"], note=["\ud83d\ude00"], model=["\ude00"])
    assert (cut.nodes[0].text, cut.nodes[0].note) == ("\ufffd!", "\U0001f600")
    assert cut.nodes[0].model == "\ufffd"


def test_a_path_runs_from_the_root_to_the_node():
    tree = tree_of([0, 0, 1, 3], best=4)
    assert tree.path(0) == [0]
    assert tree.path(2) == [0, 2]
    assert tree.best_path == [0, 1, 3, 4]


def test_without_a_best_answer_there_is_no_best_path():
    assert tree_of([0, 0]).best_path == []


def test_children_come_in_the_order_of_their_making():
    tree = tree_of([0, 0, 1, 0, 1])
    assert [tree.children(index) for index in range(6)] == [[1, 2, 4], [3, 5], [], [], [], []]


@pytest.mark.parametrize("index", [-1, 3])
def test_a_node_that_is_not_there_has_neither_path_nor_children(index):
    tree = tree_of([0, 0])
    for asked in (tree.path, tree.children):
        with pytest.raises(ValueError, match=f"^index must be from 0 to 2, got {index}$"):
            asked(index)


@given(trees())
def test_every_node_but_the_root_is_a_child_of_the_step_before_it_on_its_path(tree):
    for each in tree.nodes[1:]:
        path = tree.path(each.index)
        assert len(path) == each.depth + 1
        assert all(below in tree.children(above) for above, below in pairwise(path))


@given(trees())
def test_a_tree_comes_back_from_its_json_as_it_was(tree):
    assert SearchTree.from_json(tree.to_json()) == tree


def test_a_very_deep_tree_is_read_and_drawn_without_recursion():
    tree = chain_of(10_000)
    assert SearchTree.from_json(tree.to_json()) == tree
    assert tree.best_path == list(range(10_000))
    assert tree.to_mermaid(max_nodes=20_000).count("==>") == 9_999
    assert tree.to_graphviz().count("->") == 9_999
    assert tree.to_html().count('"status":"open"') == 10_000


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("tree.html", SearchTree.to_html),
        ("tree.JSON", SearchTree.to_json),
        ("tree.mmd", SearchTree.to_mermaid),
        ("tree.dot", SearchTree.to_graphviz),
        ("tree.gv", SearchTree.to_graphviz),
    ],
)
def test_the_name_of_a_file_decides_how_the_tree_is_written(tmp_path, name, written):
    tree = tree_of([0, 0, 1], best=3, texts=["é", "\r\n", "日本", "x"])
    tree.save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == written(tree).encode()


def test_a_name_that_says_no_format_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(
        ValueError, match=r"^path must end in \.html, \.json, \.mmd, \.dot or \.gv, got tree\.png$"
    ):
        tree_of([0]).save(str(tmp_path / "tree.png"))
    assert list(tmp_path.iterdir()) == []
