import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stopping.streams import standing_of
from tscale_graph.stopping import Beta, FirstToLeadBy, Fixed, Standing, Window, probability_of_lead

answers = st.lists(st.none() | st.integers(min_value=0, max_value=2), max_size=30)


def test_fixed_never_stops_before_the_maximum():
    assert not Fixed().settled(Standing(counts=(1000,), samples=1000))
    assert Fixed().soonest(Standing(), limit=16) == 16


def test_four_votes_in_agreement_settle_the_matter_at_95_percent():
    assert not Beta().settled(Standing(counts=(3,), samples=3))
    assert Beta().settled(Standing(counts=(4,), samples=4))
    assert not Beta().settled(Standing(counts=(4, 1), samples=5))


def test_without_votes_nothing_is_settled():
    for rule in (Beta(0.6), FirstToLeadBy(1), Window(2)):
        assert not rule.settled(Standing(samples=9, votes=(None,) * 9))


@settings(deadline=None)
@given(
    st.integers(min_value=0, max_value=400),
    st.integers(min_value=0, max_value=400),
    st.sampled_from([0.55, 0.8, 0.95, 0.999]),
)
def test_beta_foresees_the_first_number_of_agreeing_votes_that_is_enough(ahead, second, confidence):
    standing = Standing(counts=(second + ahead, second), samples=2 * second + ahead)
    first = second + ahead
    enough = next(
        more for more in range(1, 500) if probability_of_lead(first + more, second) >= confidence
    )
    assert Beta(confidence).soonest(standing, limit=500) == enough
    assert Beta(confidence).soonest(standing, limit=2) == min(enough, 2)


@settings(deadline=None)
@given(answers, st.integers(min_value=2, max_value=6))
def test_a_window_is_a_whole_block_of_samples_with_one_answer(stream, size):
    blocks = [stream[start : start + size] for start in range(0, len(stream), size)]
    unanimous = [b for b in blocks if len(b) == size and len(set(b)) == 1 and b[0] is not None]
    assert Window(size).settled(standing_of(stream)) == bool(unanimous)


def test_a_window_that_straddles_two_blocks_is_none():
    assert not Window(3).settled(standing_of([1, 0, 0, 0, 1, 1]))
    assert Window(3).settled(standing_of([1, 0, 1, 0, 0, 0]))


def test_a_window_with_an_unreadable_sample_is_not_unanimous():
    assert not Window(3).settled(standing_of([0, None, 0]))
    assert not Window(3).settled(standing_of([None, None, None]))


def test_a_broken_window_has_to_end_before_another_can_be_unanimous():
    assert Window(5).soonest(standing_of([0, 0]), limit=40) == 3
    assert Window(5).soonest(standing_of([0, 1]), limit=40) == 8
    assert Window(5).soonest(standing_of([0, None]), limit=40) == 8


def test_the_first_to_lead_by_three():
    assert not FirstToLeadBy(3).settled(Standing(counts=(4, 2)))
    assert FirstToLeadBy(3).settled(Standing(counts=(5, 2, 2)))
    assert FirstToLeadBy(3).soonest(Standing(counts=(4, 4)), limit=40) == 3


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Beta(0.4), r"confidence must be between 0\.5 and 1, got 0\.4"),
        (lambda: Window(1), "size must be at least 2, got 1"),
        (lambda: FirstToLeadBy(0), "lead must be at least 1, got 0"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
