"""The tree against plain dictionaries that are counted anew from the beginning."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.search.asking import Ask
from tscale_graph.search.tree import ROOT, Status, Tree

TOLD = (Status.OPEN, Status.TERMINAL, Status.CLOSED)


class Reference:
    """All that happened, and every statistic as its definition says."""

    def __init__(self, models):
        self.models = models
        self.nodes = {ROOT: dict(parent=-1, model=-1, lane=-1, status=Status.OPEN)}

    def append(self, parent, count, model, lane):
        lane = self.nodes[parent]["lane"] if lane is None else lane
        for _ in range(count):
            self.nodes[len(self.nodes)] = dict(
                parent=parent, model=model, lane=lane, status=Status.PENDING, same_as=None
            )

    def path(self, node):
        above = [] if node == ROOT else self.path(self.nodes[node]["parent"])
        return [*above, node]

    def children(self, node):
        return [row for row, each in self.nodes.items() if each["parent"] == node]

    def below(self, node):
        """The rows at or below a node."""
        return [row for row in self.nodes if node in self.path(row)]

    def with_status(self, rows, *statuses):
        return [row for row in rows if row != ROOT and self.nodes[row]["status"] in statuses]

    def moments(self, rows):
        values = [self.nodes[row]["value"] for row in self.with_status(rows, *TOLD)]
        return [len(values), math.fsum(values), math.fsum(value**2 for value in values)]

    def in_flight(self, rows):
        return len(self.with_status(rows, Status.PENDING))

    def is_leaf(self, node):
        return self.nodes[node]["status"] == Status.OPEN and not self.children(node)

    def copies(self, node):
        return sum(each.get("same_as") == node for each in self.nodes.values())

    def of_model(self, model):
        return [row for row, each in self.nodes.items() if each["model"] == model]


def assert_agrees(tree, reference):
    assert tree.size == len(reference.nodes)
    for node, each in reference.nodes.items():
        below, children = reference.below(node), reference.children(node)
        assert tree.parent[node] == each["parent"]
        assert tree.path(node) == reference.path(node)
        assert tree.depth[node] == len(reference.path(node)) - 1
        assert (tree.model[node], tree.lane[node]) == (each["model"], each["lane"])
        assert tree.status[node] == each["status"]
        assert tree.children(node).tolist() == children
        assert [
            tree.visits[node],
            tree.value_sum[node],
            tree.value_squares[node],
        ] == pytest.approx(reference.moments(below))
        assert [
            tree.fresh_visits[node],
            tree.fresh_sum[node],
            tree.fresh_squares[node],
        ] == pytest.approx(reference.moments(children))
        assert tree.pending[node] == reference.in_flight(below)
        assert tree.fresh_pending[node] == reference.in_flight(children)
        assert tree.leaves[node] == sum(map(reference.is_leaf, below))
        assert tree.open_children[node] == len(reference.with_status(children, Status.OPEN))
        assert tree.copies[node] == reference.copies(node)
        score = tree.score.item(node)
        assert score == each["score"] if "score" in each else math.isnan(score)
    told = reference.with_status(reference.nodes, *TOLD)
    assert tree.complete == len(reference.with_status(told, Status.TERMINAL))
    complete = reference.with_status(told, Status.TERMINAL)
    best = [reference.nodes[row]["score"] for row in complete]
    assert tree.best_complete == max(best, default=0)
    assert tree.best_score == max((reference.nodes[row]["score"] for row in told), default=0.0)
    for model in range(reference.models):
        rows = reference.of_model(model)
        assert tree.by_model[model].tolist() == pytest.approx(reference.moments(rows))
        assert tree.pending_by_model[model] == reference.in_flight(rows)


def step(data, tree, reference):
    """One thing that may happen to a tree, done to both."""
    nodes = reference.nodes
    expandable = [row for row, each in nodes.items() if each["status"] == Status.OPEN]
    waiting = reference.with_status(nodes, Status.PENDING)
    what = data.draw(st.sampled_from(["append", "append", "tell", "tell", "fail", "withdraw"]))
    if what == "append" or not waiting:
        parent = data.draw(st.sampled_from(expandable))
        count = data.draw(st.integers(1, 6))
        model = data.draw(st.integers(0, reference.models - 1))
        lane = data.draw(st.none() | st.integers(0, 3))
        first = len(nodes)
        reference.append(parent, count, model, lane)
        ask = tree.append(parent, count=count, model=model, lane=lane)
        assert ask == Ask(parent, first, count, model, nodes[first]["lane"])
        if what == "withdraw":
            keep = data.draw(st.integers(0, count))
            tree.withdraw(ask, keep=keep)
            for row in range(first + keep, first + count):
                del nodes[row]
    elif what == "fail":
        node = data.draw(st.sampled_from(waiting))
        assert tree.fail(node)
        nodes[node]["status"] = Status.FAILED
    else:
        node = data.draw(st.sampled_from(waiting))
        score, status = data.draw(st.floats(0, 1)), data.draw(st.sampled_from(TOLD))
        value = data.draw(st.none() | st.floats(0, 2))
        earlier = data.draw(st.none() | st.sampled_from([*nodes]))
        assert tree.tell(node, score, status=status, value=value, same_as=earlier)
        nodes[node] |= dict(
            score=score, status=status, value=score if value is None else value, same_as=earlier
        )


@given(st.data(), st.integers(1, 3), st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_every_statistic_is_what_counting_everything_anew_gives(data, models, steps):
    tree, reference = Tree(models=models), Reference(models)
    for _ in range(steps):
        step(data, tree, reference)
    assert_agrees(tree, reference)


def everything(tree):
    """All that can be read from a tree, to be compared with what it was before."""
    columns = {
        name: column[: tree.size].tolist()
        for name, column in vars(tree).items()
        if isinstance(column, np.ndarray) and not name.startswith("_") and "by_model" not in name
    }
    children = [tree.children(node).tolist() for node in range(tree.size)]
    by_model = tree.by_model.tolist(), tree.pending_by_model.tolist()
    return repr((columns, children, by_model, tree.size, tree.complete, tree.best_score))


def grown():
    """One node of each status: 1 open with the open child 6, 2 terminal, 3 closed, 4 failed, 5."""
    tree = Tree(models=2)
    tree.append(ROOT, count=5)
    tree.tell(1, 0.5)
    tree.tell(2, 0.75, status=Status.TERMINAL)
    tree.tell(3, 0.25, status=Status.CLOSED)
    tree.fail(4)
    tree.append(1, model=1)
    tree.tell(6, 1.0)
    return tree


@pytest.mark.parametrize("again", [lambda tree, node: tree.tell(node, 0.1), Tree.fail])
@pytest.mark.parametrize("node", [1, 2, 3, 4, 6])
def test_telling_twice_is_harmless(node, again):
    tree = grown()
    before = everything(tree)
    assert again(tree, node) is False
    assert everything(tree) == before


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1, math.inf])
def test_a_score_out_of_range_is_refused_and_changes_nothing(score):
    tree = grown()
    before = everything(tree)
    with pytest.raises(ValueError, match=r"^score must be between 0 and 1, got [-.\w]+$"):
        tree.tell(5, score)
    assert everything(tree) == before
    assert tree.tell(5, 0.5)


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_a_node_is_told_to_be_open_terminal_or_closed(status):
    tree = grown()
    before = everything(tree)
    with pytest.raises(ValueError, match=r"^status must be open, terminal or closed"):
        tree.tell(5, 0.5, status=status)
    assert everything(tree) == before


@pytest.mark.parametrize("node", [ROOT, -1, 7, 1000])
@pytest.mark.parametrize("told", [lambda tree, node: tree.tell(node, 0.1), Tree.fail])
def test_only_rows_below_the_root_are_told(node, told):
    with pytest.raises(ValueError, match=r"^node must be a row from 1 to 6"):
        told(grown(), node)


@pytest.mark.parametrize("parent", [2, 3, 4, 5, -1, 7, 1000])
def test_only_an_open_node_gets_children(parent):
    tree = grown()
    before = everything(tree)
    with pytest.raises(ValueError, match=rf"^parent must be an open node, got {parent}$"):
        tree.append(parent)
    assert everything(tree) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(count=0), "count must be at least 1, got 0"),
        (dict(model=2), "model must be below 2, got 2"),
        (dict(model=-1), "model must be below 2, got -1"),
    ],
)
def test_an_ask_out_of_range_is_refused_and_changes_nothing(wrong, message):
    tree = grown()
    before = everything(tree)
    with pytest.raises(ValueError, match=f"^{message}$"):
        tree.append(ROOT, **wrong)
    assert everything(tree) == before


def test_there_is_at_least_one_model():
    with pytest.raises(ValueError, match=r"^models must be at least 1, got 0$"):
        Tree(models=0)


def test_the_last_ask_can_be_withdrawn_as_if_it_had_never_been():
    tree = grown()
    before = everything(tree)
    tree.withdraw(tree.append(6, count=3, model=1))
    assert everything(tree) == before


def test_the_first_children_of_a_withdrawn_ask_may_stay():
    tree, shorter = grown(), grown()
    tree.withdraw(tree.append(6, count=300), keep=2)
    shorter.append(6, count=2)
    assert everything(tree) == everything(shorter)


@pytest.mark.parametrize(
    "since",
    [
        lambda tree: tree.append(ROOT),
        lambda tree: tree.tell(8, 0.5),
        lambda tree: tree.fail(7),
    ],
)
def test_only_the_last_ask_can_be_withdrawn(since):
    tree = grown()
    ask = tree.append(6, count=2)
    since(tree)
    before = everything(tree)
    with pytest.raises(ValueError, match=r"^only the last ask can be withdrawn"):
        tree.withdraw(ask)
    assert everything(tree) == before


@pytest.mark.parametrize("keep", [-1, 3])
def test_no_more_of_an_ask_stays_than_there_was(keep):
    tree = grown()
    ask = tree.append(6, count=2)
    with pytest.raises(ValueError, match=rf"^keep must be between 0 and 2, got {keep}$"):
        tree.withdraw(ask, keep=keep)


def test_thousands_of_children_of_two_nodes_keep_their_order_as_blocks_move():
    tree = Tree()
    tree.append(ROOT, count=2)
    tree.tell(1, 0.5)
    tree.tell(2, 0.5)
    rows = {1: [], 2: []}
    for turn in range(1500):
        for parent, count in ((1, 1), (2, 1 + turn % 3)):
            rows[parent] += tree.append(parent, count=count).nodes
    for row in range(3, tree.size):
        tree.tell(row, row / tree.size)
    for parent, expected in rows.items():
        assert tree.children(parent).tolist() == expected
        scores = [0.5, *(row / tree.size for row in expected)]
        assert tree.visits[parent] == len(scores)
        assert tree.value_sum[parent] == pytest.approx(math.fsum(scores))
        assert tree.score[expected].tolist() == scores[1:]
    assert tree.leaves[ROOT] == tree.size - 3


def test_a_chain_may_be_deeper_than_python_recurses():
    tree, deepest = Tree(), sys.getrecursionlimit() + 100
    for node in range(deepest):
        tree.append(node)
        tree.tell(node + 1, 0.5)
    assert tree.path(deepest) == list(range(deepest + 1))
    assert tree.depth[deepest] == deepest
    assert tree.visits[: deepest + 1].tolist() == [deepest, *range(deepest, 0, -1)]
    assert (tree.leaves[: deepest + 1] == 1).all()
