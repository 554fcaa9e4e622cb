"""Pictures as SVG, and as pages."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.drawing.compositions import COMPOSITIONS, model
from tscale_graph import self_consistency
from tscale_graph.drawing import draw_html, draw_svg, picture
from tscale_graph.drawing.svg import placed

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_every_box_lies_within_its_picture_and_none_crosses_another(name):
    for room in (1100, 358):
        laid = placed(picture(COMPOSITIONS[name]()), room=room, tight=room < 400)
        boxes = [(s.x, s.y, s.x + s.width, s.y + s.height) for s in laid.shapes]
        for at, (left, top, right, bottom) in enumerate(boxes):
            assert 0 <= left < right <= laid.width
            assert 0 <= top < bottom <= laid.height
            for other in boxes[at + 1 :]:
                within = left <= other[0] <= other[2] <= right
                within = within and top <= other[1] <= other[3] <= bottom
                beside = other[2] <= left or right <= other[0]
                assert within or beside or other[3] <= top or bottom <= other[1]


def test_an_svg_file_is_whole_and_says_what_the_picture_says():
    root = ElementTree.fromstring(draw_svg(self_consistency(model('a "b" <c> & d'))))
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert texts[:3] == ["self-consistency", "START", "admit"]
    assert 'a "b" <c> & d' in texts
    assert {"again", "enough", "sample · up to 16"} <= set(texts)


def test_a_page_has_a_picture_for_wide_screens_and_one_for_narrow_ones():
    page = draw_html(COMPOSITIONS["router"]())
    widths = [int(width) for width in re.findall(r'<svg [^>]* width="(\d+)"', page)]
    assert len(widths) == 2
    assert widths[0] <= 1280 - 32
    assert widths[1] <= 390 - 32
    assert "prefers-color-scheme: dark" in page


def test_a_page_loads_nothing_and_runs_nothing():
    page = draw_html(self_consistency(model("<script>alert(1)</script>")))
    assert "<script" not in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "default-src 'none'" in page
