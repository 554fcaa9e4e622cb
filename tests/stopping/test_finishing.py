"""The first few that finish are enough: all start at once, and only answers count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stopping.streams import standing_of
from tscale_graph.stopping import FirstToFinish, stopping_rule, wave_size

answers = st.lists(st.none() | st.integers(0, 3), max_size=12)


@given(answers, st.integers(1, 6))
def test_it_is_settled_exactly_when_so_many_have_an_answer(taken, finishers):
    answered = sum(answer is not None for answer in taken)
    assert FirstToFinish(finishers).settled(standing_of(taken)) == (answered >= finishers)


@given(answers, st.integers(1, 6), st.none() | st.integers(1, 20))
def test_all_that_are_left_start_at_once(taken, finishers, max_parallel):
    wave = wave_size(
        FirstToFinish(finishers),
        standing_of(taken, max_samples=12, with_lead=False),
        max_samples=12,
        max_parallel=max_parallel,
    )
    settled = sum(answer is not None for answer in taken) >= finishers
    assert wave == (0 if settled else min(12 - len(taken), max_parallel or 12))


def test_a_bad_number_is_refused_in_one_line():
    with pytest.raises(ValueError, match="finishers must be at least 1, got 0"):
        FirstToFinish(0)
    with pytest.raises(ValueError, match="stop='first_to_finish:0': finishers must be at least 1"):
        stopping_rule("first_to_finish:0")
    with pytest.raises(ValueError, match="first_to_lead_by, first_to_finish, value_of_information"):
        stopping_rule("short_m_at_k")
