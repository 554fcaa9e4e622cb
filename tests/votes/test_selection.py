import functools
import math
import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.selections import examined, passed_exams
from tests.votes.making import candidate, number
from tests.votes.simulated import (
    RIGHT,
    decided_with_mistakes,
    population,
    sampled,
    scored_with_exploits,
)
from tscale_graph.votes import BestOfMajority, Max, Pessimistic, Ranked, Weighted, choose

scored_votes = st.lists(
    st.tuples(st.sampled_from("1234"), st.integers(0, 8).map(lambda eighths: eighths / 8)),
    min_size=1,
    max_size=14,
)


def made(votes):
    return [candidate(k, answer, score) for k, (answer, score) in enumerate(votes)]


def best_by(votes, merit):
    """The answer of greatest merit; ties by summed score, votes, earliest sample."""
    scores = defaultdict(list)
    for answer, score in votes:
        scores[answer].append(score)
    return max(scores, key=lambda a: (merit(scores[a]), sum(scores[a]), len(scores[a])))


@pytest.mark.parametrize(("select", "merit"), [("majority", len), ("weighted", sum), ("max", max)])
@given(votes=scored_votes)
def test_the_answer_of_greatest_merit_wins(select, merit, votes):
    assert choose(made(votes), number, select=select).winner.answer == best_by(votes, merit)


@given(scored_votes, st.sampled_from([0.6, 0.8, 0.95]))
def test_a_distrusted_score_counts_as_its_chance_of_being_right(votes, trust):
    def merit(scores):
        return round(sum(trust * s + (1 - trust) * (1 - s) for s in scores), 9)

    tallies = choose(made(votes), number, select=Weighted(trust=trust)).tallies
    scores = defaultdict(list)
    for answer, score in votes:
        scores[answer].append(score)
    expected = {answer: merit(found) for answer, found in scores.items()}
    assert {t.answer: round(t.weight, 9) for t in tallies} == expected
    assert tallies[0].weight == max(t.weight for t in tallies)


@given(scored_votes, st.sampled_from([0, 0.3, 0.5, 1]))
def test_best_of_majority_takes_the_best_score_of_the_frequent_answers(votes, threshold):
    counts = defaultdict(int)
    for answer, _ in votes:
        counts[answer] += 1
    frequent = [v for v in votes if counts[v[0]] >= threshold * max(counts.values())]
    choice = choose(made(votes), number, select=BestOfMajority(threshold))
    assert choice.winner.answer == best_by(frequent, max)


def test_a_ranking_decides_and_what_it_leaves_out_comes_last():
    votes = [candidate(0, "1"), candidate(1, "2"), candidate(2, "1"), candidate(3, "3", 1.0, True)]
    assert choose(votes, number, select=Ranked([0.0, 2.0, 1.0])).winner.index == 1
    assert choose(votes, number, select=Ranked([-5.0, -7.0])).winner.index == 0
    tied = choose(votes, number, select=Ranked([1.0, 1.0, 1.0]))
    assert tied.winner.index == 0
    assert [t.answer for t in tied.tallies] == ["1", "2", "3"]
    assert choose(votes, number, select=Ranked([0.0, 0.0, 9.0])).winner.index == 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Weighted(trust=0.5), "trust must be above 0.5 and at most 1, got 0.5"),
        (lambda: BestOfMajority(1.5), "threshold must be between 0 and 1, got 1.5"),
        (lambda: Ranked((1.0, math.nan)), "weights must be finite, got nan"),
    ],
)
def test_a_wrong_parameter_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def accuracy(asked, rule, count, *, decides=False):
    winners = [
        choose(a.candidates(count, decides=decides), number, select=rule).winner for a in asked
    ]
    return sum(w.answer == RIGHT for w in winners) / len(asked)


def test_simulated_samples_hold_right_and_repeated_wrong_answers():
    answers = sampled(random.Random(3), 200)
    assert RIGHT in answers
    assert 1 < len(set(answers)) < 40


def test_arg_max_rises_then_falls_while_the_weighted_vote_stays_above_the_majority():
    asked = population(11, 150, 128, scored_with_exploits)
    best = {n: accuracy(asked, Max(), n) for n in (1, 8, 128)}
    assert best[8] > best[1] + 0.1
    assert best[128] < best[8] - 0.1
    for n in (8, 32, 128):
        assert accuracy(asked, Weighted(), n) >= accuracy(asked, "majority", n)
    assert accuracy(asked, Weighted(), 128) > accuracy(asked, Weighted(), 8)
    assert accuracy(asked, Pessimistic(), 128) > accuracy(asked, Pessimistic(), 8)


@functools.cache
def mistaken(shared):
    verdicts = functools.partial(decided_with_mistakes, shared=shared)
    return population(2, 300, 64, verdicts)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("rule", [Weighted(), Weighted(trust=0.8), Pessimistic()])
def test_a_verifier_wrong_one_time_in_five_costs_nothing_as_samples_grow(rule, shared):
    asked = mistaken(shared)
    few, many = (accuracy(asked, rule, n, decides=True) for n in (8, 64))
    assert many >= few


examined_once = functools.cache(examined)


@pytest.mark.parametrize("rule", [Weighted(), Weighted(trust=0.8), Pessimistic()])
@pytest.mark.slow
def test_so_it_is_on_recorded_exams(rule):
    asked = examined_once(0)
    assert passed_exams(asked, rule, 64) >= passed_exams(asked, rule, 8)


def test_where_votes_are_right_a_distrusted_verdict_does_better_than_a_trusted_one():
    asked = population(2, 200, 64, decided_with_mistakes, easiness=(4, 3))
    trusted, distrusted = (
        accuracy(asked, Weighted(trust=trust), 64, decides=True) for trust in (1, 0.8)
    )
    assert distrusted > trusted
    assert distrusted >= accuracy(asked, Weighted(trust=0.8), 8, decides=True)


@given(st.lists(st.sampled_from("1234"), min_size=1, max_size=20), st.sampled_from("1234"))
def test_an_exact_verifier_never_loses_to_a_crowd(answers, right):
    votes = [candidate(k, a, float(a == right), passed=a == right) for k, a in enumerate(answers)]
    for select in ("majority", "max", "weighted"):
        assert (choose(votes, number, select=select).winner.answer == right) == (right in answers)
