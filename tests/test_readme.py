"""The README's code runs, and its figures are those that the benchmark measured last."""

import re
from operator import attrgetter

import pytest

from tests.benchmarks.results import README, read, with_figures


@pytest.mark.model
def test_the_first_program_runs(capsys):
    marked = re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(marked.group(1), {})
    assert re.search(r"(complete|cut_off) calls=\d+", capsys.readouterr().out)


def test_the_figures_are_those_that_the_benchmark_kept():
    assert with_figures(README.read_text(), read()) == README.read_text()


def test_the_public_names_are_those_that_are_promised():
    import tscale_graph

    for name in tscale_graph.__all__:
        assert getattr(tscale_graph, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        attrgetter("nonsense")(tscale_graph)
