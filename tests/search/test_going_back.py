"""A search by levels goes back from dead ends: steps that, says the scorer, lead nowhere."""

import numpy as np
import pytest

from tscale_graph.search.levels import VARIANTS, LevelByLevel
from tscale_graph.search.tree import ROOT, Status, Tree

variants = pytest.mark.parametrize("variant", VARIANTS)


def searched(policy, score, *, rounds):
    """The parents of each round, where `score` tells each row its score, status and original."""
    tree, rng, asked = Tree(), np.random.default_rng(0), []
    for _ in range(rounds):
        asks = policy.ask(tree, 1, rng)
        asked.append([(ask.parent, ask.count) for ask in asks])
        for row in (row for ask in asks for row in ask.nodes):
            told, status, same_as = score(tree, row)
            if told is None:
                tree.fail(row)
            else:
                tree.tell(row, told, status=status, same_as=same_as)
    return tree, asked


def dead_below_the_first_step(tree, row):
    first = tree.depth.item(row) == 1
    return (0.9 if first and row == 1 else 0.0), Status.OPEN, None


@variants
def test_a_step_that_scores_0_is_never_gone_on_from(variant):
    policy = LevelByLevel(variant, beams=2, width=2)
    tree, asked = searched(policy, dead_below_the_first_step, rounds=6)
    parents = {parent for asks in asked for parent, _ in asks} - {ROOT}
    assert parents
    assert all(tree.score.item(parent) > 0 for parent in parents)


@variants
def test_from_dead_ends_it_goes_back_to_where_they_came_from_and_then_to_the_root(variant):
    policy = LevelByLevel(variant, beams=2, width=2)
    tree, asked = searched(policy, dead_below_the_first_step, rounds=8)
    visited = [{parent for parent, _ in asks} for asks in asked]
    assert visited[0] == {ROOT}
    assert visited[1] == visited[2] == {1}, "a second try"
    assert {ROOT} in visited[3:], "then from the start"
    assert len(tree.children(1)) <= 2 * policy.beams * policy.width + policy.beams * policy.width


@variants
def test_what_failed_is_no_dead_end(variant):
    policy = LevelByLevel(variant, beams=2, width=2)
    _, asked = searched(policy, lambda tree, row: (None, None, None), rounds=3)
    assert [bool(asks) for asks in asked] == [True, False, False]


@variants
def test_once_a_solution_has_come_to_a_good_end_there_is_no_going_back(variant):
    def score(tree, row):
        return (0.7, Status.TERMINAL, None) if row == 1 else (0.0, Status.OPEN, None)

    _, asked = searched(LevelByLevel(variant, beams=2, width=2), score, rounds=3)
    assert [bool(asks) for asks in asked] == [True, False, False]


@variants
def test_solutions_that_came_to_nothing_do_not_end_the_search(variant):
    def score(tree, row):
        return 0.0, Status.TERMINAL if row % 2 else Status.OPEN, None

    policy = LevelByLevel(variant, beams=2, width=2)
    tree, asked = searched(policy, score, rounds=6)
    assert all(asks for asks in asked)
    assert tree.complete > policy.beams * policy.width


@variants
def test_a_start_that_brings_nothing_new_ends_it(variant):
    def score(tree, row):
        return (0.0, Status.OPEN, None) if row == 1 else (0.0, Status.CLOSED, 1)

    _, asked = searched(LevelByLevel(variant, beams=1, width=1), score, rounds=4)
    assert [bool(asks) for asks in asked] == [True, True, True, True]
    _, asked = searched(
        LevelByLevel(variant, beams=1, width=1),
        lambda tree, row: (0.0, Status.CLOSED, None),
        rounds=3,
    )
    assert [bool(asks) for asks in asked] == [True, False, False]


@variants
def test_solutions_as_long_as_they_may_be_are_no_dead_ends(variant):
    def score(tree, row):
        return 0.4, Status.CLOSED if tree.depth.item(row) == 2 else Status.OPEN, None

    _, asked = searched(LevelByLevel(variant, beams=2, width=2, max_steps=2), score, rounds=4)
    assert [bool(asks) for asks in asked] == [True, True, False, False]


def test_whole_solutions_that_are_all_wrong_are_tried_again_until_nothing_new_comes():
    policy, tree, rng = LevelByLevel(beams=1, width=2), Tree(), np.random.default_rng(0)

    def level(*statuses):
        (ask,) = policy.ask(tree, 1, rng)
        assert (ask.parent, ask.count) == (ROOT, 2)
        for row, status in zip(ask.nodes, statuses, strict=True):
            tree.tell(row, 0.0, status=status)

    level(Status.TERMINAL, Status.TERMINAL)
    level(Status.CLOSED, Status.TERMINAL)
    for _ in range(4):
        level(Status.CLOSED, Status.CLOSED)
    assert policy.ask(tree, 1, rng) == []
