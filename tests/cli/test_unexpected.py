"""What no command expects: a line for a person, the trace for whoever asks for it."""

import subprocess
import sys

import pytest

BROKEN = """
import sys
from tscale_graph.cli import main, record
def broken(path):
    raise RuntimeError("first\\nsecond")
record.read_questions = broken
sys.exit(main(["record", "q.jsonl", "--out", "o.jsonl", "--budget", "calls=1"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "traced"), [((), False), (("-X", "dev"), True)])
def test_it_is_a_line_and_in_development_mode_the_trace(flags, traced, tmp_path):
    done = subprocess.run(
        [sys.executable, *flags, "-c", BROKEN], cwd=tmp_path, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert ("Traceback" in done.stderr) is traced
    if not traced:
        assert done.stderr == "tscale: RuntimeError: first\n"
