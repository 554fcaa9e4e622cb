"""What tuning buys on recorded samples, held on a few splits; the benchmarks have all of them."""

import numpy as np
import pytest

from tests.benchmarks.batching import batches, differences
from tests.benchmarks.mixture import Beside, batch_differences
from tests.benchmarks.stopping import recording
from tests.benchmarks.tuning import Halves, carried_out, exams, halves
from tscale_graph.tuning.settings import Setting, default_settings, needs_prior
from tscale_graph.tuning.tuning import tune

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def some_exams():
    if not exams():
        pytest.skip(str(recording("exams")))
    return exams()


def test_the_accuracy_of_40_samples_less_half_a_point_or_so_with_seven(some_exams):
    votes = [setting for setting in default_settings(waves=(1,)) if not needs_prior(setting)]
    valued = [Setting.vote(40, stop=f"value_of_information:{price}", wave=1) for price in ("1e-6",)]
    table = Halves(some_exams, [*votes, *valued], replays=4)
    less, calls, kept = [], [], []
    for tuning, testing in halves(some_exams, splits=2):
        measured = table.on(tuning)
        tuned = tune(measured, mean_calls=7)
        held = table.on(testing, measured.priors)
        right, spent, _ = carried_out(tuned, held)
        names = [setting.name for setting in held.settings]
        less.append(right.mean() - held.accuracy[:, names.index("vote 40")].mean())
        calls.append(spent.mean())
        kept.append(tuned.expected.accuracy.holds(float(right.mean())))
    assert np.mean(less) >= -0.012
    assert np.mean(calls) <= 7.2
    assert all(kept)


def test_a_shared_budget_answers_more_questions_than_as_many_samples_for_each(some_exams):
    gain = batch_differences(samples=4, replays=1, mixed=False)
    mean, low, _ = Beside(gain, 1.0).interval()
    assert mean > 0.01
    assert low > 0


def test_real_batches_beat_both_ways_of_sampling_all_alike(some_exams):
    gains = differences(batches(mixed=True), samples=2, seeds=1)
    for name in ("one at a time", "all at once"):
        mean, low, _ = Beside(gains[name], 1.0).interval()
        assert mean > 0.02, name
        assert low > 0, name
