import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.stopping import FirstPass, Sprt, Standing

outcomes = st.integers(min_value=0, max_value=30)


def test_the_first_pass_ends_it_and_any_sample_may_be_the_one():
    assert FirstPass().settled(Standing(samples=3, passed=1))
    assert not FirstPass().settled(Standing(samples=3, failed=3))
    assert FirstPass().soonest(Standing(samples=8, failed=8), limit=16) == 1


def test_the_boundaries_are_walds():
    rule = Sprt(solvable=0.3, hopeless=0.05, alpha=0.05, beta=0.05)
    # A pass is worth log(0.3 / 0.05) = 1.792, a failure log(0.7 / 0.95) = -0.305, and the
    # boundaries lie at ±log 19 = ±2.944: two passes, or ten failures in a row.
    assert math.isclose(rule.accept_at, math.log(19))
    assert math.isclose(rule.give_up_at, -math.log(19))
    assert not rule.settled(Standing(passed=1, failed=0))
    assert rule.settled(Standing(passed=2, failed=2))
    assert not rule.settled(Standing(passed=2, failed=3))
    assert not rule.settled(Standing(failed=9))
    assert rule.settled(Standing(failed=10))
    assert rule.soonest(Standing(), limit=40) == 2
    assert rule.soonest(Standing(failed=9), limit=40) == 1


@settings(deadline=None)
@given(outcomes, outcomes, st.sampled_from([Sprt(), Sprt(0.6, 0.2, 0.1, 0.01)]))
def test_no_mix_of_outcomes_ends_it_sooner_than_foreseen(passed, failed, rule):
    standing = Standing(passed=passed, failed=failed)
    if rule.settled(standing):
        return
    soonest = rule.soonest(standing, limit=200)

    def can_stop_after(more):
        return any(
            rule.settled(Standing(passed=passed + passes, failed=failed + more - passes))
            for passes in range(more + 1)
        )

    assert can_stop_after(soonest)
    assert not any(can_stop_after(more) for more in range(1, soonest))


@pytest.mark.parametrize(("pass_rate", "wrong_end"), [(0.3, "hopeless"), (0.05, "solvable")])
def test_the_error_rates_stay_near_what_was_asked_for(pass_rate, wrong_end):
    rule, errors, runs = Sprt(), 0, 4000
    rng = random.Random(f"sprt/{pass_rate}")
    for _ in range(runs):
        passed = failed = 0
        while not rule.settled(Standing(passed=passed, failed=failed)):
            if rng.random() < pass_rate:
                passed += 1
            else:
                failed += 1
        solvable = rule.log_likelihood_ratio(Standing(passed=passed, failed=failed)) > 0
        errors += solvable == (wrong_end == "solvable")
    # Wald's inequality: at most alpha / (1 - beta) = 0.0526, and here 3 standard errors.
    assert errors / runs <= 0.05 / 0.95 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_a_bad_setting_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"0 < hopeless < solvable < 1, got 0\.3 and 0\.2"):
        Sprt(solvable=0.2, hopeless=0.3)
    with pytest.raises(ValueError, match="alpha and beta must be positive with a sum below 1"):
        Sprt(alpha=0)
