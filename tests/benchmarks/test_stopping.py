"""The benchmark of stopping rules runs, and its numbers are those of the simulator."""

import io

import pytest
from rich.console import Console

from tests.benchmarks.stopping import Outcome, benchmark, interval, measure, row, rule
from tests.recordings.made_up import many
from tscale_graph.recordings.simulating import prepare


def test_a_rule_can_be_given_with_its_settings():
    assert rule("beta:confidence=0.8").confidence == 0.8
    assert rule("fixed").name == "fixed"
    with pytest.raises(ValueError, match="stop must be one of"):
        rule("magic")


def test_rules_play_the_same_orders_and_fixed_takes_all():
    decks = [prepare(question) for question in many(5)]
    fixed = measure(decks, rule("fixed"), replays=4, most=20)
    beta = measure(decks, rule("beta"), replays=4, most=20)
    assert fixed.samples == (20,) * 5
    assert all(few <= all_ for few, all_ in zip(beta.samples, fixed.samples, strict=True))
    cells = row(fixed, fixed, fixed, hopeless=[0])
    assert cells[1] == "+0.00 [+0.00, +0.00]"
    assert measure(decks, rule("beta"), replays=4, most=20) == beta


def test_an_interval_holds_the_mean_and_narrows_with_more_questions():
    few, many_ = [0.0, 1.0] * 10, [0.0, 1.0] * 100
    for values in (few, many_):
        low, high = interval(values)
        assert low < 0.5 < high
    assert interval(many_)[1] - interval(many_)[0] < interval(few)[1] - interval(few)[0]
    # 1.96 standard errors of a fair coin, 20 times.
    assert interval(few)[1] == pytest.approx(0.5 + 1.96 * 0.5 / 20**0.5, abs=0.06)


def test_a_family_without_a_recording_is_skipped_with_the_reason():
    told = Console(file=io.StringIO())
    found = benchmark(["nothing"], ["beta"], replays=1, most=4, console=told)
    assert found == {}
    assert "nothing: skipped, family must be one of letters" in told.file.getvalue()


def test_an_outcome_is_kept_for_each_question():
    outcome = measure([prepare(q) for q in many(3)], rule("beta"), replays=2, most=8)
    assert isinstance(outcome, Outcome)
    assert len(outcome.right) == len(outcome.tokens) == 3
