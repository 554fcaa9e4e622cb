"""Bounds worked out by hand on small trees."""

import numpy as np
import pytest

from tscale_graph.search.tree import ROOT, Status, Tree
from tscale_graph.search.uct import UCT

RNG = np.random.default_rng(0)


def grown(*nodes):
    """A tree from the parent and the score of each node from row 1 on."""
    tree = Tree()
    for parent, score in nodes:
        tree.tell(tree.append(parent).first, score)
    return tree


def asked(policy, tree, k=1):
    return [ask.parent for ask in policy.ask(tree, k, RNG)]


def test_the_first_expansion_is_of_the_root():
    (ask,) = UCT(width=3).ask(Tree(), 1, RNG)
    assert (ask.parent, ask.first, ask.count) == (ROOT, 1, 3)


@pytest.mark.parametrize(("exploration", "chosen"), [(0.0, 4), (1.20, 4), (1.21, 1)])
def test_the_bound_weighs_the_mean_against_what_is_not_known(exploration, chosen):
    # N(root) = 4. Row 1: V = 0.2, N = 1. Row 2, with 3 and 4 below it: V = 0.8, N = 3.
    #   U(1) = 0.2 + w * sqrt(ln 4 / 1) = 0.2 + 1.17741 w
    #   U(2) = 0.8 + w * sqrt(ln 4 / 3) = 0.8 + 0.67978 w    equal at w = 1.20572
    # Below row 2, N(2) = 3: rows 3 and 4 have been visited once, and 0.8 > 0.7.
    tree = grown((0, 0.2), (0, 0.9), (2, 0.7), (2, 0.8))
    assert UCT(exploration=exploration).select(tree) == chosen


def test_a_batch_goes_where_virtual_losses_send_it():
    # Row 2 has 4 and 5 below it: V(2) = (0.8 + 0.1 + 0.3) / 3 = 0.4; w = 1.
    #   N(root) = 5, ln 5 = 1.6094: U(1) = 0.5 + 1.2686, U(2) = 0.4 + 0.7325, U(3) = 0.2 + 1.2686
    #   1 in flight: N(root) = 6:   row 1 has no leaf,   U(2) = 0.4 + 0.7728, U(3) = 0.2 + 1.3386
    #   3 in flight: only row 2 has leaves, 0.3 > 0.1 at equal visits, then the one that is left.
    nodes = ((0, 0.5), (0, 0.8), (0, 0.2), (2, 0.1), (2, 0.3))
    assert asked(UCT(width=1), grown(*nodes), k=4) == [1, 3, 5, 4]


def test_an_answer_in_flight_counts_as_a_visit_that_scored_nothing():
    # Rows 1 and 2 have two leaves each and equal scores; N(root) = 6, then 7 with one in flight.
    #   before: U(1) = U(2) = 0.6 + sqrt(ln 6 / 3): the first. Below it row 3 before row 4.
    #   after:  U(1) = 1.8 / 4 + sqrt(ln 7 / 4) = 1.1475, U(2) = 0.6 + sqrt(ln 7 / 3) = 1.4054
    #   after:  N(root) = 8, both have lost one; the first again, where row 4 is left.
    nodes = ((0, 0.6), (0, 0.6), (1, 0.6), (1, 0.6), (2, 0.6), (2, 0.6))
    assert asked(UCT(width=1), grown(*nodes), k=3) == [3, 5, 4]


@pytest.mark.parametrize("k", [1, 3, 9])
def test_a_batch_goes_to_as_many_different_leaves(k):
    tree = grown(*((0, 0.1 * place) for place in range(9)))
    parents = asked(UCT(width=4), tree, k)
    assert len(parents) == len({*parents}) == k
    assert tree.pending[ROOT] == 4 * k


def test_when_there_are_fewer_leaves_fewer_are_asked_for():
    tree = grown((0, 0.5), (0, 0.4))
    assert sorted(asked(UCT(), tree, k=5)) == [1, 2]
    assert asked(UCT(), tree, k=5) == []


def test_exhausted_subtrees_are_passed_by():
    tree = grown((0, 1.0), (0, 0.1))
    tree.append(1, count=3)
    tree.fail(3)
    tree.tell(4, 1.0, status=Status.TERMINAL)
    tree.tell(5, 1.0, status=Status.CLOSED)
    assert asked(UCT(exploration=0.0), tree, k=9) == [2]


def test_where_nothing_open_is_left_the_root_is_widened_while_that_brings_anything():
    tree, policy = Tree(), UCT(width=2, patience=2)

    def expand(*statuses):
        (ask,) = policy.ask(tree, 3, RNG)
        assert (ask.parent, ask.count) == (ROOT, 2)
        assert policy.ask(tree, 1, RNG) == [], "not while it is in flight"
        for row, status in zip(ask.nodes, statuses, strict=True):
            if status == Status.FAILED:
                tree.fail(row)
            else:
                tree.tell(row, 0.1, status=status)

    expand(Status.TERMINAL, Status.TERMINAL)
    expand(Status.FAILED, Status.CLOSED)
    expand(Status.FAILED, Status.TERMINAL)
    expand(Status.CLOSED, Status.CLOSED)
    expand(Status.FAILED, Status.FAILED)
    assert policy.ask(tree, 3, RNG) == []


def test_without_an_open_leaf_there_is_nothing_to_select():
    tree = Tree()
    tree.append(ROOT)
    tree.fail(1)
    with pytest.raises(ValueError, match=r"^tree must have an open leaf"):
        UCT().select(tree)


def test_a_score_is_worth_itself():
    assert UCT().value(0.3) == 0.3


@pytest.mark.parametrize("exploration", [-0.1, float("inf"), float("nan")])
def test_a_bonus_without_end_is_refused(exploration):
    with pytest.raises(ValueError, match="exploration must be finite and 0 or more"):
        UCT(exploration=exploration)
