"""What a report says is what an enumeration says, and no more than the questions show."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.outcomes import outcome, several
from tscale_graph.reporting.summarising import summarise
from tscale_graph.reporting.summary import frontier

FOUR = {"one": (0.4, 100), "vote": (0.6, 400), "worse": (0.3, 900), "tuned": (0.7, 300)}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=3),
        st.tuples(st.integers(1, 9), st.integers(0, 9)),
        min_size=1,
        max_size=8,
    )
)
def test_nothing_beats_the_frontier_and_everything_else_is_beaten(points):
    found = frontier(points)
    for name, (cost, accuracy) in points.items():
        better = any(
            (c <= cost and a > accuracy) or (c < cost and a >= accuracy) for c, a in points.values()
        )
        assert not (better and name in found)
        if not better:
            assert any(points[one] == (cost, accuracy) for one in found)
    steps = [points[name] for name in found]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(steps))


def test_means_are_of_questions_whatever_their_runs():
    found = summarise(
        [
            outcome(name="a", right=True, tokens=100),
            outcome(name="a", right=False, tokens=300, run=1),
            outcome(name="a", right=True, tokens=200, run=2),
            outcome(name="b", right=False, tokens=400),
        ]
    )
    (row,) = found.settings
    assert row.accuracy.mean == pytest.approx((2 / 3 + 0) / 2)
    assert row.tokens.mean == pytest.approx((200 + 400) / 2)
    assert (row.questions, row.runs) == (2, 4)
    assert row.cost_of_pass == pytest.approx(300 / (1 / 3))


def test_the_cheapest_comes_first_and_what_a_router_served_is_highlighted():
    found = summarise(several(FOUR))
    assert [row.name for row in found.settings] == ["one", "tuned", "vote", "worse"]
    assert [row.name for row in found.highlighted] == ["tuned"]
    assert {one.setting for one in found.differences} == {"tuned"}
    named = summarise(several(FOUR), highlight=["vote", "one"])
    assert [row.name for row in named.highlighted] == ["one", "vote"]


def test_differences_are_of_the_questions_that_both_were_asked():
    left = [outcome("a", f"q{k}", right=k < 3) for k in range(4)]
    right = [outcome("b", f"q{k}", right=k > 2) for k in range(2, 8)]
    found = summarise([*left, *right], highlight=["a"])
    (one,) = found.differences
    assert one.questions == 2
    assert one.difference.mean == pytest.approx((1 - 0 + 0 - 1) / 2)
    assert any("the same questions" in note for note in found.notes)


@pytest.mark.slow
def test_no_difference_is_claimed_where_there_is_none():
    alike = {f"s{k}": (0.5, 100 + k) for k in range(8)}
    wrong = sum(
        one.shown != "no"
        for seed in range(10)
        for one in summarise(several(alike, seed=seed), highlight=["s0"]).differences
    )
    assert wrong <= 2
    (clear,) = summarise(several({"a": (0.2, 100), "b": (0.9, 200)}), highlight=["b"]).differences
    assert clear.shown == "better"


def test_where_the_compute_went_adds_up():
    found = summarise(several(FOUR))
    for setting in FOUR:
        cells = [cell for cell in found.classes if cell.setting == setting]
        assert sum(cell.token_share for cell in cells) == pytest.approx(1)
        assert sum(cell.question_share for cell in cells) == pytest.approx(1)
    assert all(cell.gain == 0 for cell in found.classes if cell.setting == "one")
    at = {(cell.setting, cell.task_class): cell for cell in found.classes}
    vote, one = at["vote", "sums"], at["one", "sums"]
    assert vote.gain == pytest.approx(vote.accuracy - one.accuracy)


def test_cut_offs_and_failures_are_counted():
    found = summarise(
        [
            outcome(name="a", status="cut_off", cut_off_by="tokens"),
            outcome(name="b", status="failed", right=False, answer=None, error="no server"),
            outcome(name="c"),
        ]
    )
    (row,) = found.settings
    assert (row.cut_off, row.failed) == ({"tokens": 1}, 1)
    assert any("count as wrong: vote 1" in note for note in found.notes)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(60):
        ran = [outcome(name=f"q{k}", right=bool(rng.random() < 0.7)) for k in range(80)]
        (row,) = summarise(ran, seed=int(rng.integers(1 << 30))).settings
        held += row.accuracy.low <= 0.7 <= row.accuracy.high
    assert held >= 52


def test_wrong_use_is_told_in_a_line():
    with pytest.raises(ValueError, match="there are no outcomes to report"):
        summarise([])
    with pytest.raises(ValueError, match="highlight must be one of vote, got 'other'"):
        summarise([outcome()], highlight=["other"])
