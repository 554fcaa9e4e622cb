"""A table, as text for a terminal, as Markdown and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A table of words and figures.

    Attributes:
        title: what it shows.
        headers: of the columns; the first column is of words, the others of figures.
        rows: as many cells each as there are headers.
        note: how to read it.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def text(self) -> str:
        """For a terminal, columns aligned."""
        every = (self.headers, *self.rows)
        widths = [max(len(row[k]) for row in every) for k in range(len(self.headers))]
        lines = ["  ".join(_padded(row, widths)).rstrip() for row in every]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([self.title, "", *lines, *_told(self.note, width=100)])

    def markdown(self) -> str:
        """For a file that is read on a page of code."""

        def line(cells: Sequence[str]) -> str:
            return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

        rule = line(["---", *["---:"] * (len(self.headers) - 1)])
        rows = [line(self.headers), rule, *map(line, self.rows)]
        return "\n".join([f"## {self.title}", "", *rows, *_told(self.note)]) + "\n"

    def html(self) -> str:
        """For a page; nothing in it is markup."""
        head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in self.headers)
        body = "\n".join(
            f'<tr><th scope="row">{html.escape(first)}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in others)
            + "</tr>"
            for first, *others in self.rows
        )
        note = f'<p class="note">{html.escape(self.note)}</p>\n' if self.note else ""
        title = html.escape(self.title)
        return (
            f"<section>\n<h2>{title}</h2>\n"
            f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n"
            f"{note}</section>"
        )


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if place else cell.ljust(width)


def _told(note: str, *, width: int | None = None) -> list[str]:
    if not note:
        return []
    return ["", textwrap.fill(note, width) if width else note]
