"""How many continuations each partial solution of a level gets."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.search.levels import VARIANTS, LevelByLevel, particle_counts, rebase_counts
from tscale_graph.search.tree import ROOT, Status, Tree

RNG = np.random.default_rng(0)
scores = st.lists(st.floats(0, 1), min_size=1, max_size=20)
temperatures = st.floats(0.05, 10)


@given(scores, st.integers(1, 64), temperatures)
def test_rebase_shares_out_the_whole_budget_best_first(scores, budget, temperature):
    counts = rebase_counts(scores, budget, temperature=temperature)
    assert sum(counts) == budget
    assert min(counts) >= 0
    by_score = [count for _, count in sorted(zip(scores, counts, strict=True), reverse=True)]
    tied = len({*scores}) < len(scores)
    assert tied or by_score == sorted(by_score, reverse=True)


@given(st.integers(1, 20), st.integers(1, 64), st.floats(0, 1), temperatures)
def test_rebase_treats_equal_scores_alike(places, budget, score, temperature):
    counts = rebase_counts([score] * places, budget, temperature=temperature)
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8), st.integers(1, 64))
def test_rebase_is_its_formula_in_exact_arithmetic(powers, budget):
    # With T = 1 / ln 2 and scores k/8 the weights are powers of 2^(1/8); in exact arithmetic with
    # weights 2^k the scores have to be k, which the function does not mind.
    left, order = budget, sorted(range(len(powers)), key=lambda place: -powers[place])
    expected = [0] * len(powers)
    for position, place in enumerate(order):
        mass = sum(2 ** powers[other] for other in order[position:])
        expected[place] = math.ceil(Fraction(left * 2 ** powers[place], mass))
        left -= expected[place]
    assert rebase_counts(powers, budget, temperature=1 / math.log(2)) == expected


@pytest.mark.parametrize(
    ("given_scores", "budget", "temperature", "counts"),
    [
        # e^(0.4/0.2) = 7.389, e^0 = 1: ceil(16 * 7.389 / 8.389) = ceil(14.09) = 15, 1 is left.
        ([0.5, 0.9], 16, 0.2, [1, 15]),
        # weights 1, e^-1, e^-2: ceil(10 * 0.6652) = 7; then ceil(3 * 0.7311) = 3; none is left.
        ([0.2, 1.0, 0.6], 10, 0.4, [0, 7, 3]),
        ([0.3, 0.3, 0.3], 4, 0.2, [2, 1, 1]),
        ([0.4], 5, 0.2, [5]),
        ([0.4, 0.9], 0, 0.2, [0, 0]),
        ([0.4, 0.9], -3, 0.2, [0, 0]),
        ([], 5, 0.2, []),
    ],
)
def test_rebase_by_hand(given_scores, budget, temperature, counts):
    assert rebase_counts(given_scores, budget, temperature=temperature) == counts


def test_rebase_cold_gives_all_to_the_best_and_hot_the_same_to_each():
    assert rebase_counts([0.1, 0.9, 0.5], 12, temperature=1e-4) == [0, 12, 0]
    assert rebase_counts([0.1, 0.9, 0.5], 12, temperature=1e12) == [4, 4, 4]


def particle_weights(scores, arrived, temperature):
    odds = [math.log(score / (1 - score)) / temperature for score in scores]
    weights = [
        count * math.exp(each - max(odds)) for count, each in zip(arrived, odds, strict=True)
    ]
    return np.array(weights) / sum(weights)


inner = st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(1, 4)), min_size=1, max_size=10)


@given(inner, st.integers(1, 40), st.floats(0.1, 5), st.integers(0, 2**32))
def test_as_many_particles_go_on_as_there_are_to_be(solutions, particles, temperature, seed):
    scores, arrived = map(list, zip(*solutions, strict=True))
    rng = np.random.default_rng(seed)
    counts = particle_counts(scores, arrived, particles, temperature=temperature, rng=rng)
    assert sum(counts) == particles
    assert len(counts) == len(scores)
    expected = particles * particle_weights(scores, arrived, temperature)
    if counts != arrived:  # systematic: each gets what it should, rounded up or down
        assert (np.floor(expected - 1e-6) <= counts).all()
        assert (counts <= np.ceil(expected + 1e-6)).all()


@given(inner, st.integers(1, 12), st.floats(0.3, 3))
@settings(max_examples=10, deadline=None)
def test_resampling_gives_each_its_weight_on_average(solutions, particles, temperature):
    scores, arrived = map(list, zip(*solutions, strict=True))
    rng, times = np.random.default_rng(1), 1000
    if sum(arrived) == particles:
        particles += 1
    drawn = [
        particle_counts(scores, arrived, particles, temperature=temperature, rng=rng)
        for _ in range(times)
    ]
    expected = particles * particle_weights(scores, arrived, temperature)
    # A count is one of two neighbours, so that its standard deviation is at most a half.
    assert np.mean(drawn, axis=0) == pytest.approx(expected, abs=5 * 0.5 / times**0.5)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=10), st.floats(0, 1), temperatures)
def test_with_equal_scores_every_particle_goes_on_as_it_is(arrived, score, temperature):
    counts = particle_counts(
        [score] * len(arrived), arrived, sum(arrived), temperature=temperature, rng=RNG
    )
    assert counts == arrived


@pytest.mark.parametrize(
    "odds",
    [
        [1.0, 1.0],  # 1/4 a particle: ESS 4
        [3.0, 1.0],  # per particle 3/8, 3/8, 1/8, 1/8: sum of squares 20/64, ESS 3.2
        [9999.0, 1.0],  # two particles have nearly all the weight: ESS just above 2
    ],
)
def test_particles_stay_while_half_of_them_count(odds):
    scores = [each / (1 + each) for each in odds]
    counts = particle_counts(scores, [2, 2], 4, temperature=1.0, rng=np.random.default_rng(3))
    assert counts == [2, 2]


def test_particles_are_resampled_when_fewer_than_half_count():
    # Odds 9 : 1 : 1 : 1, weights 3/4 and 1/12 thrice: sum of squares 7/12, ESS 1.71 < 2.
    rng = np.random.default_rng(3)
    counts = particle_counts([0.9, 0.5, 0.5, 0.5], [1] * 4, 4, temperature=1.0, rng=rng)
    assert counts[0] == 3
    # Odds 4 : 1 : 1 : 1, weights 4/7 and 1/7 thrice: sum of squares 19/49, ESS 2.58 >= 2.
    counts = particle_counts([0.8, 0.5, 0.5, 0.5], [1] * 4, 4, temperature=1.0, rng=rng)
    assert counts == [1] * 4


def test_when_a_particle_was_lost_the_others_make_up_for_it():
    counts = particle_counts([0.5, 0.5, 0.5], [1] * 3, 6, temperature=1.0, rng=RNG)
    assert counts == [2, 2, 2]


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certain_scores_have_finite_odds(certain):
    counts = particle_counts([certain, certain], [1, 2], 3, temperature=0.01, rng=RNG)
    assert counts == [1, 2]
    counts = particle_counts([0.0, 1.0], [3, 1], 4, temperature=1.0, rng=RNG)
    assert counts == [0, 4]


def test_no_particles_or_none_arrived():
    assert particle_counts([], [], 4, temperature=1.0, rng=RNG) == []
    assert particle_counts([0.5, 0.9], [1, 1], 0, temperature=1.0, rng=RNG) == [0, 0]


def told(tree, scores, *, status=Status.OPEN):
    """Tell what is in flight these scores in order; None fails."""
    waiting = [row for row in range(tree.size) if tree.status[row] == Status.PENDING]
    for node, score in zip(waiting, scores, strict=True):
        if score is None:
            tree.fail(node)
        else:
            tree.tell(node, score, status=status)


def asked(policy, tree):
    return {ask.parent: ask.count for ask in policy.ask(tree, 1, np.random.default_rng(0))}


variants = pytest.mark.parametrize("variant", VARIANTS)


@variants
def test_the_first_level_is_as_wide_as_all_are(variant):
    tree = Tree()
    asks = LevelByLevel(variant, beams=3, width=2).ask(tree, 1, RNG)
    assert sum(ask.count for ask in asks) == 6
    assert {ask.parent for ask in asks} == {ROOT}
    lanes = [0, 0, 1, 1, 2, 2] if variant == "dvts" else [-1] * 6
    assert tree.lane[1:7].tolist() == lanes


@variants
def test_nothing_is_asked_while_anything_is_in_flight(variant):
    policy, tree = LevelByLevel(variant, beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    for node in (4, 2, 1):
        tree.tell(node, 0.5)
        assert asked(policy, tree) == {}
    tree.tell(3, 0.5)
    assert asked(policy, tree)


@variants
def test_a_level_of_which_nothing_is_open_is_the_last(variant):
    policy = LevelByLevel(variant, beams=2, width=2)
    for fate in ("failed", Status.CLOSED, Status.TERMINAL):
        tree = Tree()
        policy.ask(tree, 1, RNG)
        for node in range(1, 5):
            _ = tree.fail(node) if fate == "failed" else tree.tell(node, 0.9, status=fate)
        assert asked(policy, tree) == {}


@variants
def test_only_the_last_level_is_gone_on_from(variant):
    policy, tree = LevelByLevel(variant, beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    told(tree, [1.0, 1.0, 1.0, 1.0])
    policy.ask(tree, 1, RNG)
    told(tree, [0.1, 0.1, 0.1, 0.1])
    parents = asked(policy, tree)
    assert all(tree.depth[parent] == 2 for parent in parents)
    assert sum(parents.values()) == 4


def test_beam_search_keeps_the_best_beams():
    policy, tree = LevelByLevel("beam", beams=2, width=3), Tree()
    policy.ask(tree, 1, RNG)
    told(tree, [0.1, 0.9, None, 0.3, 0.8, 0.2])
    assert asked(policy, tree) == {2: 3, 5: 3}


def test_of_equals_beam_search_keeps_the_earlier():
    policy, tree = LevelByLevel("beam", beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    told(tree, [0.5, 0.7, 0.5, 0.5])
    assert asked(policy, tree) == {2: 2, 1: 2}


def test_a_complete_solution_keeps_its_beam():
    policy, tree = LevelByLevel("beam", beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    tree.tell(1, 0.9, status=Status.TERMINAL)
    tree.tell(2, 0.95, status=Status.CLOSED)
    told(tree, [0.8, 0.7])
    assert asked(policy, tree) == {3: 2}


def test_dvts_keeps_the_best_of_each_lane():
    policy, tree = LevelByLevel("dvts", beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    told(tree, [0.9, 0.8, 0.1, 0.2])
    assert asked(policy, tree) == {1: 2, 4: 2}
    assert tree.lane[5:9].tolist() == [0, 0, 1, 1]


def test_a_lane_whose_best_is_complete_ends_and_no_other_takes_its_place():
    policy, tree = LevelByLevel("dvts", beams=3, width=2), Tree()
    policy.ask(tree, 1, RNG)
    tree.tell(1, 0.9, status=Status.TERMINAL)
    told(tree, [0.8, None, None, 0.1, 0.2])
    assert asked(policy, tree) == {6: 2}


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_lanes_never_mix(data):
    policy, tree = LevelByLevel("dvts", beams=3, width=3), Tree()
    for _ in range(4):
        asks = policy.ask(tree, 1, RNG)
        lanes = [tree.lane.item(ask.first) for ask in asks]
        assert len({*lanes}) == len(lanes)
        for node in [node for ask in asks for node in ask.nodes]:
            _ = (
                tree.tell(node, data.draw(st.floats(0, 1)))
                if data.draw(st.booleans())
                else tree.fail(node)
            )
    for node in range(1, tree.size):
        parent = tree.parent.item(node)
        assert parent == ROOT or tree.lane[node] == tree.lane[parent]


def test_rebase_takes_one_out_for_each_complete_solution():
    policy, tree = LevelByLevel("rebase", beams=2, width=4, temperature=0.2), Tree()
    policy.ask(tree, 1, RNG)
    tree.tell(1, 0.9, status=Status.TERMINAL)
    tree.tell(2, 0.9, status=Status.CLOSED)
    told(tree, [0.5, 0.9, None, None, None, None])
    # 7 are left; e^-2 = 0.1353: ceil(7 * 1 / 1.1353) = ceil(6.166) = 7.
    assert asked(policy, tree) == {4: 7}


def test_a_particle_that_came_to_the_same_still_counts():
    policy, tree = LevelByLevel("particles", beams=2, width=2), Tree()
    policy.ask(tree, 1, RNG)
    tree.tell(1, 0.6)
    tree.tell(2, 0.6, status=Status.CLOSED, same_as=1)
    tree.tell(3, 0.6, status=Status.CLOSED, same_as=1)
    tree.tell(4, 0.6)
    assert asked(policy, tree) == {1: 3, 4: 1}


@pytest.mark.parametrize(("variant", "counts"), [("particles", {3: 1, 4: 1}), ("rebase", {3: 2})])
def test_a_complete_solution_that_is_found_again_is_complete_again(variant, counts):
    policy, tree = LevelByLevel(variant, beams=2, width=2, temperature=0.2), Tree()
    policy.ask(tree, 1, RNG)
    tree.tell(1, 0.6, status=Status.TERMINAL)
    tree.tell(2, 0.6, status=Status.CLOSED, same_as=1)
    told(tree, [0.6, 0.6] if variant == "particles" else [0.6, 0.2])
    assert asked(policy, tree) == counts


@variants
def test_a_score_is_worth_itself(variant):
    assert LevelByLevel(variant).value(0.3) == 0.3


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_best_is_asked_for_first(variant):
    policy = LevelByLevel(variant, beams=4, width=4, temperature=1.0)
    tree, rng = Tree(), np.random.default_rng(3)
    scores = (0.1, 0.5, 0.95, 0.6)
    for ask in policy.ask(tree, 1, rng):
        for node in ask.nodes:
            tree.tell(node, scores[node % 4])
    asked = [tree.score.item(ask.parent) for ask in policy.ask(tree, 1, rng)]
    assert len(asked) > 1
    assert asked == sorted(asked, reverse=True)
