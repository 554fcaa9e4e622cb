"""A whole report: complete, self-contained, and honest about bad news."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.verifiers.process.knowing import scored_by
from tests.verifiers.process.simulated import label_questions, recorded_questions, truth
from tscale_graph.verifiers.process.ablating import Ablation
from tscale_graph.verifiers.process.buying import bought_by_families, scored_samples
from tscale_graph.verifiers.process.evaluating import evaluate_families, held_out_labels
from tscale_graph.verifiers.process.metrics import Measured
from tscale_graph.verifiers.process.report.contents import Report, findings, tables
from tscale_graph.verifiers.process.report.writing import write_report

KNOWS = scored_by(lambda asked, steps: float(truth(asked, steps)[-1]))
MISLED = scored_by(lambda asked, steps: 1 - float(truth(asked, steps)[-1]))
FULL, ARITHMETIC = "all that the model knows", "arithmetic alone"


def reported(model, **more):
    asked = [*label_questions(12), *label_questions(12, family="<b>")]
    sampled = [
        *recorded_questions(12, samples=8),
        *recorded_questions(12, samples=8, family="<b>"),
    ]
    steps = evaluate_families(model, held_out_labels(model, asked), draws=20)
    bought = bought_by_families(scored_samples(model, sampled), draws=50, resamples=500)
    return Report(model.card, tuple(steps), tuple(bought), **more)


@pytest.fixture(scope="module")
def report():
    return reported(KNOWS, notes=("3 of 4 were <left> out",))


@pytest.fixture(scope="module")
def written(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return folder, write_report(folder, report)


def test_all_files_are_written(written):
    folder, files = written
    assert [file.name for file in files] == [
        "report.html", "report.md", "report.json", "accuracy.svg", "gain.svg",
        "accuracy--b-.svg", "gain--b-.svg", "accuracy-equations.svg", "gain-equations.svg",
        "reliability.svg",
    ]  # fmt: skip
    assert sorted(folder.iterdir()) == sorted(files)


def test_the_page_loads_nothing_and_its_policy_knows_its_style(written):
    page = (written[0] / "report.html").read_text()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert not re.search(r"<script|\ssrc=|href=|url\(|style=", page)
    assert "<b>" not in page
    assert "3 of 4 were &lt;left&gt; out" in page


def test_the_page_is_well_formed(written):
    open_tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag != "meta":
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

        def handle_startendtag(self, tag, attrs):
            pass

    Reader().feed((written[0] / "report.html").read_text())
    assert open_tags == []


def test_pictures_stand_alone(written):
    for file in written[1]:
        if file.suffix == ".svg":
            root = ElementTree.fromstring(file.read_text())
            (style,) = root.iter("{http://www.w3.org/2000/svg}style")
            assert "prefers-color-scheme: dark" in style.text


def test_markdown_has_all_tables_and_pictures_that_are_there(written, report):
    folder, _ = written
    told = (folder / "report.md").read_text()
    for table in tables(report):
        assert f"## {table.title}\n" in told
    pictures = re.findall(r"\]\((.*?)\)", told)
    assert len(pictures) == 7
    assert all((folder / name).exists() for name in pictures)


def test_json_has_every_figure(written, report):
    told = json.loads((written[0] / "report.json").read_text())
    assert told["card"]["policy"] == "none"
    assert told["steps"][0]["auc"] == report.steps[0].auc._asdict()
    best = told["bought"][0]["comparisons"]["best by PRM"][1]
    assert best["p_holm"] == report.bought[0].comparisons["best by PRM"][1].p_holm


def test_good_news_is_told_with_its_interval(report):
    told = findings(report)
    assert re.match(r"Weighted by PRM is better than majority at N = .*%, \+", told[0])


def test_bad_news_is_told_first_too():
    told = findings(reported(MISLED))
    assert told[0].startswith("Weighted by PRM is worse than majority at N = ")
    assert told[1] == "Weighted by PRM is nowhere better than majority for certain."


@pytest.mark.parametrize(
    ("alone", "told"),
    [(0.78, "a calculator more than a judge"), (0.6, "knows more than a calculator")],
)
def test_a_calculator_is_called_one(report, alone, told):
    def ablation(name, auc):
        return Ablation(name, 10, Measured(auc, auc - 0.05, auc + 0.05), None, None, BRIER)

    known = (ablation(FULL, 0.8), ablation(ARITHMETIC, alone))
    with_ablations = replace(report, ablations=known)
    assert told in findings(with_ablations)[-1]
    assert [table.title for table in tables(with_ablations)][-1] == "Models that know less"


BRIER = Measured(0.1, 0.1, 0.1)


def test_what_was_not_measured_is_not_there():
    bare = Report(KNOWS.card)
    assert [table.title for table in tables(bare)] == ["The model"]
    assert findings(bare) == []
