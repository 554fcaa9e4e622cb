"""Where the compute went, as SVG: a bar for each class."""

from __future__ import annotations

import html
from collections.abc import Sequence

from tscale_graph.reporting.claims import percent
from tscale_graph.reporting.summary import ClassCell

WIDTH = 390
_ROW, _TOP = 42, 8


def bars(title: str, cells: Sequence[ClassCell]) -> str:
    """A bar for what a request of each class takes, the most first; without its style.

    Args:
        title: for screen readers.
        cells: one setting's, one for each class; at least one.
    """
    order = sorted(cells, key=lambda cell: -cell.tokens)
    most = order[0].tokens or 1.0
    parts: list[str] = []
    for place, cell in enumerate(order):
        y = _TOP + place * _ROW
        long = max(2.0, cell.tokens / most * (WIDTH - 16))
        told = (
            f"{cell.tokens:,.0f} tokens, {cell.calls:.1f} calls, "
            f"{percent(cell.gain, signed=True)} points"
        )
        parts.append(
            f'<text class="label" x="8" y="{y + 12}">{html.escape(_short(cell.task_class))}</text>'
            f'<text class="tick" x="{WIDTH - 8}" y="{y + 12}" text-anchor="end">{told}</text>'
            f'<rect class="bar" x="8" y="{y + 18}" width="{long:.1f}" height="9" rx="2"/>'
        )
    height = _TOP * 2 + len(order) * _ROW - 10
    told, inner = html.escape(title), "\n".join(parts)
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{told}">\n<title>{told}</title>\n'
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>\n{inner}\n</svg>\n'
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"
