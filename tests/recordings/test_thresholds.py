"""Thresholds learnt from recordings: against a brute force on made-up populations."""

import itertools
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph import cascade
from tscale_graph.recordings.climbs import NEVER, Climb, RungOutcome, climb_of
from tscale_graph.recordings.simulating import Played
from tscale_graph.recordings.thresholds import learn_thresholds

DRAWS = 20


def population(seed, *, questions=60, rungs=2, levels=4, replays=1, unrated=0.0):
    """Questions of which dearer rungs answer more, with ratings that tell something of that."""
    rng = random.Random(seed)
    made = []
    for number in range(questions):
        ease = rng.random()
        for _ in range(replays):
            climb = []
            for rung in range(rungs):
                right = rng.random() < min(1.0, ease + 0.25 * rung)
                level = round(levels * min(1.0, max(0.0, 0.6 * right + 0.5 * rng.random())))
                rating = None if rng.random() < unrated else level / levels
                climb.append(RungOutcome(rating=rating, correct=right, cost=10**rung))
            made.append(Climb(question=str(number), rungs=tuple(climb)))
    return made


def play(climbs, accept):
    """Accuracy, cost and the answers of each question, with a loop."""
    by_question = {}
    for climb in climbs:
        cost = 0
        for rung, threshold in zip(climb.rungs, [*accept, -1], strict=True):
            cost += rung.cost
            rated = -1 if rung.rating is None else rung.rating
            if rated >= threshold and (rung.rating is not None or threshold == -1):
                break
        by_question.setdefault(climb.question, []).append((rung.correct, cost))
    means = [
        [statistics.fmean(v) for v in zip(*rows, strict=True)] for rows in by_question.values()
    ]
    accuracy, cost = (statistics.fmean(v) for v in zip(*means, strict=True))
    return accuracy, cost, [right for right, _ in means], [cost for _, cost in means]


def every_way(climbs):
    """All thresholds that tell ratings apart."""
    grids = []
    for rung in range(len(climbs[0].rungs) - 1):
        ratings = sorted({c.rungs[rung].rating for c in climbs} - {None})
        middles = [(a + b) / 2 for a, b in itertools.pairwise(ratings)]
        grids.append([0.0, *middles, NEVER])
    return list(itertools.product(*grids))


def last_alone(climbs):
    return [statistics.fmean(c.rungs[-1].correct for c in climbs if c.question == q) for q in
            dict.fromkeys(c.question for c in climbs)]  # fmt: skip


populations = st.builds(
    population,
    st.integers(0, 10**6),
    questions=st.integers(8, 40),
    rungs=st.sampled_from([2, 2, 3, 4]),
    levels=st.sampled_from([2, 3, 5]),
    replays=st.sampled_from([1, 3]),
    unrated=st.sampled_from([0.0, 0.2]),
)


@settings(deadline=None, max_examples=40)
@given(populations, st.sampled_from([0.0, 0.01, 0.1]), st.sampled_from([0.0, 0.5, 1.0]))
def test_no_thresholds_that_are_allowed_cost_less(climbs, tolerance, guard):
    learnt = learn_thresholds(climbs, tolerance=tolerance, guard=guard, at_least=5, draws=DRAWS)
    last = last_alone(climbs)

    def allowed(accept):
        _, _, right, _ = play(climbs, accept)
        gains = [a - b for a, b in zip(right, last, strict=True)]
        error = statistics.pstdev(gains) / len(gains) ** 0.5
        return statistics.fmean(gains) - guard * error >= -tolerance - 1e-9

    costs = [play(climbs, accept)[1] for accept in every_way(climbs) if allowed(accept)]
    assert allowed(learnt.accept)
    assert play(climbs, learnt.accept)[1] == pytest.approx(min(costs))


@settings(deadline=None, max_examples=40)
@given(populations, st.floats(1.0, 5000.0), st.sampled_from([0.0, 1.0]))
def test_none_that_keep_to_a_cost_are_more_accurate(climbs, max_cost, guard):
    def allowed(accept):
        _, cost, _, costs = play(climbs, accept)
        return cost + guard * statistics.pstdev(costs) / len(costs) ** 0.5 <= max_cost * (1 + 1e-9)

    accuracies = [play(climbs, accept)[0] for accept in every_way(climbs) if allowed(accept)]
    limits = {"max_cost": max_cost, "guard": guard, "at_least": 5, "draws": DRAWS}
    if not accuracies:
        with pytest.raises(ValueError, match="does not pay for the first rung"):
            learn_thresholds(climbs, **limits)
        return
    best = max(accuracies)
    learnt = learn_thresholds(climbs, **limits)
    assert allowed(learnt.accept)
    assert play(climbs, learnt.accept)[0] == pytest.approx(best)


@settings(deadline=None, max_examples=40)
@given(populations)
def test_the_frontier_is_all_that_nothing_beats(climbs):
    learnt = learn_thresholds(climbs, at_least=5, draws=DRAWS)
    every = {tuple(round(v, 9) for v in play(climbs, accept)[:2]) for accept in every_way(climbs)}
    best = {
        (a, c)
        for a, c in every
        if not any((x >= a and y < c) or (x > a and y <= c) for x, y in every)
    }
    found = [(round(point.accuracy, 9), round(point.cost, 9)) for point in learnt.frontier]
    assert set(found) == best
    assert found == sorted(found, key=lambda one: one[1])
    for point in learnt.frontier:
        assert play(climbs, point.accept)[:2] == pytest.approx((point.accuracy, point.cost))


@settings(deadline=None, max_examples=20)
@given(populations)
def test_what_is_told_of_the_thresholds_is_true(climbs):
    learnt = learn_thresholds(climbs, at_least=5, draws=DRAWS)
    assert sum(learnt.answered) == pytest.approx(1)
    assert len(learnt.answered) == len(learnt.accept) + 1 == len(climbs[0].rungs)
    assert learnt.questions == len({climb.question for climb in climbs})
    assert learnt.last.accuracy == pytest.approx(statistics.fmean(last_alone(climbs)))
    assert learnt.last.cost == 10 ** (len(climbs[0].rungs) - 1)
    for estimate in (learnt.accuracy, learnt.cost, learnt.gain, learnt.cost_ratio):
        assert estimate.low <= estimate.mean <= estimate.high


def test_what_to_expect_is_what_new_questions_of_the_same_sort_give():
    within, promised, found = 0, [], []
    for seed in range(12):
        learnt = learn_thresholds(population(seed, questions=150), draws=100)
        accuracy = play(population(1000 + seed, questions=2000), learnt.accept)[0]
        within += learnt.accuracy.low <= accuracy <= learnt.accuracy.high
        promised.append(learnt.accuracy.mean)
        found.append(accuracy)
    assert within >= 10
    assert statistics.fmean(promised) == pytest.approx(statistics.fmean(found), abs=0.02)


def test_replays_of_a_question_are_not_new_questions():
    once = population(3, questions=60)
    often = [climb for climb in once for _ in range(5)]
    one, five = (learn_thresholds(climbs, draws=200) for climbs in (once, often))
    assert one.accept == five.accept
    for name in ("accuracy", "cost", "gain", "cost_ratio"):
        assert getattr(one, name).model_dump() == pytest.approx(getattr(five, name).model_dump())


def test_more_ratings_than_can_be_tried_are_tried_at_their_quantiles():
    rng = random.Random(0)
    climbs = [
        Climb(
            question=str(k),
            rungs=tuple(
                RungOutcome(rating=rng.random(), correct=rng.random() < 0.5, cost=1)
                for _ in range(4)
            ),
        )
        for k in range(100)
    ]
    learnt = learn_thresholds(climbs, draws=DRAWS)
    assert all(0 <= one <= NEVER for one in learnt.accept)


def test_what_it_returns_goes_into_a_cascade():
    learnt = learn_thresholds(population(1, rungs=3), draws=DRAWS)
    from tests.techniques.cascading.climbing import says

    graph = cascade([says("a", 1), says("b", 2), says("c", 3)], accept=learnt.accept)
    assert "climb" in graph.nodes
    assert type(learnt).model_validate_json(learnt.model_dump_json()) == learnt


def test_replays_of_the_simulator_make_a_climb():
    cheap = Played("3", True, 3, 40, 1, rating=1.0)
    dear = Played(None, False, 5, 400, 1)
    climb = climb_of("q", [cheap, dear])
    assert climb.rungs[0] == RungOutcome(rating=1.0, correct=True, cost=40)
    assert climb.rungs[1] == RungOutcome(rating=None, correct=False, cost=400)


@pytest.mark.parametrize(
    ("arguments", "says_"),
    [
        ({"climbs": population(0, questions=49)}, "at least 50 questions, got 49"),
        ({"climbs": []}, "at least 50 questions, got 0"),
        ({"climbs": population(0) + population(1, rungs=3)}, "the same rungs, got .2, 3. of them"),
        ({"max_cost": 0.5}, "max_cost=0.5 does not pay for the first rung, which costs 1"),
        ({"tolerance": -0.1}, "tolerance must be from 0 to 1, got -0.1"),
        ({"guard": -1}, "guard must be at least 0, got -1"),
        ({"draws": 3}, "draws must be at least 20, got 3"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused_in_one_line(arguments, says_):
    given_ = {"climbs": population(0), **arguments}
    with pytest.raises(ValueError, match=says_) as caught:
        learn_thresholds(given_.pop("climbs"), **given_)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"guard": float("nan")}, "guard must be a finite number, got nan"),
        ({"guard": "much"}, "guard must be a finite number, got 'much'"),
        ({"guard": -1}, "guard must be at least 0, got -1"),
        ({"tolerance": None}, "tolerance must be a finite number, got None"),
        ({"at_least": 0}, "at_least must be at least 1, got 0"),
        ({"at_least": 2.5}, r"at_least must be a whole number, got 2\.5"),
        ({"draws": True}, "draws must be a whole number, got True"),
        ({"max_cost": "300"}, "max_cost must be a finite number, got '300'"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(arguments, says):
    with pytest.raises(ValueError, match=says):
        learn_thresholds(population(0), **arguments)


def certain(cheap, dear):
    """Questions on which each rung is always right or always wrong, and sure."""
    rungs = tuple(RungOutcome(rating=1.0, correct=c, cost=k) for k, c in ((1, cheap), (9, dear)))
    return [Climb(question=str(number), rungs=rungs) for number in range(50)]


def test_what_no_draw_changes_is_expected_as_it_is():
    learnt = learn_thresholds(certain(cheap=True, dear=True), draws=DRAWS)
    for told, value in ((learnt.accuracy, 1.0), (learnt.gain, 0.0), (learnt.cost, 1.0)):
        assert (told.low, told.mean, told.high) == pytest.approx((value,) * 3)
    assert not learnt.notes


def test_expectations_stay_within_their_ranges():
    for seed in range(8):
        learnt = learn_thresholds(population(seed, questions=50), draws=DRAWS, max_cost=1e9)
        for told in (learnt.accuracy, learnt.gain):
            assert -1 <= told.low <= told.mean <= told.high <= 1
        assert learnt.accuracy.low >= 0
        assert learnt.cost.low >= 0


def test_where_every_question_is_climbed_the_last_rung_alone_is_advised():
    learnt = learn_thresholds(certain(cheap=False, dear=True), draws=DRAWS)
    assert learnt.accept == (NEVER,)
    assert learnt.notes == ("every question is climbed to the last rung: use that alone",)
