"""A report on disk: report.md, report.json, report.html and its pictures."""

from __future__ import annotations

import dataclasses
import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from tscale_graph.pages.page import page as html_page
from tscale_graph.pages.page import standalone
from tscale_graph.verifiers.process.buying import (
    BEST,
    LOGPROB,
    MAJORITY,
    ORACLE,
    SINGLE,
    WEIGHTED,
    Bought,
)
from tscale_graph.verifiers.process.comparing import Comparison
from tscale_graph.verifiers.process.metrics import Measured
from tscale_graph.verifiers.process.report.charts import Line, curves, reliability_chart
from tscale_graph.verifiers.process.report.contents import Report, findings, tables

_COLOURS = {WEIGHTED: 0, BEST: 1, SINGLE: 2, LOGPROB: 3, MAJORITY: 4, ORACLE: 5}


def write_report(folder: str | os.PathLike[str], report: Report) -> list[Path]:
    """Write all files; the folder is made where it is not there.

    Returns:
        The files, the page first.

    Raises:
        OSError: when one cannot be written.
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    pictures = charts(report)
    contents = {
        "report.html": page(report),
        "report.md": markdown(report),
        "report.json": json.dumps(plain(report), indent=2, ensure_ascii=False) + "\n",
        **{f"{name}.svg": standalone(svg) for name, (_, svg) in pictures.items()},
    }
    for name, content in contents.items():
        (where / name).write_text(content, encoding="utf-8")
    return [where / name for name in contents]


def charts(report: Report) -> dict[str, tuple[str, str]]:
    """The pictures of a report: by name, a title and the SVG without its style."""
    found: dict[str, tuple[str, str]] = {}
    for one in report.bought:
        suffix, of = ("", "") if one.group == "all" else (f"-{_slug(one.group)}", f": {one.group}")
        found |= {f"accuracy{suffix}": _accuracy(one, of), f"gain{suffix}": _gain(one, of)}
    for one in report.steps[:1]:
        title = "Do scores mean what they say?"
        drawn = reliability_chart(title, one.reliability, one.intervals)
        found["reliability"] = (title, drawn)
    return found


def page(report: Report) -> str:
    """The report as one HTML page that loads nothing and runs nothing."""
    figures = "\n".join(
        f"<figure><figcaption>{html.escape(title)}</figcaption>\n{svg}</figure>"
        for title, svg in charts(report).values()
    )
    first, *others = tables(report)
    card = first.html().replace("<table>", '<table class="words">')
    listed = "".join(f"<li>{html.escape(told)}</li>" for told in findings(report))
    notes = "".join(f'<p class="note">{html.escape(note)}</p>' for note in report.notes)
    main = [
        f'<ul class="findings">{listed}</ul>' if listed else "",
        f'<div class="charts">\n{figures}\n</div>' if figures else "",
        *(table.html() for table in others),
        card,
        notes,
    ]
    subtitle = f"{report.card.policy}; {report.card.data}; {report.card.created}"
    return html_page("Process reward model", subtitle, "\n".join(main))


def markdown(report: Report) -> str:
    """The report as Markdown, with its pictures beside it."""
    told = "".join(f"- {one}\n" for one in findings(report))
    pictures = "".join(f"![{t}]({name}.svg)\n\n" for name, (t, _) in charts(report).items())
    first, *others = tables(report)
    notes = "".join(f"{note}\n\n" for note in report.notes)
    body = "\n".join(table.markdown() for table in [*others, first])
    return f"# Process reward model\n\n{told}\n{pictures}{body}\n{notes}".rstrip() + "\n"


def plain(value: Any) -> Any:
    """Values as JSON has them: dataclasses and named tuples by field, NaN as null."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Measured | Comparison):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in cast(Sequence[Any], value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _accuracy(one: Bought, of: str) -> tuple[str, str]:
    title = f"Right answers among N samples{of}"
    order = [ORACLE, WEIGHTED, BEST, MAJORITY, LOGPROB, SINGLE]
    lines = [Line(way, one.curves[way], _COLOURS[way]) for way in order if way in one.curves]
    places = [str(count) for count in one.counts]
    drawn = curves(title, lines, places=places, x_label="samples N", y_label="right answers")
    return title, drawn


def _gain(one: Bought, of: str) -> tuple[str, str]:
    title = f"Gain over majority{of}"
    lines = [
        Line(way, [c.difference for c in one.comparisons[way]], _COLOURS[way])
        for way in (WEIGHTED, BEST, LOGPROB)
        if way in one.comparisons
    ]
    places = [str(count) for count in one.counts]
    label = "percentage points above majority"
    drawn = curves(title, lines, places=places, x_label="samples N", y_label=label, signed=True)
    return title, drawn


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.casefold())
