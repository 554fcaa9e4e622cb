import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.votes import (
    RunningConfidence,
    group_size,
    trace_confidence,
    warm_up_threshold,
)

tokens = st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=60)


def groups_of(confidences, size):
    return [
        math.fsum(confidences[start : start + size]) / size
        for start in range(len(confidences) - size + 1)
    ]


@given(tokens, st.integers(1, 20))
def test_a_traces_confidences_are_those_of_its_windows(confidences, window):
    groups = groups_of(confidences, min(window, math.ceil(len(confidences) / 4)))
    bottom = sorted(groups)[: math.ceil(len(groups) / 10)]
    found = trace_confidence(confidences, window=window)
    assert found.mean == pytest.approx(statistics.fmean(confidences))
    assert found.lowest_group == pytest.approx(min(groups), abs=1e-9)
    assert found.bottom_groups == pytest.approx(statistics.fmean(bottom), abs=1e-9)
    assert found.tail == pytest.approx(groups[-1], abs=1e-9)


@pytest.mark.parametrize(("length", "size"), [(1, 1), (4, 1), (5, 2), (400, 100), (20_000, 2048)])
def test_short_completions_have_groups_of_a_quarter_of_their_length(length, size):
    assert group_size(length) == size


@given(tokens, st.integers(1, 12), st.floats(min_value=0, max_value=30))
def test_a_running_trace_falls_when_its_first_whole_group_does(confidences, window, threshold):
    groups = groups_of(confidences, window) if len(confidences) >= window else []
    if any(math.isclose(group, threshold, abs_tol=1e-9) for group in groups):
        return
    below = [place + window for place, group in enumerate(groups) if group < threshold]
    running = RunningConfidence(threshold=threshold, window=window)
    fell = [running.feed(confidence) for confidence in confidences]
    first = below[0] if below else len(confidences) + 1
    assert fell == [count >= first for count in range(1, len(confidences) + 1)]
    assert (running.group is None) == (not groups)
    if groups:
        assert running.group == pytest.approx(groups[-1], abs=1e-9)


def test_rounding_errors_do_not_add_up_along_a_trace():
    running = RunningConfidence(threshold=0.0, window=10)
    for _ in range(500):
        running.feed(1e15)
    for _ in range(40):
        running.feed(0.1)
    assert running.group == pytest.approx(0.1)


@given(st.lists(st.floats(min_value=0, max_value=20), min_size=2, max_size=30), st.integers(1, 99))
def test_the_threshold_is_the_quantile_that_keeps_the_surest_share(confidences, percent):
    quantiles = statistics.quantiles(confidences, n=100, method="inclusive")
    found = warm_up_threshold(confidences, keep=percent / 100)
    assert found == pytest.approx(quantiles[99 - percent], abs=1e-9)


def test_keeping_nine_tenths_cuts_off_the_least_sure_of_sixteen():
    confidences = [float(k) for k in range(16)]
    threshold = warm_up_threshold(confidences, keep=0.9)
    assert sum(c < threshold for c in confidences) == 2
    assert warm_up_threshold([3.0], keep=0.1) == 3.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: trace_confidence([]), "at least one token, got none"),
        (lambda: trace_confidence([1.0, math.nan]), "must be finite, got nan"),
        (lambda: trace_confidence([1.0], window=0), "window must be at least 1, got 0"),
        (lambda: warm_up_threshold([], keep=0.5), "at least one sample, got none"),
        (lambda: warm_up_threshold([1.0], keep=0), "keep must be above 0 and at most 1, got 0"),
        (lambda: RunningConfidence(threshold=math.inf), "must be finite, got inf"),
        (lambda: RunningConfidence(threshold=1, window=0), "window must be at least 1, got 0"),
        (lambda: RunningConfidence(threshold=1).feed(math.nan), "must be finite, got nan"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
