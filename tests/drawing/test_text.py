"""Pictures in characters."""

import pytest
from rich.cells import cell_len

from tests.drawing.compositions import COMPOSITIONS, model
from tscale_graph import best_of_n, self_consistency
from tscale_graph.drawing import draw_text
from tscale_graph.verifiers import equation

BEST_OF_N = """\
┌─ best-of-n ───────────────────┐
│             START             │
│               ↓               │
│ ╭┄┄┄┄┄┄┄┄┄▸ admit ┄┄┄┄┄┄┄┄┄┄╮ │
│ ┊             ↓             ┊ │
│ ┊  ╭─ sample · up to 8 ─╮   ┊ │
│ ┊  │      [small]       │   ┊ │
│ ┊  ╰────────────────────╯   ┊ │
│ ┊             ↓             ┊ │
│ ┊     verify · equation     ┊ │
│ ┊             ↓             ┊ │
│ ╰ again ┄┄ decide           ┊ │
│               ↓ enough      ┊ │
│            finish ◂┄┄┄┄┄┄┄┄┄╯ │
│               ↓               │
│              END              │
└───────────────────────────────┘
"""


def test_a_technique_and_its_model():
    assert draw_text(best_of_n(model(), equation)) == BEST_OF_N


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_terminal_of_80_columns_is_enough(name):
    lines = draw_text(COMPOSITIONS[name]()).splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}, "the outer box is whole"


def test_what_stands_side_by_side_goes_one_below_the_other_where_there_is_little_room():
    wide, narrow = (draw_text(COMPOSITIONS["thinking"](), width=w) for w in (80, 60))
    assert any("think" in line and "answer" in line for line in wide.splitlines())
    assert not any("think ·" in line and "answer" in line for line in narrow.splitlines())


def test_long_and_wide_names_are_shortened_and_keep_the_box_whole():
    lines = draw_text(self_consistency(model("模型" * 60))).splitlines()
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
    assert cell_len(lines[0]) <= 80
