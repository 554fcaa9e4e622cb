import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stopping.streams import standing_of, taken_in_waves, taken_one_at_a_time
from tscale_graph.stopping import (
    AnswerPrior,
    Beta,
    Dirichlet,
    FirstPass,
    FirstToLeadBy,
    Fixed,
    Sprt,
    Standing,
    ValueOfInformation,
    Window,
    can_still_change,
    wave_size,
)

VOTING = [
    Fixed(),
    Beta(),
    Beta(0.8),
    Dirichlet(0.9),
    Window(3),
    FirstToLeadBy(3),
    ValueOfInformation(0.002),
    ValueOfInformation(0.004, AnswerPrior(1, 1, 5)),
]
ADAPTIVE = VOTING[1:]
answers = st.none() | st.integers(min_value=0, max_value=2)
streams = st.lists(answers, min_size=12, max_size=12)


@settings(deadline=None)
@given(
    st.lists(answers, max_size=40),
    st.sampled_from([*VOTING, FirstPass(), Sprt()]),
    st.none() | st.integers(min_value=0, max_value=9),
    st.integers(min_value=0, max_value=3),
)
def test_a_wave_is_never_larger_than_what_is_left_and_what_fits_side_by_side(
    taken, rule, left, speculate
):
    standing = standing_of(taken, max_samples=None if left is None else len(taken) + left)
    size = wave_size(rule, standing, max_samples=40, max_parallel=7, speculate=speculate)
    remaining = min(40 - len(taken), 40 if left is None else left)
    assert 0 <= size <= min(7, remaining)


@pytest.mark.parametrize("rule", ADAPTIVE, ids=repr)
def test_no_continuation_shorter_than_a_wave_could_have_stopped(rule):
    for taken in itertools.chain.from_iterable(
        itertools.product((0, 1, None), repeat=length) for length in range(5)
    ):
        standing = standing_of(taken, max_samples=12)
        wave = wave_size(rule, standing, max_samples=12, max_parallel=5)
        for more in range(1, min(wave, 5)):
            for further in itertools.product((0, 1, 2, 3, None), repeat=more):
                after = standing_of([*taken, *further], max_samples=12)
                assert can_still_change(after), (taken, further)
                assert not rule.settled(after), (taken, further)


@settings(deadline=None)
@given(streams, st.sampled_from(ADAPTIVE))
def test_waves_buy_no_more_than_one_at_a_time_when_all_votes_agree(stream, rule):
    agreeing = [0] * len(stream)
    assert taken_in_waves(rule, agreeing) <= taken_one_at_a_time(rule, agreeing)


@settings(deadline=None)
@given(streams, st.sampled_from(VOTING))
def test_waves_stop_no_sooner_than_one_at_a_time(stream, rule):
    assert taken_in_waves(rule, stream, max_parallel=4) >= taken_one_at_a_time(rule, stream)


@settings(deadline=None)
@given(streams, st.sampled_from(VOTING), st.integers(min_value=1, max_value=5))
def test_speculation_buys_at_most_so_many_more_in_a_wave(stream, rule, speculate):
    standing = standing_of(stream[:5], max_samples=12)
    plain = wave_size(rule, standing, max_samples=12, max_parallel=None)
    more = wave_size(rule, standing, max_samples=12, max_parallel=None, speculate=speculate)
    assert more == (min(plain + speculate, 7) if plain else 0)


@settings(deadline=None)
@given(streams, st.integers(min_value=1, max_value=11))
def test_when_the_winner_can_no_longer_change_no_continuation_changes_it(stream, taken):
    counts = [stream[:taken].count(answer) for answer in range(3)]
    standing = standing_of(stream[:taken], max_samples=taken + 3)
    finals = set()
    for further in itertools.product(range(3), repeat=3):
        after = [count + further.count(answer) for answer, count in enumerate(counts)]
        leaders = [answer for answer in range(3) if after[answer] == max(after)]
        finals.add(tuple(leaders))
    certain = len(finals) == 1 and len(next(iter(finals))) == 1
    assert can_still_change(standing) == (not certain)


def test_a_lead_that_cannot_be_caught_up_ends_the_run_whatever_the_rule():
    standing = Standing(counts=(7, 2), samples=9, lead=5)
    assert wave_size(Fixed(), standing, max_samples=13, max_parallel=None) == 0
    assert wave_size(Beta(0.99), standing, max_samples=14, max_parallel=None) == 1
    assert wave_size(Fixed(), Standing(samples=9), max_samples=13, max_parallel=None) == 4


def test_a_fixed_number_is_bought_at_once():
    assert wave_size(Fixed(), Standing(lead=0), max_samples=16, max_parallel=None) == 16


def test_a_lead_or_a_rest_that_is_not_known_may_always_change():
    assert can_still_change(Standing(lead=None, left=0))
    assert can_still_change(Standing(lead=100, left=None))


def test_the_budget_may_leave_less_than_the_maximum():
    assert wave_size(Fixed(), Standing(left=3), max_samples=40, max_parallel=None) == 3
    assert wave_size(Fixed(), Standing(left=0), max_samples=40, max_parallel=None) == 0


def test_a_bad_argument_is_refused_in_one_line():
    with pytest.raises(ValueError, match="speculate must be at least 0, got -1"):
        wave_size(Fixed(), Standing(), max_samples=4, max_parallel=None, speculate=-1)
    with pytest.raises(ValueError, match="max_parallel must be at least 1, got 0"):
        wave_size(Fixed(), Standing(), max_samples=4, max_parallel=0)
