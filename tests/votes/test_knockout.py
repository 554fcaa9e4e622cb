import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.votes.making import candidate, number
from tscale_graph.votes import Bracket, Match, Ranked, choose

entrants = st.lists(st.integers(0, 99), min_size=1, max_size=33, unique=True)


def play(bracket, first_wins):
    rounds, matches = 0, []
    while pending := bracket.pending():
        rounds, matches = rounds + 1, matches + list(pending)
        bracket = bracket.told({match: first_wins(match) for match in pending})
    return bracket, rounds, matches


@given(entrants, st.one_of(st.none(), st.integers()), st.integers(1, 5))
def test_with_a_perfect_judge_the_best_wins_in_n_minus_1_matches(ids, seed, comparisons):
    bracket = Bracket.of(ids, comparisons=comparisons, seed=seed)
    over, rounds, matches = play(bracket, lambda m: comparisons * (m.first > m.second))
    assert over.winner == max(ids)
    assert len(matches) == len(set(matches)) == len(ids) - 1
    assert rounds == math.ceil(math.log2(len(ids)))
    assert set(over.rounds_won) == set(ids)
    assert max(over.rounds_won, key=over.rounds_won.get) == max(ids)


@given(entrants, st.integers())
def test_results_may_come_one_by_one_in_any_order_and_twice(ids, seed):
    rng = random.Random(seed)
    whole, single = Bracket.of(ids), Bracket.of(ids)
    while pending := whole.pending():
        results = {match: rng.choice([0.0, 0.5, 1.0]) for match in pending}
        whole = whole.told(results)
        for match in rng.sample(pending, len(pending)):
            single = single.told({match: results[match]})
            single = single.told({match: 1 - results[match]})
    assert single.winner == whole.winner
    assert single.rounds_won == whole.rounds_won


def test_a_tie_goes_to_the_higher_prior_and_then_to_the_earlier():
    tie = {Match(4, 7): 1.5}
    assert Bracket.of([4, 7], comparisons=3).told(tie).winner == 4
    assert Bracket.of([4, 7], comparisons=3, priors={7: 0.2}).told(tie).winner == 7


def test_most_of_several_comparisons_decide():
    assert Bracket.of([1, 2], comparisons=3).told({Match(1, 2): 1.0}).winner == 2
    assert Bracket.of([1, 2], comparisons=3).told({Match(1, 2): 2.0}).winner == 1


def test_a_seed_shuffles_and_repeats():
    orders = {Bracket.of(range(8), seed=seed).standing for seed in range(20)}
    assert len(orders) > 10
    assert Bracket.of(range(8), seed=3) == Bracket.of(range(8), seed=3)
    assert Bracket.of(range(8)).standing == tuple(range(8))


def test_the_winner_of_a_tournament_wins_the_choice():
    votes = [candidate(k, str(k)) for k in range(5)]
    over, _, _ = play(Bracket.of(range(5)), lambda match: 3 in (match.first,))
    ranking = Ranked([over.rounds_won[k] for k in range(5)])
    assert choose(votes, number, select=ranking).winner.index == over.winner


def test_a_better_than_chance_judge_asked_more_often_finds_the_best_more_often():
    def share(comparisons):
        rng, found = random.Random(5), 0
        for _ in range(300):
            bracket = Bracket.of(range(8), comparisons=comparisons, seed=rng.randrange(99))
            over, _, _ = play(
                bracket,
                lambda m: sum(
                    rng.random() < (0.65 if m.first > m.second else 0.35)
                    for _ in range(comparisons)
                ),
            )
            found += over.winner == 7
        return found / 300

    assert share(9) > share(1) + 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Bracket.of([]), "entrants must be at least one, got none"),
        (lambda: Bracket.of([1, 1]), r"entrants must be different, got \[1, 1\]"),
        (lambda: Bracket.of([1, 2], comparisons=0), "comparisons must be at least 1, got 0"),
        (lambda: Bracket.of([1, 2]).told({Match(1, 2): 2.0}), "between 0 and 1, got 2.0"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
