"""The page on sleep-time compute: its program runs."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs/sleep-time.md").read_text()


@pytest.mark.model
def test_the_program_runs(capsys):
    exec(re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", PAGE, re.DOTALL)[1], {})
    assert re.search(r"^(None|\S+) \[.*context|anticipated", capsys.readouterr().out)
