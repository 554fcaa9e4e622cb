"""Figures of a report on process reward models, with their intervals, as tables have them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tscale_graph.verifiers.process.metrics import Measured


def figure(measured: Measured | float | None, *, digits: int = 3, signed: bool = False) -> str:
    """A figure with its interval, or a dash where there is none; a difference with its sign.

    >>> figure(Measured(0.8342, 0.8065, 0.8596))
    '0.834 (0.806–0.860)'
    """
    if measured is None:
        return "–"
    if not isinstance(measured, Measured):
        return f"{measured:.{digits}f}"
    if math.isnan(measured.value):
        return "–"
    return _interval([_rounded(each, digits, signed=signed) for each in measured], signed=signed)


def percent(measured: Measured, *, signed: bool = False) -> str:
    """A share with its interval, in per cent; a difference, in percentage points with signs.

    >>> percent(Measured(0.5, 0.42, 0.581))
    '50.0 (42.0–58.1)'
    >>> percent(Measured(-0.02, -0.05, 0.01), signed=True)
    '−2.0 (−5.0 to +1.0)'
    """
    return _interval([_rounded(100 * each, 1, signed=signed) for each in measured], signed=signed)


def _interval(told: Sequence[str], *, signed: bool) -> str:
    value, low, high = told
    return f"{value} ({low} to {high})" if signed else f"{value} ({low}–{high})"


def _rounded(value: float, digits: int, *, signed: bool) -> str:
    told = f"{value:{'+' if signed else ''}.{digits}f}"
    return told.lstrip("+-") if float(told) == 0 else told.replace("-", "−")
