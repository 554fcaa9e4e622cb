"""Tables: the same figures as text, Markdown and HTML."""

import math

import pytest

from tscale_graph.pages.tables import Table
from tscale_graph.verifiers.process.metrics import Measured
from tscale_graph.verifiers.process.report.tables import figure, percent

TABLE = Table(
    "Right | wrong",
    ("N", "a <b>"),
    (("1", "32.5"), ("16", "7 | 8")),
    "What it is, & how.",
)


def test_text_is_aligned_with_figures_to_the_right():
    assert TABLE.text().splitlines() == [
        "Right | wrong",
        "",
        "N   a <b>",
        "--  -----",
        "1    32.5",
        "16  7 | 8",
        "",
        "What it is, & how.",
    ]


def test_long_notes_are_wrapped_for_a_terminal():
    long = Table("t", ("a",), (("1",),), "word " * 60)
    assert max(map(len, long.text().splitlines())) <= 100


def test_markdown_cells_do_not_break_the_table():
    assert TABLE.markdown().splitlines() == [
        "## Right | wrong",
        "",
        "| N | a <b> |",
        "| --- | ---: |",
        "| 1 | 32.5 |",
        r"| 16 | 7 \| 8 |",
        "",
        "What it is, & how.",
    ]


def test_nothing_in_a_table_is_markup():
    page = TABLE.html()
    assert "<b>" not in page
    assert "a &lt;b&gt;" in page
    assert "&amp; how" in page


@pytest.mark.parametrize(
    ("measured", "signed", "told"),
    [
        (Measured(0.5, 0.4, 0.6), False, "0.500 (0.400–0.600)"),
        (Measured(0.02, -0.01, 0.05), True, "+0.020 (−0.010 to +0.050)"),
        (Measured(0.0, -0.0001, 0.0), True, "0.000 (0.000 to 0.000)"),
        (Measured(math.nan, math.nan, math.nan), False, "–"),
        (None, False, "–"),
        (0.25, False, "0.250"),
    ],
)
def test_figures_are_told_with_their_intervals(measured, signed, told):
    assert figure(measured, signed=signed) == told


def test_shares_are_told_in_per_cent():
    assert percent(Measured(0.325, 0.312, 0.3389)) == "32.5 (31.2–33.9)"
    assert percent(Measured(0.0004, -0.02, 0.03), signed=True) == "0.0 (−2.0 to +3.0)"
