"""What tuning found, put into rows, comparisons and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tscale_graph.tuning.choosing import Aim, Choice, Fitted
from tscale_graph.tuning.measured import Cost, Floats, Measured
from tscale_graph.tuning.promises import Draws, Expected, expected, holm
from tscale_graph.tuning.results import ClassChoice, Comparison, Row

_LEVEL = 0.05


def class_choices(
    measured: Measured,
    fitted: Fitted,
    choice: Choice,
    aim: Aim,
    shares: Mapping[str, float],
    right: Floats,
    spent: Floats,
    rng: np.random.Generator,
) -> tuple[ClassChoice, ...]:
    """The choices, each with its table and what was not believed."""
    names = np.array(measured.classes)
    group_of = {name: k for k, group in enumerate(fitted.groups) for name in group}
    found: list[ClassChoice] = []
    for name, share in shares.items():
        group = group_of[name]
        places = np.flatnonzero(names == name)
        own, other, chance = choice.settings[name]
        draws = Draws([name] * len(places), {name: 1.0}, rng)
        found.append(
            ClassChoice(
                name=name,
                questions=len(places),
                share=share,
                pooled_with=tuple(one for one in fitted.groups[group] if one != name),
                setting=measured.settings[own],
                other=measured.settings[other] if chance else None,
                chance=chance,
                expected=expected(draws, right[places], spent[places]),
                table=_table(measured.only(places), fitted, group),
                notes=_refusals(measured, fitted, group, own, aim),
            )
        )
    return tuple(found)


def comparisons(
    measured: Measured, cost: Cost, right: Floats, spent: Floats, draws: Draws
) -> tuple[Comparison, ...]:
    """The policy beside each setting that every question was measured with."""
    costs = measured.cost(cost)
    usable = ~(np.isnan(measured.accuracy) | np.isnan(costs)).any(axis=0)
    columns = [int(k) for k in np.flatnonzero(usable)]
    found = [draws.difference(right - measured.accuracy[:, k]) for k in columns]
    adjusted = holm([p_value for _, _, _, p_value in found])
    rows: list[Comparison] = []
    for k, (mean, low, high, _), p_value in zip(columns, found, adjusted, strict=True):
        its_cost = draws.mean(costs[:, k])
        shown = "no" if p_value > _LEVEL else "better" if mean > 0 else "worse"
        rows.append(
            Comparison(
                setting=measured.settings[k].name,
                difference=mean,
                low=low,
                high=high,
                p_value=p_value,
                cost_ratio=draws.mean(spent) / its_cost if its_cost else math.inf,
                shown=shown,
            )
        )
    return tuple(rows)


def words(
    measured: Measured,
    fitted: Fitted,
    choice: Choice,
    aim: Aim,
    promise: Expected,
    beside: Sequence[Comparison],
) -> tuple[str, ...]:
    """What was decided, what may be claimed and what may not."""
    notes = list(measured.notes)
    notes += [
        f"{', '.join(group)}: fewer than {aim.min_questions} questions each, so they share one "
        "setting"
        for group in fitted.groups
        if len(group) > 1
    ]
    accuracy, cost = promise.accuracy, promise.cost
    notes.append(
        f"on new questions: {_percent(accuracy.mean)} right "
        f"({_percent(accuracy.low)} to {_percent(accuracy.high)}) for {cost.mean:.5g} "
        f"{aim.cost} a request ({cost.low:.5g} to {cost.high:.5g})"
    )
    if aim.limit is not None and cost.high > aim.limit:
        notes.append(
            f"the mean may turn out above {aim.limit:g} {aim.cost}: up to {cost.high:.5g} is "
            "within what these questions can tell"
        )
    if aim.accuracy is not None and accuracy.mean < aim.accuracy:
        notes.append(
            f"{_percent(aim.accuracy)} is not expected on new questions, with any of the settings "
            "that were measured"
            if not choice.price
            else f"{_percent(aim.accuracy)} was reached on the measured questions, and is not "
            "expected on new ones"
        )
    many = f"; {len(beside)} settings were compared" if len(beside) > 1 else ""
    same = [one for one in beside if one.shown == "no" and one.cost_ratio > 1]
    if same:
        cheapest = max(same, key=lambda one: one.cost_ratio)
        notes.append(
            f"not shown to be more accurate than {cheapest.setting!r} for all classes, which costs "
            f"{1 / cheapest.cost_ratio:.0%} as much: {_points(cheapest)}{many}"
        )
    dearer = [one for one in beside if one.shown == "no" and one.cost_ratio < 1]
    if dearer:
        most = min(dearer, key=lambda one: one.cost_ratio)
        notes.append(
            f"no difference is shown from {most.setting!r} for all classes, at "
            f"{most.cost_ratio:.0%} of its cost: {_points(most)}{many}"
        )
    return tuple(notes)


def _table(measured: Measured, fitted: Fitted, group: int) -> tuple[Row, ...]:
    rows: list[Row] = []
    on_path = {one.chosen[group] for one in fitted.path}
    for k in sorted(fitted.columns[group], key=lambda k: float(fitted.costs[group, k])):
        right = measured.accuracy[:, k]
        usd = float(measured.usd[:, k].mean())
        error = float(right.std(ddof=1)) / math.sqrt(len(right)) if len(right) > 1 else 0.0
        rows.append(
            Row(
                setting=measured.settings[k].name,
                accuracy=float(right.mean()),
                standard_error=error,
                believed=float(fitted.accuracy[group, k]),
                tokens=float(measured.tokens[:, k].mean()),
                calls=float(measured.calls[:, k].mean()),
                usd=None if math.isnan(usd) else usd,
                on_path=k in on_path,
            )
        )
    return tuple(rows)


def _refusals(
    measured: Measured, fitted: Fitted, group: int, own: int, aim: Aim
) -> tuple[str, ...]:
    """The best-looking of the settings that were passed over for the chosen one."""
    beside = fitted.evidence.differences(than=own)
    costs = fitted.costs[group]
    better = [
        k for k in fitted.columns[group] if beside.mean[group, k] > 0 and costs[k] > costs[own] > 0
    ]
    if not better:
        return ()
    best = max(better, key=lambda k: float(beside.mean[group, k]))
    difference, error = float(beside.mean[group, best]), float(beside.error[group, best])
    looks = (
        f"{measured.settings[best].name!r} looks {100 * difference:.1f} points better "
        f"(standard error {100 * error:.1f}) for {float(costs[best] / costs[own]):.1f} times the "
        f"{aim.cost}"
    )
    if difference > aim.caution * error:
        return (f"{looks}, more than the aim asks for",)
    return (f"{looks}, which these questions do not show; {measured.settings[own].name!r} stands",)


def _points(one: Comparison) -> str:
    return (
        f"{100 * one.difference:+.1f} points (95 %: {100 * one.low:+.1f} to {100 * one.high:+.1f})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
