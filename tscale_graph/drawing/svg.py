"""A picture as SVG: to look at by itself, or in a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

from rich.cells import cell_len

from tscale_graph.drawing.layout import layout
from tscale_graph.drawing.picture import Picture
from tscale_graph.drawing.shapes import Layout, Line, Measures, Shape

_CHARACTER = 7.4
"""Pixels that a character takes, at most, on the average of a few words."""
_SIZES = {"margin": 12, "step": 32, "head": 36, "foot": 14, "side": 14, "gap": 26, "turn": 18}
_MEASURES = Measures(
    **_SIZES,
    width_of=lambda text: round(cell_len(text) * _CHARACTER),
    apart=16,
    lane=16,
    port=16,
)
_TIGHT = replace(_MEASURES, margin=8, side=8, lane=12)
"""For narrow screens."""
_ROUND = 8
"""The radius of a line's turns."""
STYLE = """\
.tscale { --ink: #1d2330; --soft: #5d6675; --line: #6b7484; --paper: #f3f5f9; --step: #fff;
  --frame: #c3c9d4; --tint: #4a5d83; --model: #e7f0ff; --model-frame: #6c9bea; --model-ink: #123f86;
  font: 13px/1 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.tscale text { fill: var(--ink); dominant-baseline: central }
.tscale .note { fill: var(--soft) }
.tscale .title { font-weight: 600 }
.tscale .technique { fill: var(--tint); fill-opacity: .06; stroke: var(--frame) }
.tscale .asks { fill: var(--step); fill-opacity: .75; stroke: var(--frame) }
.tscale .step { fill: var(--step); stroke: var(--frame) }
.tscale .terminal { fill: none }
.tscale .terminal-words { fill: var(--soft); font-size: 11px; letter-spacing: .08em }
.tscale .model { fill: var(--model); stroke: var(--model-frame) }
.tscale .model-words { fill: var(--model-ink) }
.tscale .line { fill: none; stroke: var(--line); stroke-width: 1.3 }
.tscale .conditional { stroke-dasharray: 4 3.5 }
.tscale .head { fill: var(--line) }
.tscale .label { fill: var(--soft); font-size: 12px; font-style: italic; paint-order: stroke;
  stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  .tscale { --ink: #e6e9ef; --soft: #9aa4b5; --line: #8b95a6; --step: #20252e;
    --paper: #1b1f28; --frame: #3d4553; --tint: #9db4e8; --model: #16294a; --model-frame: #4a78c9;
    --model-ink: #bcd4ff }
}
"""
"""For light and dark surroundings."""


def to_svg(drawn: Picture, *, room: int = 1100) -> str:
    """The picture as a file of its own.

    Args:
        drawn: the picture.
        room: how many pixels wide it should be at most.
    """
    return svg(placed(drawn, room=room), drawn.title, style=STYLE)


def placed(drawn: Picture, *, room: int, tight: bool = False) -> Layout:
    """The picture laid out in pixels, with less space between things if need be."""
    return layout(drawn, _TIGHT if tight else _MEASURES, room=room)


def svg(laid: Layout, title: str, *, style: str = "", name: str = "tscale") -> str:
    """A layout as an element.

    Args:
        laid: in pixels.
        title: for those who cannot see it.
        style: to be part of it, where no page has it.
        name: more classes beside "tscale".
    """
    width, height = laid.width + 2, laid.height + 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" '
        f'width="{width}" height="{height}" viewBox="-1 -1 {width} {height}">',
        f"<title>{escape(title)}</title>",
        *([f"<style>{style}</style>"] if style else []),
        *(part for shape in laid.shapes for part in _shape(shape)),
        *(part for line in laid.lines for part in _line(line)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape) -> Iterator[str]:
    framed = shape.kind in ("technique", "asks")
    radius = {"technique": 10, "asks": 8, "model": shape.height / 2}.get(shape.kind, 6)
    yield (
        f'<rect class="{shape.kind}" x="{shape.x}" y="{shape.y}" width="{shape.width}" '
        f'height="{shape.height}" rx="{radius:g}"/>'
    )
    x = shape.x + shape.width / 2
    y = shape.y + (_MEASURES.head / 2 if framed else shape.height / 2)
    look = {"technique": "title"}.get(shape.kind, f"{shape.kind}-words")
    note = f'<tspan class="note"> · {escape(shape.note)}</tspan>' if shape.note else ""
    yield (
        f'<text class="{look}" x="{x:g}" y="{y:g}" text-anchor="middle">'
        f"{escape(shape.title)}{note}</text>"
    )


def _line(line: Line) -> Iterator[str]:
    look = "line conditional" if line.conditional else "line"
    yield f'<path class="{look}" d="{_rounded(line.points)}"/>'
    (x0, y0), (x, y) = line.points[-2:]
    across, down = _sign(x - x0), _sign(y - y0)
    back, out = (x - 7 * across, y - 7 * down), (3.6 * down, 3.6 * across)
    yield (
        f'<path class="head" d="M{x} {y}L{back[0] + out[0]:g} {back[1] + out[1]:g}'
        f'L{back[0] - out[0]:g} {back[1] - out[1]:g}Z"/>'
    )
    if line.label:
        at, base = line.label_at
        yield f'<text class="label" x="{at}" y="{base}">{escape(line.label)}</text>'


def _rounded(points: tuple[tuple[int, int], ...]) -> str:
    """A path through the points, with rounded turns."""
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(here, before), _towards(here, after)
        parts.append(f"L{into[0]:g} {into[1]:g}Q{here[0]} {here[1]} {out[0]:g} {out[1]:g}")
    # The line ends within the arrowhead, whose tip would be blunt otherwise.
    end = _towards(points[-1], points[-2], 4)
    return "".join([*parts, f"L{end[0]:g} {end[1]:g}"])


def _towards(
    here: tuple[int, int], there: tuple[int, int], far: float = _ROUND
) -> tuple[float, float]:
    """A point on the way, `far` pixels off or half of it."""
    across, down = there[0] - here[0], there[1] - here[1]
    whole = abs(across) + abs(down)
    part = min(far, whole / 2) / whole if whole else 0
    return here[0] + across * part, here[1] + down * part


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
