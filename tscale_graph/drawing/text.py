"""A picture in characters, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from rich.cells import cell_len

from tscale_graph.drawing.layout import layout
from tscale_graph.drawing.picture import Picture
from tscale_graph.drawing.shapes import Line, Measures, Shape

_MEASURES = Measures(
    width_of=cell_len,
    margin=1,
    step=1,
    head=1,
    foot=1,
    side=2,
    gap=1,
    turn=1,
    apart=2,
    lane=2,
    port=2,
)
_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_LINES = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"
"""By the directions that lines leave a place in, as the sum of the four above."""
_DASHED = {"│": "┊", "─": "┄"}
_FRAMES = {"technique": "┌┐└┘─│", "asks": "╭╮╰╯─│"}


def to_text(drawn: Picture, *, width: int = 80) -> str:
    """The picture in box-drawing characters. Lines that are not always taken are dashed.

    Args:
        drawn: the picture.
        width: how many columns it should take at most.
    """
    laid = layout(drawn, _MEASURES, room=width)
    canvas = _Canvas(laid.width, laid.height)
    for line in laid.lines:
        canvas.line(line)
    for shape in laid.shapes:
        canvas.shape(shape)
    for line in laid.lines:
        canvas.finish(line)
    return canvas.text()


@dataclass
class _Canvas:
    """Characters by their places.

    Attributes:
        width: in columns.
        height: in rows.
        ways: the directions that lines leave each place in.
        solid: the places of lines that are not dashed.
        written: the characters that are no lines.
    """

    width: int
    height: int
    ways: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    solid: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    written: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def line(self, line: Line) -> None:
        """Lay down a line."""
        path = _path(line)
        for here, there in pairwise(path):
            across, down = there[0] - here[0], there[1] - here[1]
            way, back = (
                ((_RIGHT, _LEFT) if across > 0 else (_LEFT, _RIGHT))
                if across
                else ((_DOWN, _UP) if down > 0 else (_UP, _DOWN))
            )
            self.ways[here] = self.ways.get(here, 0) | way
            self.ways[there] = self.ways.get(there, 0) | back
        first, last = path[0], path[-1]
        self.ways[first] = self.ways.get(first, 0) | _opposite(_way(line.points[0], line.points[1]))
        self.ways.setdefault(last, 0)
        if not line.conditional:
            self.solid.update(path)

    def finish(self, line: Line) -> None:
        """Put the arrowhead and the label on a line."""
        heads = {_UP: "↑", _RIGHT: "▸", _DOWN: "↓", _LEFT: "◂"}
        self.written[_path(line)[-1]] = heads[_way(line.points[-2], line.points[-1])]
        if line.label:
            x, y = line.label_at
            self._write(f" {line.label} ", x - 1, y)

    def shape(self, shape: Shape) -> None:
        """Write a step or a model, or draw a box."""
        words = f"{shape.title} · {shape.note}" if shape.note else shape.title
        if shape.kind not in _FRAMES:
            left, right = ("[", "]") if shape.kind == "model" else (" ", " ")
            self._write(f"{left}{words}{right}", shape.x, shape.y)
            return
        bottom, right = shape.y + shape.height - 1, shape.x + shape.width - 1
        corners = _FRAMES[shape.kind]
        for x in range(shape.x, right + 1):
            self.written[x, shape.y] = self.written[x, bottom] = corners[4]
        for y in range(shape.y, bottom + 1):
            self.written[shape.x, y] = self.written[right, y] = corners[5]
        places = (
            (shape.x, shape.y),
            (right, shape.y),
            (shape.x, bottom),
            (right, bottom),
        )
        self.written |= dict(zip(places, corners, strict=False))
        self._write(f" {words} ", shape.x + 2, shape.y)

    def text(self) -> str:
        """All of it."""
        return "".join(
            "".join(self._at(x, y) for x in range(self.width)).rstrip() + "\n"
            for y in range(self.height)
        )

    def _at(self, x: int, y: int) -> str:
        if (x, y) in self.written:
            return self.written[x, y]
        drawn = _LINES[self.ways.get((x, y), 0)]
        return drawn if (x, y) in self.solid else _DASHED.get(drawn, drawn)

    def _write(self, text: str, x: int, y: int) -> None:
        for character in text:
            self.written[x, y] = character
            for more in range(1, cell_len(character)):
                self.written[x + more, y] = ""
            x += cell_len(character)


def _path(line: Line) -> list[tuple[int, int]]:
    """The places that a line takes: from beside the step that it leaves to beside its target."""
    points = list(line.points)
    begins, ends = _way(points[0], points[1]), _way(points[-2], points[-1])
    points[0] = (points[0][0] - (begins == _LEFT), points[0][1] - (begins == _UP))
    points[-1] = (points[-1][0] - (ends == _RIGHT), points[-1][1] - (ends == _DOWN))
    path = [points[0]]
    for x, y in points[1:]:
        while path[-1] != (x, y):
            here = path[-1]
            path.append((here[0] + _sign(x - here[0]), here[1] + _sign(y - here[1])))
    return path


def _way(here: tuple[int, int], there: tuple[int, int]) -> int:
    across, down = there[0] - here[0], there[1] - here[1]
    if across:
        return _RIGHT if across > 0 else _LEFT
    return _DOWN if down >= 0 else _UP


def _opposite(way: int) -> int:
    return {_UP: _DOWN, _DOWN: _UP, _LEFT: _RIGHT, _RIGHT: _LEFT}[way]


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
