import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.votes import bradley_terry, tiers

COUNT = 4
comparisons = st.dictionaries(
    st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)).filter(lambda p: p[0] != p[1]),
    st.integers(0, 20).map(lambda halves: halves / 2),
    max_size=12,
)
precisions = st.sampled_from([0.01, 0.1, 1.0])


def log_posterior(wins, strengths, l2):
    chances = (
        won * math.log(1 / (1 + math.exp(strengths[j] - strengths[i])))
        for (i, j), won in wins.items()
    )
    return sum(chances) - l2 / 2 * sum(s * s for s in strengths)


def by_pattern_search(wins, l2):
    """The most probable strengths, by trying steps in each coordinate and halving them."""
    best, step = [0.0] * COUNT, 4.0
    while step > 1e-7:
        moved = [
            [s + d * (k == place) for k, s in enumerate(best)]
            for place in range(COUNT)
            for d in (step, -step)
        ]
        better = max(moved, key=lambda m: log_posterior(wins, m, l2))
        if log_posterior(wins, better, l2) > log_posterior(wins, best, l2):
            best = better
        else:
            step /= 2
    return best


@settings(max_examples=25, deadline=None)
@given(comparisons, st.sampled_from([0.1, 1.0]))
def test_the_strengths_are_those_that_a_search_finds(wins, l2):
    assert bradley_terry(wins, count=COUNT, l2=l2) == pytest.approx(
        by_pattern_search(wins, l2), abs=1e-3
    )


@given(comparisons, precisions)
def test_at_the_strengths_wins_are_as_expected_but_for_the_prior(wins, l2):
    strengths = bradley_terry(wins, count=COUNT, l2=l2)
    assert math.fsum(strengths) == pytest.approx(0, abs=1e-6)
    for k in range(COUNT):
        surplus = 0.0
        for (i, j), won in wins.items():
            loses = 1 / (1 + math.exp(strengths[i] - strengths[j]))
            surplus += won * loses * ((k == i) - (k == j))
        assert surplus == pytest.approx(l2 * strengths[k], abs=1e-6)


@given(comparisons)
def test_turning_every_result_round_turns_the_strengths_round(wins):
    turned = {(j, i): won for (i, j), won in wins.items()}
    strengths = bradley_terry(wins, count=COUNT)
    assert bradley_terry(turned, count=COUNT) == pytest.approx([-s for s in strengths], abs=1e-6)


def test_two_candidates_have_the_strengths_of_the_textbook():
    first, second = bradley_terry({(0, 1): 3.0, (1, 0): 1.0}, count=2, l2=1e-9)
    assert first - second == pytest.approx(math.log(3), abs=1e-6)


def test_noisy_comparisons_of_all_pairs_give_back_the_order():
    rng, true = random.Random(1), [2.0, 1.0, 0.0, -1.0, -2.0]
    wins = {}
    for i in range(5):
        for j in range(i):
            won = sum(rng.random() < 1 / (1 + math.exp(true[j] - true[i])) for _ in range(60))
            wins[i, j], wins[j, i] = won, 60 - won
    assert tiers(bradley_terry(wins, count=5)) == ((0,), (1,), (2,), (3,), (4,))


def test_equal_records_share_a_tier():
    circle = {(0, 1): 1.0, (1, 2): 1.0, (2, 0): 1.0, (0, 3): 1.0, (1, 3): 1.0, (2, 3): 1.0}
    assert tiers(bradley_terry(circle, count=4)) == ((0, 1, 2), (3,))
    assert tiers(bradley_terry({}, count=3)) == ((0, 1, 2),)
    assert tiers([]) == ()


@pytest.mark.parametrize(
    ("wins", "l2", "message"),
    [
        ({}, 0, "l2 must be above 0, got 0"),
        ({(0, 0): 1}, 1, r"wins must be between two of 2, got \(0, 0\)"),
        ({(0, 2): 1}, 1, r"wins must be between two of 2, got \(0, 2\)"),
        ({(0, 1): -1}, 1, "wins must be at least 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(wins, l2, message):
    with pytest.raises(ValueError, match=message):
        bradley_terry(wins, count=2, l2=l2)
