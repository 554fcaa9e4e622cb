"""How a line gets from one step to another: straight down, or around what is between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tscale_graph.drawing.lanes import Rail
from tscale_graph.drawing.picture import Edge
from tscale_graph.drawing.shapes import Layout, Line, Measures, Shape


@dataclass(frozen=True)
class Row:
    """Steps that stand side by side.

    Attributes:
        steps: the outermost shape of each, by its name.
        parts: all that is drawn of each.
        middle: where the one step of a row has its middle.
    """

    steps: Mapping[str, Shape]
    parts: tuple[Layout, ...]
    middle: int

    @property
    def top(self) -> int:
        """Of the steps."""
        return next(iter(self.steps.values())).y

    @property
    def bottom(self) -> int:
        """Of the lowest step."""
        return max(shape.y + shape.height for shape in self.steps.values())

    def middle_of(self, name: str) -> int:
        """Where lines enter a step from above, and leave it below."""
        shape = self.steps[name]
        return self.middle if len(self.steps) == 1 else shape.x + shape.width // 2


def line(
    edge: Edge,
    placed: Sequence[Row],
    place: Mapping[str, int],
    rail: Rail | None,
    column: tuple[int, int],
    measures: Measures,
) -> Line:
    """The line of an edge.

    Args:
        edge: between two steps.
        placed: the rows, from top to bottom.
        place: the row that each step is in.
        rail: beside the steps, for an edge that does not lead to the next row.
        column: where the steps begin and end, from left to right.
        measures: how large things are.
    """
    above, below = placed[place[edge.source]], placed[place[edge.target]]
    if rail is None:
        return _down(edge, above, below, measures)
    out = measures.lane * (rail.lane + 1)
    across = column[0] - out if rail.side == "left" else column[1] - 1 + out
    start = _leaving(edge.source, above, rail, measures)
    end = _entering(edge.target, below, rail, measures)
    points = (*start, (across, start[-1][1]), (across, end[0][1]), *end)
    words = measures.width_of(edge.label)
    begins = (start[0][0] + across - words) // 2 if edge.label else 0
    return Line(points, edge.conditional, edge.label, (begins, start[-1][1]))


def _down(edge: Edge, above: Row, below: Row, measures: Measures) -> Line:
    """Straight, or with two turns just above the row that it leads to."""
    begin, end = above.middle_of(edge.source), below.middle_of(edge.target)
    shape = above.steps[edge.source]
    first, last = (begin, shape.y + shape.height), (end, below.top)
    label_at = (end + measures.margin + 1, below.top - (measures.gap + 1) // 2)
    if begin == end:
        return Line((first, last), edge.conditional, edge.label, label_at)
    turn = _turning(below, measures)
    return Line((first, (begin, turn), (end, turn), last), edge.conditional, edge.label, label_at)


def _leaving(name: str, row: Row, rail: Rail, measures: Measures) -> tuple[tuple[int, int], ...]:
    """From the side of a step; from its bottom, where others stand beside it."""
    shape = row.steps[name]
    if len(row.steps) > 1:
        middle = row.middle_of(name)
        return (middle, shape.y + shape.height), (middle, row.bottom + measures.turn // 2)
    x = shape.x if rail.side == "left" else shape.x + shape.width
    return ((x, shape.y + _port(shape, measures, leaving=True)),)


def _entering(name: str, row: Row, rail: Rail, measures: Measures) -> tuple[tuple[int, int], ...]:
    """Into the side of a step, or from above."""
    shape = row.steps[name]
    if len(row.steps) > 1:
        middle = row.middle_of(name)
        return (middle, _turning(row, measures)), (middle, row.top)
    x = shape.x if rail.side == "left" else shape.x + shape.width
    return ((x, shape.y + _port(shape, measures)),)


def _turning(row: Row, measures: Measures) -> int:
    """The height at which lines turn that enter a row from above."""
    return row.top - measures.gap - (measures.turn + 1) // 2


def _port(shape: Shape, measures: Measures, *, leaving: bool = False) -> int:
    """How far from its top lines enter and leave a step at its side."""
    if shape.kind in ("step", "terminal"):
        return shape.height // 2
    return shape.height - measures.port if leaving else measures.port
