"""The library adds no more to a model's time than it promises."""

import subprocess
import sys

import pytest

from tests.benchmarks import speed
from tests.benchmarks.speed import Measured, measured


def test_a_ratio_is_missed_only_above_its_target():
    assert Measured("a", 1.31, 1.3).missed
    assert not Measured("a", 1.3, 1.3).missed
    assert not Measured("a", 99.0, None).missed


@pytest.mark.parametrize(
    ("ratios", "counts", "taken"), [([1.2], 1.2, 1), ([1.5, 1.1], 1.1, 2), ([1.5, 1.6], 1.5, 2)]
)
async def test_what_misses_is_measured_once_more_and_the_better_counts(
    ratios, counts, taken, monkeypatch
):
    left = list(ratios)

    async def scripted(ours, theirs):
        return left.pop(0)

    monkeypatch.setattr(speed, "ratio", scripted)
    assert (await measured("a", None, None, 1.3)).ratio == counts
    assert len(ratios) - len(left) == taken


@pytest.mark.parametrize(("target", "status"), [(1.0, 1), (2.0, 0)])
async def test_the_exit_status_says_whether_a_target_was_missed(
    target, status, monkeypatch, capsys
):
    async def one():
        yield Measured("a", 1.5, target)

    monkeypatch.setattr(speed, "measure", one)
    assert await speed.main() == status
    assert ("MISSED" in capsys.readouterr().out) == bool(status)


@pytest.mark.benchmark
def test_every_target_is_met():
    # A process of its own: this one has other tests' clients and garbage.
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.speed"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
