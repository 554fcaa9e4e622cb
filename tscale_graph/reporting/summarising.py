"""From outcomes to what a report says: pure, on plain values and arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tscale_graph.budget import Limit
from tscale_graph.recordings.outcomes import Outcome
from tscale_graph.reporting.claims import findings, notes_on
from tscale_graph.reporting.summary import (
    COSTS,
    ClassCell,
    Difference,
    SettingRow,
    Share,
    Summary,
    frontier,
)
from tscale_graph.tuning.measured import Floats
from tscale_graph.tuning.promises import Draws, Interval, holm

_LEVEL = 0.05
_SLOWEST = 95
Key = tuple[str, str]
"""A question: its class and its id."""


@dataclass(frozen=True)
class Ran:
    """One setting's runs, each question once: means over its runs.

    Attributes:
        name: of the setting.
        keys: the questions.
        accuracy: of each.
        tokens: of each.
        calls: of each.
        usd: of each.
        seconds: of every run.
        cut_off: runs that their budget ended, by limit.
        failed: runs that raised.
        routed: a router served some of them.
    """

    name: str
    keys: tuple[Key, ...]
    accuracy: Floats
    tokens: Floats
    calls: Floats
    usd: Floats
    seconds: Floats
    cut_off: dict[Limit, int]
    failed: int
    routed: bool


def summarise(
    outcomes: Iterable[Outcome],
    *,
    highlight: Sequence[str] = (),
    title: str = "What more compute buys",
    seed: int = 0,
) -> Summary:
    """What some outcomes come to.

    Intervals are bootstraps over questions within their classes; differences are taken on the
    questions that both settings were asked, and tested with Holm's correction.

    Args:
        outcomes: of any number of settings, on the same questions or others.
        highlight: the settings that the report is about; those that a router served if none.
        title: of the report.
        seed: of the draws.

    Raises:
        ValueError: when there are no outcomes, or no setting of a highlighted name.
    """
    ran = gathered(outcomes)
    names = [one.name for one in ran]
    for name in highlight:
        if name not in names:
            raise ValueError(f"highlight must be one of {', '.join(names)}, got {name!r}")
    chosen = set(highlight) or {one.name for one in ran if one.routed}
    rng = np.random.default_rng(seed)
    rows = _rows(ran, chosen, rng)
    differences = [d for one in ran if one.name in chosen for d in _differences(one, ran, rng)]
    classes = _classes(ran)
    found = Summary(
        title=title,
        settings=tuple(rows),
        differences=tuple(differences),
        classes=tuple(classes),
        findings=(),
        notes=tuple(notes_on(rows, [set(one.keys) for one in ran])),
    )
    return found.model_copy(update={"findings": tuple(findings(found))})


def gathered(outcomes: Iterable[Outcome]) -> list[Ran]:
    """The runs of each setting, the cheapest first.

    Raises:
        ValueError: when there are none.
    """
    by_setting: dict[str, dict[Key, list[Outcome]]] = {}
    for one in outcomes:
        questions = by_setting.setdefault(one.setting, {})
        questions.setdefault((one.task_class, one.id), []).append(one)
    if not by_setting:
        raise ValueError("there are no outcomes to report")
    ran = [_ran(name, questions) for name, questions in by_setting.items()]
    return sorted(ran, key=lambda one: float(one.tokens.mean()))


def _ran(name: str, questions: dict[Key, list[Outcome]]) -> Ran:
    every = [run for runs in questions.values() for run in runs]
    limits: Counter[Limit] = Counter(one for run in every if (one := run.cut_off_by) is not None)

    def means(values: Sequence[Sequence[float]]) -> Floats:
        return np.array([sum(each) / len(each) for each in values], dtype=np.float64)

    return Ran(
        name=name,
        keys=tuple(questions),
        accuracy=means([[run.correct for run in runs] for runs in questions.values()]),
        tokens=means([[run.usage.tokens for run in runs] for runs in questions.values()]),
        calls=means([[run.usage.calls for run in runs] for runs in questions.values()]),
        usd=means([[run.usage.usd for run in runs] for runs in questions.values()]),
        seconds=np.array([run.usage.seconds for run in every]),
        cut_off=dict(limits),
        failed=sum(run.status == "failed" for run in every),
        routed=any(run.route is not None for run in every),
    )


def _rows(ran: Sequence[Ran], chosen: set[str], rng: np.random.Generator) -> list[SettingRow]:
    usd_known = any(one.usd.any() for one in ran)
    rows: list[SettingRow] = []
    for one in ran:
        draws = _draws(one.keys, rng)
        right = float(one.accuracy.mean())
        rows.append(
            SettingRow(
                name=one.name,
                highlighted=one.name in chosen,
                questions=len(one.keys),
                runs=len(one.seconds),
                accuracy=_share(draws.accuracy(one.accuracy)),
                tokens=_share(draws.cost(one.tokens)),
                calls=float(one.calls.mean()),
                usd=float(one.usd.mean()) if usd_known else None,
                seconds=float(np.median(one.seconds)),
                slowest=float(np.percentile(one.seconds, _SLOWEST)),
                cost_of_pass=float(one.tokens.mean()) / right if right else None,
                cut_off=one.cut_off,
                failed=one.failed,
                frontier=(),
            )
        )
    best = {
        cost: frontier(
            {
                row.name: (spent, row.accuracy.mean)
                for row in rows
                if (spent := row.cost(cost)) is not None
            }
        )
        for cost in COSTS
    }
    return [
        row.model_copy(update={"frontier": tuple(cost for cost in COSTS if row.name in best[cost])})
        for row in rows
    ]


def _differences(one: Ran, ran: Sequence[Ran], rng: np.random.Generator) -> list[Difference]:
    found: list[tuple[str, int, tuple[float, float, float, float], float]] = []
    for other in ran:
        places = {key: place for place, key in enumerate(other.keys)}
        mine = [k for k, key in enumerate(one.keys) if key in places]
        if other.name == one.name or not mine:
            continue
        theirs = [places[one.keys[k]] for k in mine]
        draws = _draws([one.keys[k] for k in mine], rng)
        told = draws.difference(one.accuracy[mine] - other.accuracy[theirs])
        ratio = float(one.tokens[mine].sum() / max(1.0, other.tokens[theirs].sum()))
        found.append((other.name, len(mine), told, ratio))
    adjusted = holm([told[3] for _, _, told, _ in found])
    return [
        Difference(
            setting=one.name,
            other=name,
            questions=questions,
            difference=Share(mean=told[0], low=told[1], high=told[2]),
            p_value=p_value,
            tokens_ratio=ratio,
            shown=_shown(told[0], p_value),
        )
        for (name, questions, told, ratio), p_value in zip(found, adjusted, strict=True)
    ]


def _shown(mean: float, p_value: float) -> Literal["better", "worse", "no"]:
    if p_value > _LEVEL:
        return "no"
    return "better" if mean > 0 else "worse"


def _classes(ran: Sequence[Ran]) -> list[ClassCell]:
    cheapest = dict(zip(ran[0].keys, ran[0].accuracy, strict=True))
    names = dict.fromkeys(name for one in ran for name, _ in one.keys)
    cells: list[ClassCell] = []
    for name in names:
        for one in ran:
            places = [k for k, key in enumerate(one.keys) if key[0] == name]
            if not places:
                continue
            both = [k for k in places if one.keys[k] in cheapest]
            gains = [float(one.accuracy[k] - cheapest[one.keys[k]]) for k in both]
            cells.append(
                ClassCell(
                    task_class=name,
                    setting=one.name,
                    questions=len(places),
                    accuracy=float(one.accuracy[places].mean()),
                    tokens=float(one.tokens[places].mean()),
                    calls=float(one.calls[places].mean()),
                    token_share=float(one.tokens[places].sum() / max(1.0, one.tokens.sum())),
                    question_share=len(places) / len(one.keys),
                    gain=sum(gains) / len(gains) if gains else 0.0,
                )
            )
    return cells


def _draws(keys: Sequence[Key], rng: np.random.Generator) -> Draws:
    classes = [name for name, _ in keys]
    counted = Counter(classes)
    shares = {name: count / len(keys) for name, count in counted.items()}
    return Draws(classes, shares, rng)


def _share(interval: Interval) -> Share:
    return Share(mean=interval.mean, low=interval.low, high=interval.high)
