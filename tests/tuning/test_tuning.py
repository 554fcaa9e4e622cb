"""Tuning spends where it shows, keeps to its limit, and claims nothing that does not show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.budget import Usage
from tscale_graph.recordings.outcomes import Outcome
from tscale_graph.tuning.measured import Measured, from_outcomes
from tscale_graph.tuning.promises import holm
from tscale_graph.tuning.settings import Setting
from tscale_graph.tuning.tuning import tune

SETTINGS = tuple(Setting.vote(n) for n in (1, 4, 16))


def world(rates, *, questions=100, seed=0):
    """Classes whose questions are right at these rates with 1, 4 and 16 samples."""
    rng = np.random.default_rng(seed)
    rows, names = [], []
    for name, each in rates.items():
        ease = rng.uniform(size=questions)
        rows += [[float(e < rate) for rate in each] for e in ease]
        names += [name] * questions
    accuracy = np.array(rows)
    calls = np.tile([1.0, 4.0, 16.0], (len(rows), 1))
    return Measured(
        ids=tuple(f"q{k}" for k in range(len(rows))),
        classes=tuple(names),
        settings=SETTINGS,
        accuracy=accuracy,
        tokens=100 * calls,
        calls=calls,
        usd=np.full(calls.shape, np.nan),
    )


TWO = {"helps": (0.4, 0.7, 0.9), "flat": (0.5, 0.5, 0.5)}


def names(tuned):
    return {choice.name: choice.setting.name for choice in tuned.classes}


def test_samples_go_where_they_help_and_the_simpler_stands_where_they_do_not():
    tuned = tune(world(TWO), mean_calls=8.5)
    assert names(tuned) == {"helps": "vote 16", "flat": "one pass"}
    assert tuned.expected.cost.mean == pytest.approx(8.5)
    assert tuned.expected.accuracy.low < tuned.expected.accuracy.mean < 0.7
    assert tuned.expected.accuracy.next_high > 0.7
    policy = tuned.policy(default_class="flat")
    assert policy.classes["helps"].arguments == {"max_samples": 16, "stop": "fixed"}


def test_a_difference_that_the_data_does_not_show_is_not_claimed():
    simple = claimed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        measured = world({"a": (0.5, 0.5, 0.5), "b": (0.5, 0.5, 0.5)})
        noisy = rng.integers(0, 2, measured.accuracy.shape).astype(float)
        same = Measured(
            ids=measured.ids, classes=measured.classes, settings=SETTINGS, accuracy=noisy,
            tokens=measured.tokens, calls=measured.calls, usd=measured.usd,
        )  # fmt: skip
        tuned = tune(same, mean_calls=16, caution=2, folds=2)
        simple += set(names(tuned).values()) == {"one pass"}
        claimed += any(one.shown != "no" for one in tuned.comparisons)
    assert simple >= 17
    assert claimed <= 2


def test_what_was_passed_over_is_told_with_its_standard_error():
    tuned = tune(world({"a": (0.5, 0.505, 0.51), "b": (0.5, 0.505, 0.51)}), mean_calls=16)
    assert set(names(tuned).values()) == {"one pass"}
    assert any("no difference is shown from 'vote 16'" in note for note in tuned.notes)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(1, 16))
def test_the_limit_holds_on_what_was_measured_and_more_money_buys_no_less(seed, limit):
    measured = world({"a": (0.3, 0.5, 0.6), "b": (0.6, 0.7, 0.9)}, questions=40, seed=seed)
    tuned = tune(measured, mean_calls=limit, folds=2)
    calls = {"one pass": 1, "vote 4": 4, "vote 16": 16}
    spent = [calls[choice.setting.name] for choice in tuned.classes]
    assert np.mean(spent) <= limit + 1e-9
    costs = [point.limit for point in tuned.frontier]
    assert costs == sorted(costs)


def test_one_class_may_stand_between_two_settings():
    tuned = tune(world(TWO), mean_calls=5, mixed=True)
    mixed = [choice for choice in tuned.classes if choice.chance]
    assert len(mixed) == 1
    calls = {"one pass": 1, "vote 4": 4, "vote 16": 16}
    mean = np.mean(
        [
            calls[c.setting.name] * (1 - c.chance)
            + (calls[c.other.name] * c.chance if c.other else 0)
            for c in tuned.classes
        ]
    )
    assert mean == pytest.approx(5)


def test_an_accuracy_is_reached_at_the_least_cost():
    tuned = tune(world(TWO), accuracy=0.6, cost="calls")
    assert names(tuned)["flat"] == "one pass"
    assert tuned.expected.accuracy.mean >= 0.58
    assert tuned.limit is None


def test_small_classes_share_one_setting_and_it_says_so():
    small = world({"a": (0.3, 0.6, 0.9), "b": (0.3, 0.6, 0.9)}, questions=10)
    tuned = tune(small, mean_calls=16)
    assert names(tuned) == {"a": "vote 16", "b": "vote 16"}
    assert tuned.classes[0].pooled_with == ("b",)
    assert any("share one setting" in note for note in tuned.notes)


def test_shares_of_the_traffic_decide_what_is_affordable():
    often = tune(world(TWO), mean_calls=4, shares={"helps": 9, "flat": 1})
    seldom = tune(world(TWO), mean_calls=4, shares={"helps": 1, "flat": 9})
    assert names(often)["helps"] == "vote 4"
    assert names(seldom)["helps"] == "vote 16"


def test_runs_stand_beside_replays():
    measured = world({"a": (0.3, 0.4, 0.5)})
    ran = from_outcomes(
        [
            Outcome(
                id=name, task_class="a", setting="refine", correct=True,
                usage=Usage(calls=2, input_tokens=150, output_tokens=50),
            )
            for name in measured.ids
        ],
        [Setting(name="refine", technique="refine")],
    )  # fmt: skip
    both = measured.beside(ran)
    assert both.accuracy.shape == (100, 4)
    tuned = tune(both, mean_tokens=400)
    assert names(tuned) == {"a": "refine"}
    # A question that was not run leaves the setting out for its class.
    missing = measured.beside(ran.only(range(50)))
    assert names(tune(missing, mean_tokens=400)) == {"a": "vote 4"}


def test_the_same_seed_finds_the_same():
    measured = world(TWO)
    assert tune(measured, mean_calls=5, seed=3) == tune(measured, mean_calls=5, seed=3)


def test_what_is_promised_holds_on_new_questions():
    rates = {"a": (0.3, 0.5, 0.6), "b": (0.5, 0.7, 0.8)}
    kept = 0
    for seed in range(30):
        tuned = tune(world(rates, seed=seed), mean_calls=8, folds=3)
        new = world(rates, seed=1000 + seed)
        columns = {setting.name: k for k, setting in enumerate(new.settings)}
        chosen = [columns[names(tuned)[name]] for name in new.classes]
        mean = new.accuracy[np.arange(len(chosen)), chosen].mean()
        kept += tuned.expected.accuracy.holds(mean)
    assert kept >= 26


def test_holm_is_never_less_strict_than_the_p_values():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({}, "give one of mean_tokens, mean_calls, mean_usd and accuracy, got 0"),
        ({"mean_calls": 2, "accuracy": 0.5}, "and accuracy, got 2"),
        ({"mean_calls": 0.5}, "mean_calls must be at least 1, what the cheapest settings"),
        ({"mean_calls": -1}, "mean_calls must be above 0, got -1"),
        ({"mean_usd": 1}, "must have a setting that all its questions were measured"),
        ({"accuracy": 1.5}, "accuracy must be above 0 and at most 1, got 1.5"),
        ({"accuracy": 0.5, "cost": "euros"}, "cost must be one of tokens, calls, usd"),
        ({"mean_calls": 2, "shares": {"helps": 1}}, "shares must be of helps, flat, got helps"),
        ({"mean_calls": 2, "shares": {"helps": 0, "flat": 1}}, "share of helps must be positive"),
        ({"mean_calls": 2, "caution": -1}, "caution must be at least 0, got -1"),
        ({"mean_calls": 2, "folds": 1}, "folds must be from 2 to 200 questions, got 1"),
        ({"mean_calls": 2, "min_questions": 0}, "min_questions must be at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(how, says):
    with pytest.raises(ValueError, match=says) as error:
        tune(world(TWO), **how)
    assert "\n" not in str(error.value)
