"""The README's code runs, and its figures are those that the benchmark measured last."""

import re
from operator import attrgetter

import pytest

from tests.benchmarks.picture import BEGIN, END
from tests.benchmarks.results import README, read, with_figures
from tests.scripted import Scripted


@pytest.mark.model
def test_the_first_program_runs(capsys):
    marked = re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(marked.group(1), {})
    assert re.search(r"(complete|cut_off) calls=\d+", capsys.readouterr().out)


def test_the_chat_model_answers(monkeypatch, capsys):
    monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda name: Scripted())
    marked = re.search(
        r"<!-- also runs in CI -->\n```python\n(.*?)```", README.read_text(), re.DOTALL
    )
    exec(marked.group(1), {})
    assert capsys.readouterr().out == "The answer is 3\n"


def test_the_figures_are_those_that_the_benchmark_kept():
    assert with_figures(README.read_text(), read()) == README.read_text()


def test_the_first_picture_shows_what_its_report_says():
    found = re.search(f"{BEGIN}(.*?){END}", README.read_text(), re.DOTALL)[1]
    words = " ".join(found.split())
    report = (README.parent / "docs/picture/report.md").read_text().replace("\n", " ")
    said = re.search(r"(Tuned policy: .* points\.) Recordings", words)[1]
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", said):
        assert sentence.lower() in report.lower()
    assert (README.parent / "docs/picture/frontier.svg").exists()


def test_the_public_names_are_those_that_are_promised():
    import tscale_graph

    for name in tscale_graph.__all__:
        assert getattr(tscale_graph, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        attrgetter("nonsense")(tscale_graph)
