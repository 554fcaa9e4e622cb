"""Accuracy over cost as SVG: every setting a labelled point, the frontier a line."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 38, 46
_LETTER, _LINE = 6.8, 16
"""What a letter of a label and a line take, at the size that charts are drawn in."""
_WIDE = 10
"""A range this many times its beginning is drawn on a logarithmic axis."""
_ROUND = (1, 2, 2.5, 5)


@dataclass(frozen=True, slots=True)
class Point:
    """A setting.

    Attributes:
        name: for its label.
        cost: where it is along.
        accuracy: how high.
        low: of its interval.
        high: of the same.
        highlighted: it stands out.
        frontier: the line goes through it.
        note: for those who point at it.
    """

    name: str
    cost: float
    accuracy: float
    low: float
    high: float
    highlighted: bool = False
    frontier: bool = False
    note: str = ""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def scatter(
    title: str,
    points: Sequence[Point],
    *,
    x_label: str,
    width: int = 390,
    height: int = 300,
    dollars: bool = False,
    names: Literal["all", "highlighted"] = "all",
) -> str:
    """The chart, without its style.

    Args:
        title: for screen readers.
        points: at least one.
        x_label: below the axis.
        width: of the drawing; letters stay as large.
        height: of the same.
        dollars: costs are told as dollars.
        names: which points are named, where there is room; pointing at others tells.
    """
    axes = _Axes.around(points, width, height)
    parts = [axes.y_line(tick) for tick in axes.y_ticks()]
    parts += [axes.x_line(tick, _cost(tick, dollars=dollars)) for tick in axes.x_ticks()]
    parts.append(axes.words(x_label))
    best = sorted((p for p in points if p.frontier), key=lambda p: p.cost)
    steps = " ".join(f"{x},{y}" for x, y in (axes.at(p.cost, p.accuracy) for p in best))
    parts.append(f'<polyline class="frontier" points="{steps}"/>')
    order = sorted(points, key=lambda p: p.highlighted)
    parts += [axes.error(point) for point in order]
    parts += [axes.dot(point) for point in order]
    named = [point for point in points if names == "all" or point.highlighted]
    parts += _labels(points, named, axes)
    told, inner = html.escape(title), "\n".join(parts)
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{told}">\n<title>{told}</title>\n'
        f'<rect class="ground" width="{width}" height="{height}"/>\n{inner}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where values are on the drawing."""

    width: int
    height: int
    low: float
    high: float
    bottom: float
    top: float
    step: float
    log: bool

    @classmethod
    def around(cls, points: Sequence[Point], width: int, height: int) -> _Axes:
        costs = [point.cost for point in points]
        low, high = min(costs), max(costs)
        log = low > 0 and high > _WIDE * low
        if log:
            room = (high / low) ** 0.08
            low, high = low / room, high * room
        else:
            low, high = 0.0, high * 1.08 or 1.0
        bottom, top = min(p.low for p in points), max(p.high for p in points)
        step = _step(top - bottom)
        first, last = math.floor(bottom / step + 1e-9), math.ceil(top / step - 1e-9)
        bottom, top = first * step, max(last, first + 1) * step
        return cls(width, height, low, high, bottom, top, step, log)

    def at(self, cost: float, accuracy: float) -> tuple[float, float]:
        across = (
            math.log(cost / self.low) / math.log(self.high / self.low)
            if self.log
            else (cost - self.low) / (self.high - self.low)
        )
        up = (accuracy - self.bottom) / (self.top - self.bottom)
        return (
            round(_LEFT + across * (self.width - _LEFT - _RIGHT), 1),
            round(self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM), 1),
        )

    def y_ticks(self) -> Iterator[float]:
        for k in range(round((self.top - self.bottom) / self.step) + 1):
            yield self.bottom + k * self.step

    def x_ticks(self) -> list[float]:
        if not self.log:
            step = _round_above((self.high - self.low) / (self.width / 90))
            return [k * step for k in range(math.floor(self.high / step) + 1)]
        first = math.floor(math.log10(self.low))
        found = [
            base * 10.0**power
            for power in range(first, math.ceil(math.log10(self.high)) + 1)
            for base in ((1, 2, 5) if self.high / self.low < self.width * 2 else (1,))
        ]
        return [tick for tick in found if self.low <= tick <= self.high]

    def y_line(self, tick: float) -> str:
        y = self.at(self.low or self.high, tick)[1]
        return (
            f'<line class="grid" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">'
            f"{round(100 * tick, 1):g} %</text>"
        )

    def x_line(self, tick: float, told: str) -> str:
        x, y = self.at(tick, self.bottom)
        half = len(told) * _LETTER / 2
        x_text = min(max(x, _LEFT), self.width - half - 2)
        return (
            f'<line class="grid" x1="{x}" x2="{x}" y1="{y}" y2="{y + 4}"/>'
            f'<text class="tick" x="{x_text:.1f}" y="{y + 18}" text-anchor="middle">{told}</text>'
        )

    def words(self, x_label: str) -> str:
        middle = (_LEFT + self.width - _RIGHT) / 2
        how = ", logarithmic" if self.log else ""
        return (
            f'<text class="label" x="{middle}" y="{self.height - 8}" text-anchor="middle">'
            f"{html.escape(x_label + how)}</text>"
            '<text class="label" x="8" y="18">right answers</text>'
        )

    def error(self, point: Point) -> str:
        (x, low), (_, high) = self.at(point.cost, point.low), self.at(point.cost, point.high)
        kind = "error strong" if point.highlighted else "error"
        return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'

    def dot(self, point: Point) -> str:
        x, y = self.at(point.cost, point.accuracy)
        kind = "point strong" if point.highlighted else "point"
        told = html.escape(f"{point.name}: {point.note}" if point.note else point.name)
        size = 6 if point.highlighted else 4
        return (
            f'<g class="{kind}"><title>{told}</title>'
            f'<circle class="target" cx="{x}" cy="{y}" r="12"/>'
            f'<circle cx="{x}" cy="{y}" r="{size}"/></g>'
        )


def _labels(points: Sequence[Point], named: Sequence[Point], axes: _Axes) -> Iterator[str]:
    """Names beside their points, the highlighted first; none where nothing is free."""
    taken: list[Box] = []
    for point in points:
        x, y = axes.at(point.cost, point.accuracy)
        taken.append((x - 7, y - 7, x + 7, y + 7))
    taken += _along_frontier(points, axes)
    for point in sorted(named, key=lambda p: (not p.highlighted, not p.frontier)):
        x, y = axes.at(point.cost, point.accuracy)
        length = len(point.name) * _LETTER * (1.12 if point.highlighted else 1)
        for left, base in _places(x, y, length):
            box = (left, base - 11, left + length, base + 4)
            inside = box[0] >= _LEFT + 2 and box[2] <= axes.width - 2 and box[1] >= _TOP - 10
            if inside and box[3] <= axes.height - _BOTTOM and not any(_meet(box, o) for o in taken):
                taken.append(box)
                kind = "label strong" if point.highlighted else "label"
                far = abs(base - 4 - y) > _LINE * 1.2
                edge = left if abs(left - x) < abs(left + length - x) else left + length
                lead = f'<line class="lead" x1="{x}" y1="{y}" x2="{edge:.1f}" y2="{base - 4:.1f}"/>'
                text = f'<text class="{kind}" x="{left:.1f}" y="{base:.1f}">'
                yield (lead if far else "") + f"{text}{html.escape(point.name)}</text>"
                break


def _along_frontier(points: Sequence[Point], axes: _Axes) -> Iterator[Box]:
    """What the line of the frontier covers, so that no label stands on it."""
    best = sorted((p for p in points if p.frontier), key=lambda p: p.cost)
    places = [axes.at(point.cost, point.accuracy) for point in best]
    for (x, y), (to_x, to_y) in pairwise(places):
        steps = max(1, round(math.hypot(to_x - x, to_y - y) / 6))
        for step in range(1, steps):
            across, down = x + (to_x - x) * step / steps, y + (to_y - y) * step / steps
            yield across - 3, down - 2, across + 3, down + 2


def _places(x: float, y: float, length: float) -> Iterator[tuple[float, float]]:
    """Where a label may begin and on which line it stands, the nearest first."""
    for away in (0, 1, 2, 3, 4, 5):
        for up in (-away, away) if away else (0,):
            base = y + 4 + up * _LINE
            yield x + 10, base
            yield x - 10 - length, base
            if away:
                yield x - length / 2, base


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _step(span: float) -> float:
    """Between lines of shares: about five of them."""
    return next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1) if span / s <= 6.5), 0.2)


def _round_above(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(base * power for base in (*_ROUND, 10) if base * power >= value)


def _cost(value: float, *, dollars: bool) -> str:
    """A cost in few letters.

    >>> _cost(12500, dollars=False), _cost(0.0005, dollars=True)
    ('12.5k', '$0.0005')
    """
    if dollars:
        return f"${value:.3g}" if value >= 0.0001 or not value else f"${value:.0e}"
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e3 else f"{value:.3g}"
