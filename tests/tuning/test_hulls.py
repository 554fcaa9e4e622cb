"""Climbing the hulls is the linear program; without mixtures it keeps to the limit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tscale_graph.tuning.hulls import Options, concave_hull, reach, spend

numbers = st.floats(0, 1)
options = st.builds(
    lambda share, points: Options(share, tuple(c for c, _ in points), tuple(g for _, g in points)),
    st.floats(0.1, 3),
    st.lists(st.tuples(st.floats(0.01, 1), numbers), min_size=1, max_size=7),
)
worlds = st.lists(options, min_size=1, max_size=5)


def cheapest(classes):
    total = sum(one.share for one in classes)
    return sum(one.share * min(one.costs) for one in classes) / total


def dearest(classes):
    total = sum(one.share for one in classes)
    return sum(one.share * max(one.costs) for one in classes) / total


def optimum(classes, limit):
    """The linear program as it is written down."""
    total = sum(one.share for one in classes)
    gains = np.concatenate([np.array(one.gains) * one.share / total for one in classes])
    costs = np.concatenate([np.array(one.costs) * one.share / total for one in classes])
    sums = np.zeros((len(classes), len(gains)))
    start = 0
    for row, one in enumerate(classes):
        sums[row, start : start + len(one.costs)] = 1
        start += len(one.costs)
    solved = linprog(-gains, A_ub=[costs], b_ub=[limit], A_eq=sums, b_eq=np.ones(len(classes)))
    return -solved.fun


@settings(deadline=None, max_examples=150)
@given(worlds, numbers)
def test_mixed_spending_is_the_optimum_of_the_linear_program(classes, at):
    low, high = cheapest(classes), dearest(classes)
    limit = low + at * (high - low) + 1e-6
    found = spend(classes, limit=limit, mixed=True)
    assert found.gain == pytest.approx(optimum(classes, limit), abs=1e-5)
    assert found.cost <= limit + 1e-6


@settings(deadline=None)
@given(worlds, numbers)
def test_without_mixtures_it_keeps_to_the_limit_and_never_beats_the_optimum(classes, at):
    low, high = cheapest(classes), dearest(classes)
    limit = low + at * (high - low) + 1e-6
    whole, mixed = spend(classes, limit=limit), spend(classes, limit=limit, mixed=True)
    assert whole.cost <= limit + 1e-6
    assert whole.mixed is None
    assert whole.gain <= mixed.gain + 1e-9


@settings(deadline=None)
@given(worlds, numbers, numbers)
def test_more_money_never_costs_gain_and_a_lower_price_never_costs_less(classes, one, two):
    low, high = cheapest(classes), dearest(classes)
    limits = sorted(low + at * (high - low) + 1e-6 for at in (one, two))
    poor, rich = (spend(classes, limit=limit, mixed=True) for limit in limits)
    assert poor.gain <= rich.gain + 1e-9
    assert poor.cost <= rich.cost + 1e-9
    assert poor.price >= rich.price - 1e-9


@settings(deadline=None)
@given(worlds, numbers)
def test_to_reach_a_gain_costs_what_spending_that_much_gains(classes, at):
    low = spend(classes, limit=cheapest(classes) + 1e-9, mixed=True).gain
    high = spend(classes, limit=dearest(classes), mixed=True).gain
    wanted = low + at * (high - low)
    found = reach(classes, gain=wanted, mixed=True)
    assert found.gain >= wanted - 1e-6
    assert spend(classes, limit=found.cost + 1e-9, mixed=True).gain == pytest.approx(
        found.gain, abs=1e-5
    )
    assert reach(classes, gain=wanted).gain >= wanted - 1e-6


def test_whole_classes_by_hand():
    classes = [Options(1, (1, 3), (0.0, 0.4)), Options(1, (1, 2), (0.0, 0.1))]
    found = spend(classes, limit=1.6)
    # The steeper step, of the first class, does not fit; what is left pays for the other.
    assert (found.chosen, found.cost, found.gain) == ((0, 1), 1.5, 0.05)
    every = [
        sum(0.5 * one.gains[k] for one, k in zip(classes, chosen, strict=True))
        for chosen in itertools.product(range(2), range(2))
        if sum(0.5 * one.costs[k] for one, k in zip(classes, chosen, strict=True)) <= 1.6
    ]
    assert found.gain == max(every)


def test_equal_options_are_one_and_the_first_counts():
    assert concave_hull([1, 1, 2], [0.5, 0.5, 0.5]) == [0]


def test_bad_input_is_refused_in_one_line():
    with pytest.raises(ValueError, match="the limit must be at least 1, the cheapest, got"):
        spend([Options(1, (1.0,), (0.5,))], limit=0.5)
    with pytest.raises(ValueError, match="share must be positive, got 0"):
        Options(0, (1.0,), (1.0,))
    with pytest.raises(ValueError, match="as many, at least one, got 1 and 0"):
        Options(1, (1.0,), ())
    with pytest.raises(ValueError, match="at least one class"):
        spend([], limit=1)
