import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.votes.making import candidate, number
from tscale_graph.votes import Pessimistic, choose, pessimistic_weights

rewards = st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=20)
betas = st.floats(min_value=0.01, max_value=20)


def by_bisection(values, beta):
    """The same weights, with the level searched for."""
    low, high = min(values) - beta - 1, max(values)
    for _ in range(200):
        level = (low + high) / 2
        mean = sum(max(0, r - level) / beta for r in values) / len(values)
        low, high = (level, high) if mean > 1 else (low, level)
    return [max(0, r - high) / beta for r in values]


@given(rewards, betas)
def test_the_weights_are_those_that_bisection_finds(values, beta):
    weights = pessimistic_weights(values, beta=beta)
    assert math.isclose(math.fsum(weights), len(values), rel_tol=1e-6)
    assert weights == pytest.approx(by_bisection(values, beta), abs=1e-6)


@given(rewards)
def test_little_beta_leaves_the_best_alone_and_much_beta_leaves_all_equal(values):
    distinct = [r for r in values if r == max(values) or r < max(values) - 0.01]
    sharp = pessimistic_weights(distinct, beta=1e-4)
    assert {r for r, w in zip(distinct, sharp, strict=True) if w} == {max(distinct)}
    assert pessimistic_weights(values, beta=1e6) == pytest.approx([1.0] * len(values), abs=1e-5)


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=15))
def test_without_scores_it_is_the_majority(answers):
    votes = [candidate(k, answer) for k, answer in enumerate(answers)]
    assert (
        choose(votes, number, select="pessimistic").winner
        == choose(votes, number, select="majority").winner
    )


@given(st.lists(st.tuples(st.sampled_from("123"), st.floats(0, 1)), min_size=1, max_size=15), betas)
def test_an_answer_weighs_what_its_samples_do_together(votes, beta):
    summed = Counter()
    for (answer, _), weight in zip(votes, by_bisection([s for _, s in votes], beta), strict=True):
        summed[answer] += weight
    made = [candidate(k, answer, score) for k, (answer, score) in enumerate(votes)]
    choice = choose(made, number, select=Pessimistic(beta=beta))
    assert {t.answer: t.weight for t in choice.tallies} == pytest.approx(dict(summed), abs=1e-6)
    assert choice.tallies[0].weight == max(t.weight for t in choice.tallies)


def test_a_lone_high_score_does_not_beat_a_crowd_of_fair_ones():
    votes = [*(candidate(k, "1", 0.6) for k in range(9)), candidate(9, "2", 1.0)]
    assert choose(votes, number, select="max").winner.answer == "2"
    assert choose(votes, number, select="pessimistic").winner.answer == "1"


@pytest.mark.parametrize("beta", [0, -1, math.nan, math.inf])
def test_beta_must_be_above_0(beta):
    with pytest.raises(ValueError, match=f"beta must be above 0, got {beta}"):
        Pessimistic(beta=beta)
