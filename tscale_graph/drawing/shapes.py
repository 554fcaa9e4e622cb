"""What a layout is made of, and what it is measured by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["technique", "asks", "step", "model", "terminal"]
"""A technique's box, a step with something inside, one without, a model, or START and END."""


@dataclass(frozen=True)
class Measures:
    """How large things are, in characters or in pixels.

    Attributes:
        width_of: how wide a text is.
        margin: between the words of a step and its sides.
        step: how high a step is that has nothing inside.
        head: from the top of a box to what is in it; its title stands there.
        foot: from what is in a box to its bottom.
        side: from what is in a box to its sides.
        gap: between a step and the one below, where the arrow is.
        turn: as much again where lines between them have to turn.
        apart: between things that stand side by side.
        lane: between lines that run beside each other.
        port: how far from the top or bottom of a high step lines enter and leave it.
    """

    width_of: Callable[[str], int]
    margin: int
    step: int
    head: int
    foot: int
    side: int
    gap: int
    turn: int
    apart: int
    lane: int
    port: int


@dataclass(frozen=True)
class Shape:
    """A box, a step or a model, with its place.

    Attributes:
        kind: what it is.
        x: of its left side.
        y: of its top.
        width: to the right.
        height: downwards.
        title: what it is called.
        note: what is said beside that, or "".
    """

    kind: Kind
    x: int
    y: int
    width: int
    height: int
    title: str
    note: str = ""

    def moved(self, x: int, y: int) -> Shape:
        """The same, further right and down."""
        return replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True)
class Line:
    """A line from one step to another, with an arrowhead at its end.

    Attributes:
        points: where it begins, turns and ends.
        conditional: it is not always taken.
        label: what stands beside it, or "".
        label_at: where the label begins, by its left end and the line that it stands on.
    """

    points: tuple[tuple[int, int], ...]
    conditional: bool
    label: str = ""
    label_at: tuple[int, int] = (0, 0)

    def moved(self, x: int, y: int) -> Line:
        """The same, further right and down."""
        points = tuple((across + x, down + y) for across, down in self.points)
        at = (self.label_at[0] + x, self.label_at[1] + y)
        return replace(self, points=points, label_at=at)


@dataclass(frozen=True)
class Layout:
    """A picture with places.

    Attributes:
        width: of all of it.
        height: of all of it.
        shapes: from the outermost inwards.
        lines: between steps.
    """

    width: int
    height: int
    shapes: tuple[Shape, ...] = ()
    lines: tuple[Line, ...] = ()

    def moved(self, x: int, y: int) -> Layout:
        """The same, further right and down."""
        shapes = tuple(shape.moved(x, y) for shape in self.shapes)
        return Layout(self.width, self.height, shapes, tuple(one.moved(x, y) for one in self.lines))
