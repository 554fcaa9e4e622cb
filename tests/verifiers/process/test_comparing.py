"""Paired comparisons and Holm's correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.process.comparing import compared, holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_no_correction_and_bonferroni(ps):
    corrected = holm(ps)
    for p, q in zip(ps, corrected, strict=True):
        assert p <= q <= min(1.0, p * len(ps)) or q == pytest.approx(max(corrected))
    order = np.argsort(ps, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def values(shift, seed=0, questions=200):
    rng = np.random.default_rng(seed)
    hard = rng.random(questions)
    other = np.clip(hard + shift + rng.normal(0, 0.05, questions), -1, 2)
    return {"one": hard[None], "other": other[None]}


def test_differences_are_paired():
    curves, told = compared(
        values(0.02), against="one", resamples=4_000, rng=np.random.default_rng(1)
    )
    assert set(told) == {"other"}
    ((difference, p, corrected),) = told["other"]
    (one,), (other,) = curves["one"], curves["other"]
    assert difference.value == pytest.approx(other.value - one.value)
    # Questions differ by far more than the two ways do on any of them.
    assert other.low < one.high
    assert 0 < difference.low < 0.02 < difference.high
    assert p == corrected < 0.01


def test_without_a_difference_small_p_values_are_as_rare_as_they_say():
    rng = np.random.default_rng(2)
    ps = []
    for seed in range(300):
        _, told = compared(values(0.0, seed, 60), against="one", resamples=400, rng=rng)
        ps.append(told["other"][0].p)
    assert np.mean(np.array(ps) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_no_difference_at_all_is_no_evidence():
    same = {"one": np.ones((2, 5)), "other": np.ones((2, 5))}
    _, told = compared(same, against="one", resamples=50, rng=np.random.default_rng(0))
    assert [one.p_holm for one in told["other"]] == [1, 1]


def test_rows_that_cannot_differ_do_not_weaken_the_others():
    one, other = (values(0.02)[way] for way in ("one", "other"))
    rng = np.random.default_rng
    _, alone = compared({"one": one, "other": other}, against="one", resamples=400, rng=rng(1))
    rows = {"one": np.vstack([one, one]), "other": np.vstack([one + 1e-16, other])}
    _, beside = compared(rows, against="one", resamples=400, rng=rng(1))
    same, differs = beside["other"]
    assert (same.p, same.p_holm) == (1, 1)
    assert (differs.p, differs.p_holm) == (alone["other"][0].p, alone["other"][0].p_holm)
    assert differs.p_holm == differs.p < 0.05
