"""A report on disk: report.html, report.md, report.json and frontier.svg."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tscale_graph.pages.page import page, standalone
from tscale_graph.recordings.outcomes import Outcome
from tscale_graph.reporting.contents import class_pictures, picture, tables, where_pictures
from tscale_graph.reporting.questions import question_data, questions_part, resource
from tscale_graph.reporting.summarising import summarise
from tscale_graph.reporting.summary import Summary

_WIDE, _NARROW = (760, 400), (390, 330)


def write_report(
    outcomes: Iterable[Outcome],
    out: str | os.PathLike[str],
    *,
    highlight: Sequence[str] = (),
    title: str = "What more compute buys",
    seed: int = 0,
) -> Summary:
    """Write a report on some outcomes into a folder, which is made if it is not there.

    Args:
        outcomes: of any number of settings; see `read_outcomes`.
        out: the folder for report.html, which loads nothing; report.md; report.json; and
            frontier.svg, the first picture.
        highlight: the settings that it is about; those that a router served if none.
        title: of the report.
        seed: of the bootstrap.

    Returns:
        What the report says.

    Raises:
        ValueError: when there are no outcomes, or no setting of a highlighted name.
        OSError: when a file cannot be written.
    """
    every = list(outcomes)
    summary = summarise(every, highlight=highlight, title=title, seed=seed)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    first = picture(summary, cost="tokens", width=_WIDE[0], height=_WIDE[1])
    contents = {
        "report.html": _page(summary, every),
        "report.md": _markdown(summary, with_picture=first is not None),
        "report.json": summary.model_dump_json(indent=2) + "\n",
        **({"frontier.svg": standalone(first)} if first is not None else {}),
    }
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return summary


def _page(summary: Summary, outcomes: Sequence[Outcome]) -> str:
    told = "".join(f"<li>{html.escape(one)}</li>" for one in summary.findings)
    notes = "".join(f'<p class="note">{html.escape(note)}</p>' for note in summary.notes)
    first, *others = (table.html() for table in tables(summary))
    main = [
        f'<ul class="findings">{told}</ul>',
        _hero(summary),
        first,
        _figures("What it costs otherwise", list(_other_costs(summary))),
        _figures("Where the compute went", list(where_pictures(summary))),
        *others,
        _figures("Class by class", list(class_pictures(summary))),
        questions_part(question_data(outcomes, summary)),
        notes,
    ]
    asked = max(row.questions for row in summary.settings)
    subtitle = f"{len(summary.settings)} settings, {asked:,} questions"
    return page(
        summary.title,
        subtitle,
        "\n".join(part for part in main if part),
        style=resource("report.css"),
        script=resource("questions.js"),
    )


def _hero(summary: Summary) -> str:
    wide, narrow = (
        picture(summary, cost="tokens", width=width, height=height)
        for width, height in (_WIDE, _NARROW)
    )
    if wide is None or narrow is None:
        return ""
    both = f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
    return f'<figure class="hero">{both}</figure>'


def _other_costs(summary: Summary) -> Iterable[tuple[str, str]]:
    for cost, told in (("usd", "Dollars"), ("seconds", "Latency")):
        drawn = picture(summary, cost=cost, width=_NARROW[0], height=_NARROW[1])
        if drawn is not None:
            yield told, drawn


def _figures(title: str, pictures: Sequence[tuple[str, str]]) -> str:
    if not pictures:
        return ""
    drawn = "\n".join(
        f"<figure><figcaption>{html.escape(told)}</figcaption>\n{svg}</figure>"
        for told, svg in pictures
    )
    return (
        f'<section><h2>{html.escape(title)}</h2>\n<div class="charts">\n{drawn}\n</div></section>'
    )


def _markdown(summary: Summary, *, with_picture: bool) -> str:
    told = "".join(f"- {one}\n" for one in summary.findings)
    shown = "![Right answers over tokens](frontier.svg)\n\n" if with_picture else ""
    body = "\n".join(table.markdown() for table in tables(summary))
    notes = "\n\n".join(summary.notes)
    return f"# {summary.title}\n\n{told}\n{shown}{body}\n{notes}\n"
