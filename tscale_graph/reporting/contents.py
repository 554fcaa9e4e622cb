"""The tables and the pictures of a report."""

from __future__ import annotations

from collections.abc import Iterator

from tscale_graph.budget import LIMITS
from tscale_graph.pages.tables import Table
from tscale_graph.reporting.bars import bars
from tscale_graph.reporting.claims import interval, percent
from tscale_graph.reporting.scatter import Point, scatter
from tscale_graph.reporting.summary import Difference, SettingRow, Summary, frontier

_AXES = {
    "tokens": "tokens of a request, mean",
    "usd": "dollars of a request, mean",
    "seconds": "seconds of a request, median",
}
_DASH = "–"


def tables(summary: Summary) -> Iterator[Table]:
    """The tables, in the order in which they are read."""
    yield _settings(summary)
    for row in summary.highlighted:
        own = [one for one in summary.differences if one.setting == row.name]
        if own:
            yield _differences(row.name, own)
    for row in summary.highlighted:
        if len(summary.class_names) > 1:
            yield _where(summary, row.name)
    if len(summary.class_names) > 1:
        yield _by_class(summary)
    if any(row.cut_off or row.failed for row in summary.settings):
        yield _cut_offs(summary)


def picture(summary: Summary, *, cost: str, width: int, height: int) -> str | None:
    """Accuracy over a cost, every setting a point; None where the cost is not known."""
    points = list(_points(summary, cost))
    if not points or not any(point.cost for point in points):
        return None
    title = f"Right answers over {_AXES[cost]}"
    return scatter(
        title, points, x_label=_AXES[cost], width=width, height=height, dollars=cost == "usd"
    )


def class_pictures(summary: Summary) -> Iterator[tuple[str, str]]:
    """Accuracy over tokens in each class: its name and the picture."""
    if len(summary.class_names) < 2:
        return
    chosen = {row.name for row in summary.highlighted}
    for name in summary.class_names:
        cells = [cell for cell in summary.classes if cell.task_class == name]
        best = frontier({cell.setting: (cell.tokens, cell.accuracy) for cell in cells})
        points = [
            Point(
                name=cell.setting,
                cost=cell.tokens,
                accuracy=cell.accuracy,
                low=cell.accuracy,
                high=cell.accuracy,
                highlighted=cell.setting in chosen,
                frontier=cell.setting in best,
                note=f"{percent(cell.accuracy)}, {cell.tokens:,.0f} tokens",
            )
            for cell in cells
        ]
        title = f"{name}: right answers over tokens"
        told = f"{name} ({max(cell.questions for cell in cells)} questions)"
        drawn = scatter(title, points, x_label="tokens", height=230, names="highlighted")
        yield told, drawn


def where_pictures(summary: Summary) -> Iterator[tuple[str, str]]:
    """Where the compute of each highlighted setting went."""
    for row in summary.highlighted:
        cells = [cell for cell in summary.classes if cell.setting == row.name]
        if len(cells) > 1:
            cheapest = summary.settings[0].name
            title = f"{row.name}: what a request takes, and what that gains over {cheapest}"
            yield title, bars(title, cells)


def _points(summary: Summary, cost: str) -> Iterator[Point]:
    for row in summary.settings:
        spent = row.cost(cost)
        if spent is not None:
            yield Point(
                name=row.name,
                cost=spent,
                accuracy=row.accuracy.mean,
                low=row.accuracy.low,
                high=row.accuracy.high,
                highlighted=row.highlighted,
                frontier=cost in row.frontier,
                note=f"{interval(row.accuracy)}, {_spent(row)}",
            )


def _spent(row: SettingRow) -> str:
    usd = f", ${row.usd:.4f}" if row.usd is not None else ""
    return f"{row.tokens.mean:,.0f} tokens{usd}, {row.seconds:.1f} s"


def _settings(summary: Summary) -> Table:
    priced = any(row.usd is not None for row in summary.settings)
    rows = [
        (
            f"{'▸ ' if row.highlighted else ''}{row.name}",
            interval(row.accuracy),
            f"{row.tokens.mean:,.0f}",
            f"{row.calls:.1f}",
            *([_DASH if row.usd is None else f"{row.usd:.5f}"] if priced else []),
            f"{row.seconds:.2f} / {row.slowest:.2f}",
            _DASH if row.cost_of_pass is None else f"{row.cost_of_pass:,.0f}",
            f"{100 * sum(row.cut_off.values()) / row.runs:.1f} %",
            "yes" if "tokens" in row.frontier else "",
        )
        for row in summary.settings
    ]
    headers = (
        "setting",
        "right (95 %)",
        "tokens",
        "calls",
        *(["dollars"] if priced else []),
        "seconds",
        "tokens per right answer",
        "cut off",
        "frontier",
    )
    note = (
        "Means of a request, the cheapest first; of seconds the median, and what one request in "
        "twenty exceeds. On the frontier nothing is as accurate for fewer tokens."
    )
    return Table("Settings", headers, tuple(rows), note)


def _differences(name: str, own: list[Difference]) -> Table:
    rows = [
        (
            one.other,
            str(one.questions),
            interval(one.difference, signed=True),
            f"{one.p_value:.3f}" if one.p_value >= 0.001 else "< 0.001",
            f"{100 * one.tokens_ratio:.0f} %",
            {"no": "none is shown", "better": "better", "worse": "worse"}[one.shown],
        )
        for one in own
    ]
    headers = ("than", "questions", "points (95 %)", "p (Holm)", "of its tokens", "difference")
    note = "On the same questions: how many points more of them are right."
    return Table(f"{name}, compared", headers, tuple(rows), note)


def _where(summary: Summary, name: str) -> Table:
    cells = [cell for cell in summary.classes if cell.setting == name]
    rows = [
        (
            cell.task_class,
            f"{100 * cell.question_share:.0f} %",
            f"{100 * cell.token_share:.0f} %",
            f"{cell.calls:.1f}",
            percent(cell.accuracy),
            percent(cell.gain, signed=True),
        )
        for cell in sorted(cells, key=lambda cell: -cell.token_share)
    ]
    headers = ("class", "of the questions", "of the tokens", "calls", "right", "points gained")
    note = f"Points are those beyond {summary.settings[0].name}, the cheapest setting."
    return Table(f"{name}: where the compute went", headers, tuple(rows), note)


def _by_class(summary: Summary) -> Table:
    at = {(cell.setting, cell.task_class): cell for cell in summary.classes}
    rows: list[tuple[str, ...]] = []
    for row in summary.settings:
        found = [at.get((row.name, name)) for name in summary.class_names]
        told = [percent(cell.accuracy) if cell else _DASH for cell in found]
        rows.append((f"{'▸ ' if row.highlighted else ''}{row.name}", *told))
    return Table("Right answers by class", ("setting", *summary.class_names), tuple(rows))


def _cut_offs(summary: Summary) -> Table:
    limits = ("calls", "tokens", "usd", "seconds")
    rows = [
        (
            row.name,
            str(row.runs),
            *(str(row.cut_off.get(one, 0)) for one in limits),
            str(row.failed),
        )  # pyright: ignore
        for row in summary.settings
        if row.cut_off or row.failed
    ]
    headers = ("setting", "runs", *(f"by {one}" for one in LIMITS), "failed")
    note = "Runs that a limit of their budget ended: they answered with what they had."
    return Table("Budget cut-offs", headers, tuple(rows), note)
