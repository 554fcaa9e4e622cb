"""The README's code runs, and its figures are those of the benchmark's format."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.model
def test_the_first_program_runs(capsys):
    marked = re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(marked.group(1), {})
    assert re.search(r"(complete|cut_off) calls=\d+", capsys.readouterr().out)


def test_the_public_names_are_those_that_are_promised():
    import tscale_graph

    for name in tscale_graph.__all__:
        assert getattr(tscale_graph, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        tscale_graph.nonsense  # noqa: B018
