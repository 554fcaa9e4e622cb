"""What the benchmark on the embedded model makes of its measurements."""

import random

import pytest

from tests.benchmarks.real_model import EQUATIONS, LETTERS, interval, missed
from tests.benchmarks.results import BEGIN, END, Gain, Results, read, with_figures


def gain(**changes):
    return Gain(**{
        "family": LETTERS.name, "technique": "self_consistency", "questions": 50, "samples": 16,
        "one_pass": 0.2, "with_samples": 0.4, "low": 1.5, "high": 2.5, "tokens": 500, **changes,
    })  # fmt: skip


def test_a_ratio_below_its_target_is_named_with_the_ratio():
    assert missed([gain(), gain(family=EQUATIONS.name, with_samples=0.5)]) == []
    assert missed([gain(with_samples=0.29)]) == [
        "counting letters: ratio 1.45 misses its target 1.5"
    ]
    assert missed([gain(family=EQUATIONS.name)]) == [
        "linear equations: ratio 2.00 misses its target 2.5"
    ]


def test_the_interval_holds_the_ratio_and_narrows_with_more_questions():
    rng = random.Random(1)

    def widths(count):
        shares = [rng.choice((0.0, 0.25, 0.5)) for _ in range(count)]
        rights = [float(rng.random() < 2 * share) for share in shares]
        low, high = interval(shares, rights)
        assert low < sum(rights) / sum(shares) < high
        return high - low

    assert widths(400) < widths(25)


def test_questions_without_any_right_pass_give_no_finite_ratio():
    assert gain(one_pass=0.0).ratio == float("inf")


def test_the_figures_replace_what_stands_between_their_marks_only():
    results = Results(date="2026-01-02", machine="2 cores", gains=[gain()])
    written = with_figures(f"before\n{BEGIN}old\n{END}after\n", results)
    assert written.startswith(f"before\n{BEGIN}The embedded model, at most 16 samples")
    assert written.endswith(f"| 20.0 % | 40.0 % | 2.00 (1.50–2.50) |\n{END}after\n")
    assert "old" not in written
    with pytest.raises(ValueError, match="once, got 0 places"):
        with_figures("no marks", results)


def test_what_was_kept_meets_the_targets():
    kept = read()
    assert [gain.family for gain in kept.gains] == [LETTERS.name, EQUATIONS.name]
    assert all(gain.questions >= 50 for gain in kept.gains)
    assert missed(kept.gains) == []
