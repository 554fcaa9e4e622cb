"""What a report may claim, and what it must admit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tscale_graph.reporting.summary import Difference, SettingRow, Share, Summary


def findings(summary: Summary) -> Iterator[str]:
    """The sentences at the head of a report."""
    rows = summary.settings
    if not summary.highlighted:
        best = max(rows, key=lambda row: row.accuracy.mean)
        yield f"{best.name} is the most accurate: {_told(best)}."
        cheapest = rows[0]
        if cheapest.name != best.name:
            yield f"{cheapest.name} is the cheapest: {_told(cheapest)}."
        return
    for row in summary.highlighted:
        yield f"{row.name}: {_told(row)}."
        own = [one for one in summary.differences if one.setting == row.name]
        known = {other.name: other for other in rows}
        plain = [one for one in own if not known[one.other].highlighted]
        if not plain:
            continue
        best = max(plain, key=lambda one: known[one.other].accuracy.mean)
        yield (
            f"The most accurate of the others, {best.other} "
            f"({percent(known[best.other].accuracy.mean)}), takes {_times(1 / best.tokens_ratio)} "
            f"the tokens: {_claim(best)}."
        )
        dearer = [one for one in plain if one.tokens_ratio <= 1 and one != best]
        if dearer:
            near = max(dearer, key=lambda one: one.tokens_ratio)
            yield (
                f"{near.other}, which takes {_times(1 / near.tokens_ratio)} the tokens: "
                f"{_claim(near)}."
            )


def notes_on(rows: Sequence[SettingRow], asked: Sequence[set[tuple[str, str]]]) -> Iterator[str]:
    """What limits a report."""
    if any(one != asked[0] for one in asked):
        yield (
            "Not all settings were asked the same questions. Differences are of the questions that "
            "both were asked; everything else is of all questions of a setting."
        )
    failed = {row.name: row.failed for row in rows if row.failed}
    if failed:
        told = ", ".join(f"{name} {count}" for name, count in failed.items())
        yield f"Runs that failed count as wrong: {told}."
    yield (
        "Intervals are 95 %: a Bayesian bootstrap over questions within their classes. Whether a "
        "difference is shown is tested after Holm's correction for all comparisons of a setting."
    )
    yield "Latencies are those of runs side by side on one machine."


def percent(share: float, *, signed: bool = False) -> str:
    """A share in per cent; a difference in points, with its sign.

    >>> percent(0.5), percent(-0.012, signed=True)
    ('50.0 %', '−1.2')
    """
    if signed:
        told = f"{100 * share:+.1f}"
        return "0.0" if float(told) == 0 else told.replace("-", "−")
    return f"{100 * share:.1f} %"


def interval(share: Share, *, signed: bool = False) -> str:
    """A share with its interval.

    >>> interval(Share(mean=0.5, low=0.4, high=0.6))
    '50.0 % (40.0 to 60.0)'
    """
    low, high = (
        percent(value, signed=signed).removesuffix(" %") for value in (share.low, share.high)
    )
    return f"{percent(share.mean, signed=signed)} ({low} to {high})"


def _told(row: SettingRow) -> str:
    return f"{interval(row.accuracy)} right for {row.tokens.mean:,.0f} tokens a request"


def _claim(one: Difference) -> str:
    points = f"{interval(one.difference, signed=True)} points"
    if one.shown == "no":
        return f"no difference is shown, {points}"
    return f"{one.setting} is {one.shown}, {points}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times"
