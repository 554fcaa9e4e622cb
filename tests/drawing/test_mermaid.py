"""Pictures as Mermaid flowcharts."""

import re
from pathlib import Path

import pytest

from tests.drawing.compositions import COMPOSITIONS, model
from tscale_graph import best_of_n, self_consistency
from tscale_graph.cli.compositions import composed
from tscale_graph.drawing import draw_mermaid
from tscale_graph.verifiers import equation

DECLARED = re.compile(r"^ *(?:subgraph )?(n\d+)[\[(]", re.MULTILINE)


def test_a_technique_and_its_model():
    assert draw_mermaid(best_of_n(model(), equation)).splitlines()[:22] == [
        "flowchart TB",
        '    subgraph n1["best-of-n"]',
        "        direction TB",
        '        n2["START"]',
        '        n3["admit"]',
        '        subgraph n4["sample · up to 8"]',
        "            direction TB",
        '            n5(["small"])',
        "        end",
        '        n6["verify · equation"]',
        '        n7["decide"]',
        '        n8["finish"]',
        '        n9["END"]',
        "        n2 --> n3",
        "        n3 -.-> n4",
        "        n3 -.-> n8",
        "        n4 --> n6",
        "        n6 --> n7",
        '        n3 <-.->|"again"| n7',
        '        n7 -.->|"enough"| n8',
        "        n8 --> n9",
        "    end",
    ]


def test_an_edge_that_goes_back_loses_its_lower_arrowhead():
    lines = draw_mermaid(best_of_n(model(), equation)).splitlines()
    edges = [line for line in lines if re.search(r"->", line)]
    (style,) = [line for line in lines if "linkStyle" in line]
    assert style == f"    linkStyle {edges.index(lines[18])} marker-end:none"


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_every_box_is_closed_and_every_id_is_declared_once(name):
    drawing = draw_mermaid(COMPOSITIONS[name]())
    assert drawing.count("subgraph ") == len(re.findall(r"^ *end$", drawing, re.MULTILINE))
    declared = DECLARED.findall(drawing)
    assert len(declared) == len(set(declared))
    assert set(re.findall(r"\bn\d+\b", drawing)) == set(declared)
    assert "__start__" not in drawing


def test_the_names_of_models_stand_for_themselves():
    drawing = draw_mermaid(self_consistency(model('a "b" [c] <b>{d}</b>\nend')))
    (label,) = re.findall(r'\(\["([^"]*)"\]\)', drawing)
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label) == 'a "b" [c] <b>{d}</b> end'
    assert not set(label) & set('"[]<>{}')


def test_the_guide_shows_what_the_command_draws():
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    asked = re.search(r'^tscale draw "([^"]+)"', guide, re.MULTILINE)
    shown = re.search(r"```mermaid\n(.*?)```", guide, re.DOTALL)
    assert shown[1] == draw_mermaid(composed(asked[1]))
