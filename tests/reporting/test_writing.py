"""Reports on disk: whole, self-contained, and safe with whatever a model said."""

import html
import json
import re
import xml.etree.ElementTree as ET

import pytest

from tests.reporting.outcomes import outcome, several
from tscale_graph.reporting.summary import Summary
from tscale_graph.reporting.writing import write_report

FOUR = {"one": (0.4, 100), "vote": (0.6, 400), "worse": (0.3, 900), "tuned": (0.7, 300)}
HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>"


def data_of(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "report"


def test_everything_is_written_and_says_the_same(folder):
    summary = write_report(several(FOUR), folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.html", "report.md", "report.json", "frontier.svg"}
    assert Summary.model_validate_json((folder / "report.json").read_text()) == summary
    text = (folder / "report.md").read_text()
    page = (folder / "report.html").read_text()
    for row in summary.settings:
        assert f"{100 * row.accuracy.mean:.1f} %" in text
        assert html.escape(row.name) in page
    for finding in summary.findings:
        assert finding in text
        assert html.escape(finding) in page
    ET.parse(folder / "frontier.svg")


def test_the_page_loads_nothing_and_runs_only_its_own_script(folder):
    write_report(several(FOUR), folder)
    page = (folder / "report.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+'", policy)
    without_namespaces = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http://" not in without_namespaces
    assert "https://" not in without_namespaces


def test_what_models_say_is_no_markup(folder):
    write_report(
        [
            outcome(name="q0", question=HOSTILE, answer=HOSTILE, gold=HOSTILE, notes=(HOSTILE,)),
            outcome(HOSTILE, name="q0", task_class="sums"),
        ],
        folder,
        title=HOSTILE,
    )
    page = (folder / "report.html").read_text()
    assert page.count("<script") == 2
    assert "<img" not in page
    assert data_of(page)["questions"][0]["question"] == HOSTILE


def test_every_question_is_there_with_what_each_setting_made_of_it(folder):
    ran = several(FOUR, questions=5)
    ran += [one.model_copy(update={"run": 1}) for one in ran if one.setting == "vote"]
    write_report(ran, folder)
    data = data_of((folder / "report.html").read_text())
    assert data["settings"] == ["one", "tuned", "vote", "worse"]
    assert len(data["questions"]) == 10
    first = data["questions"][0]
    assert first["settings"][2]["runs"] == 2
    assert first["settings"][0]["votes"] == "3 × 2, 4 × 1"


@pytest.mark.slow
def test_a_thousand_questions_of_twelve_settings_make_a_page_of_a_few_megabytes(folder):
    settings = {f"setting {k}": (0.5, 100 + k) for k in range(12)}
    write_report(several(settings, questions=500), folder)
    assert (folder / "report.html").stat().st_size < 4_000_000


def test_one_setting_on_one_question_is_a_report_too(folder):
    write_report([outcome()], folder)
    assert "vote is the most accurate" in (folder / "report.md").read_text()
