"""A chat model adds no more to its technique than it promises."""

import subprocess
import sys

import pytest

from tests.benchmarks import seams


@pytest.mark.parametrize(("more", "status"), [(5.1, 1), (4.9, 0)])
async def test_the_exit_status_says_whether_it_adds_too_much(more, status, monkeypatch, capsys):
    async def measured():
        return [("a", more, 20.0)]

    monkeypatch.setattr(seams, "measure", measured)
    assert await seams.main() == status
    assert f"a: +{more:.2f} ms on 20.00 ms" in capsys.readouterr().out


@pytest.mark.benchmark
def test_it_adds_at_most_5_ms():
    # A process of its own: this one has other tests' garbage.
    command = [sys.executable, "-m", "tests.benchmarks.seams"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
