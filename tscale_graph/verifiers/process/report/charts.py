"""Line charts as SVG: 390 wide, for light and dark grounds, nothing loaded."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tscale_graph.verifiers.process.metrics import Bin, Measured

WIDTH, HEIGHT = 390, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 34, 46
_LEGEND_LINE = 20
COLOURS = 6
"""How many lines there may be in a chart."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its band.

    Attributes:
        name: for the legend.
        points: values, ascending along the x axis.
        colour: from 0, below `COLOURS`; the same thing has the same colour in every chart.
    """

    name: str
    points: Sequence[Measured]
    colour: int


def curves(
    title: str,
    lines: Sequence[Line],
    *,
    places: Sequence[str],
    x_label: str,
    y_label: str,
    signed: bool = False,
) -> str:
    """Lines over evenly spaced places, in per cent, each with its 95 % band.

    Args:
        title: above the chart, and for screen readers.
        lines: with as many points as there are places.
        places: what to call them.
        x_label: below the x axis.
        y_label: above the y axis.
        signed: with a line at 0 and signs at the ticks.
    """
    every = [value for line in lines for point in line.points for value in point]
    ticks = _ticks(min([*every, 0.0] if signed else every), max([*every, 0.0] if signed else every))
    frame = _Frame(0.0, max(1.0, len(places) - 1.0), ticks[0], ticks[-1])
    parts = [frame.y_axis(tick, _share(tick, signed=signed)) for tick in ticks]
    parts += [frame.x_tick(float(k), place) for k, place in enumerate(places)]
    if signed:
        parts.append(frame.path([(0.0, 0.0), (frame.x_high, 0.0)], "zero"))
    across = [float(k) for k in range(len(places))]
    parts += [frame.band(line, across) for line in lines]
    parts += [frame.line(line, across) for line in lines]
    parts.append(_labels(x_label, y_label))
    parts += [_legend(place, line) for place, line in enumerate(lines)]
    rows = math.ceil(len(lines) / 2)
    return _svg(title, parts, HEIGHT + 8 + rows * _LEGEND_LINE)


def reliability_chart(title: str, bins: Sequence[Bin], intervals: Sequence[Measured]) -> str:
    """Mean labels over mean scores, with 95 % bands; on the diagonal, scores mean what they say."""
    frame = _Frame(0.0, 1.0, 0.0, 1.0)
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    parts = [frame.y_axis(tick, _share(tick)) for tick in ticks]
    parts += [frame.x_tick(tick, _share(tick)) for tick in ticks]
    parts.append(frame.path([(0.0, 0.0), (1.0, 1.0)], "zero"))
    line, across = Line("", intervals, 0), [one.score for one in bins]
    parts += [frame.band(line, across), frame.line(line, across)]
    parts.append(_labels("mean score of a bin of steps", "right completions"))
    return _svg(title, parts, HEIGHT)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values are on the drawing."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x_low) / (self.x_high - self.x_low)
        up = (y - self.y_low) / (self.y_high - self.y_low)
        return (
            round(_LEFT + across * (WIDTH - _LEFT - _RIGHT), 1),
            round(HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM), 1),
        )

    def y_axis(self, tick: float, told: str) -> str:
        x, y = self.at(self.x_low, tick)
        return (
            f'<line class="grid" x1="{x}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text class="tick" x="{x - 6}" y="{y + 4}" text-anchor="end">{told}</text>'
        )

    def x_tick(self, tick: float, told: str) -> str:
        x, y = self.at(tick, self.y_low)
        end = ' text-anchor="end"' if x > WIDTH - _RIGHT - 4 and len(told) > 2 else ""
        anchor = end or ' text-anchor="middle"'
        shift = 4 if end else 0
        return f'<text class="tick" x="{x + shift}" y="{y + 17}"{anchor}>{html.escape(told)}</text>'

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> str:
        told = " ".join(f"{x},{y}" for x, y in (self.at(*point) for point in points))
        return f'<polyline class="{kind}" points="{told}"/>'

    def band(self, line: Line, across: Sequence[float]) -> str:
        there = [(x, point.high) for x, point in zip(across, line.points, strict=True)]
        back = [(x, point.low) for x, point in zip(across, line.points, strict=True)][::-1]
        told = " ".join(f"{x},{y}" for x, y in (self.at(*p) for p in [*there, *back]))
        return f'<polygon class="band c{line.colour}" points="{told}"/>'

    def line(self, line: Line, across: Sequence[float]) -> str:
        points = [(x, point.value) for x, point in zip(across, line.points, strict=True)]
        dots = "".join(self.dot(*point, line.colour) for point in points)
        return self.path(points, f"line c{line.colour}") + dots

    def dot(self, x: float, y: float, colour: int) -> str:
        cx, cy = self.at(x, y)
        return f'<circle class="dot c{colour}" cx="{cx}" cy="{cy}" r="2.6"/>'


def _svg(title: str, parts: Sequence[str], height: int) -> str:
    told = html.escape(title)
    inner = "\n".join(parts)
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{told}">\n<title>{told}</title>\n'
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>\n{inner}\n</svg>\n'
    )


def _labels(x_label: str, y_label: str) -> str:
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    below = f'class="label" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle"'
    above = 'class="label" x="8" y="18"'
    return f"<text {below}>{html.escape(x_label)}</text><text {above}>{html.escape(y_label)}</text>"


def _legend(place: int, line: Line) -> str:
    x, y = 14 + (place % 2) * 186, HEIGHT + 12 + (place // 2) * _LEGEND_LINE
    return (
        f'<line class="line c{line.colour}" x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}"/>'
        f'<circle class="dot c{line.colour}" cx="{x + 12}" cy="{y}" r="2.6"/>'
        f'<text class="label" x="{x + 31}" y="{y + 4}">{html.escape(line.name)}</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round values that hold both ends between the first and the last, about five of them."""
    span = max(high - low, 0.01)
    step = next(s for s in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if span / s <= 5.5)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(k * step, 6) for k in range(first, max(last, first + 1) + 1)]


def _share(value: float, *, signed: bool = False) -> str:
    told = f"{100 * value:{'+' if signed and value else ''}g}".replace("-", "−")
    return f"{told} %" if not signed else told
