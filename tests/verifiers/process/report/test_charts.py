"""Charts: everything that is drawn is inside the frame, and readable as XML."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.process.metrics import Bin, Measured
from tscale_graph.verifiers.process.report.charts import (
    HEIGHT,
    WIDTH,
    Line,
    curves,
    reliability_chart,
)

SVG = "{http://www.w3.org/2000/svg}"
measured = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(
    lambda values: Measured(*(sorted(values)[k] for k in (1, 0, 2)))
)


def drawn(lines, *, signed=False):
    places = [str(1 << k) for k in range(len(lines[0].points))]
    return ElementTree.fromstring(
        curves("A < B", lines, places=places, x_label="N", y_label="right", signed=signed)
    )


@given(st.lists(measured, min_size=1, max_size=7), st.booleans())
def test_every_point_is_within_the_frame(points, signed):
    root = drawn([Line("a", points, 0)], signed=signed)
    for shape in [*root.iter(f"{SVG}polyline"), *root.iter(f"{SVG}polygon")]:
        for pair in shape.get("points").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_larger_values_are_higher_and_the_band_is_around_its_line():
    root = drawn([Line("a", [Measured(0.2, 0.1, 0.3), Measured(0.6, 0.5, 0.9)], 0)])
    (line,) = root.iter(f"{SVG}polyline")
    (band,) = root.iter(f"{SVG}polygon")
    heights = [float(pair.split(",")[1]) for pair in line.get("points").split()]
    high_low = [float(pair.split(",")[1]) for pair in band.get("points").split()]
    assert heights[0] > heights[1]
    assert high_low[0] < heights[0] < high_low[3]
    assert high_low[1] < heights[1] < high_low[2]


def test_axes_and_lines_are_named():
    root = drawn([Line("best & first", [Measured(0.2, 0.1, 0.3)] * 3, 0)])
    told = [text.text for text in root.iter(f"{SVG}text")]
    assert {"N", "right", "1", "2", "4", "best & first", "10 %", "30 %"} <= set(told)
    assert root.find(f"{SVG}title").text == root.get("aria-label") == "A < B"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_level_line_has_an_axis_too(value):
    root = drawn([Line("a", [Measured(value, value, value)] * 2, 0)])
    ticks = [t.text for t in root.iter(f"{SVG}text") if re.search(r"%$", t.text)]
    assert len(ticks) >= 2
    assert len(set(ticks)) == len(ticks)


def test_differences_have_a_line_at_zero_and_signs():
    root = drawn([Line("a", [Measured(0.02, -0.01, 0.05)] * 2, 0)], signed=True)
    assert [one.get("class") for one in root.iter(f"{SVG}polyline")] == ["zero", "line c0"]
    told = {text.text for text in root.iter(f"{SVG}text")}
    assert {"−2", "0", "+2", "+4"} <= told


def test_bins_are_drawn_where_their_scores_are():
    bins = [Bin(0.0, 0.0, 5), Bin(0.5, 0.25, 5), Bin(1.0, 1.0, 5)]
    intervals = [Measured(one.right, 0.0, 1.0) for one in bins]
    root = ElementTree.fromstring(reliability_chart("r", bins, intervals))
    diagonal, line = (one.get("points").split() for one in root.iter(f"{SVG}polyline"))
    assert [line[0], line[-1]] == diagonal
    x, y = map(float, line[1].split(","))
    left, bottom = map(float, diagonal[0].split(","))
    right, top = map(float, diagonal[1].split(","))
    assert x == pytest.approx((left + right) / 2, abs=0.1)
    assert y == pytest.approx(bottom - (bottom - top) / 4, abs=0.1)
