"""Charts: nothing overlaps, nothing leaves the picture, and nothing is markup."""

import itertools
import re
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.reporting.scatter import Point, scatter

_SVG = "{http://www.w3.org/2000/svg}"


def point(name, cost, accuracy, **more):
    low, high = max(0.0, accuracy - 0.05), min(1.0, accuracy + 0.05)
    return Point(name=name, cost=cost, accuracy=accuracy, low=low, high=high, **more)


def labels(svg):
    """(left, top, right, bottom) of each name, by letters of the size that they have."""
    boxes = []
    for text in ET.fromstring(svg).iter(f"{_SVG}text"):
        kind = text.get("class")
        if kind in ("label", "label strong") and text.get("text-anchor") is None:
            if text.text == "right answers":
                continue
            x, y = float(text.get("x")), float(text.get("y"))
            boxes.append((x, y - 11, x + 6.5 * len(text.text), y + 4))
    return boxes


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.001, 1e5), st.floats(0, 1), st.integers(3, 30), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([390, 760]),
)
def test_names_neither_overlap_nor_leave_the_picture(drawn, width):
    points = [
        point("n" * length, cost, accuracy, highlighted=strong)
        for cost, accuracy, length, strong in drawn
    ]
    svg = scatter("A chart", points, x_label="tokens", width=width)
    found = labels(svg)
    assert all(box[0] >= 0 and box[2] <= width for box in found)
    for one, other in itertools.combinations(found, 2):
        beside = one[2] <= other[0] or other[2] <= one[0]
        assert beside or one[3] <= other[1] or other[3] <= one[1]
    circles = [float(c.get("cx")) for c in ET.fromstring(svg).iter(f"{_SVG}circle")]
    assert all(0 <= x <= width for x in circles)


def test_ticks_are_where_they_say():
    svg = scatter("A chart", [point("a", 10, 0.5), point("b", 10_000, 0.9)], x_label="tokens")
    assert "logarithmic" in svg
    assert {"100", "1k", "10k"} <= set(re.findall(r">([^<]+)</text>", svg))


def test_the_frontier_goes_through_its_points_from_the_cheapest_on():
    points = [point("b", 200, 0.7, frontier=True), point("a", 100, 0.5, frontier=True)]
    line = ET.fromstring(scatter("A", points, x_label="t")).find(f"{_SVG}polyline").get("points")
    (x, y), (x2, y2) = (map(float, pair.split(",")) for pair in line.split())
    assert x < x2
    assert y > y2


def test_names_are_no_markup():
    svg = scatter("<b>", [point("</svg><script>", 1, 0.5, note='"&')], x_label="<x>")
    ET.fromstring(svg)
    assert "<script>" not in svg
