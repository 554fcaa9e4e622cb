"""Every question with what each setting answered: data for the page, and the page's part."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from tscale_graph.recordings.outcomes import Outcome
from tscale_graph.reporting.summary import Summary

_MOST = 4000
"""Letters of a question that the page shows."""
_VOTES = 6


def question_data(outcomes: Iterable[Outcome], summary: Summary) -> dict[str, Any]:
    """Everything that the page shows of the questions, as JSON has it.

    Args:
        outcomes: of all settings.
        summary: says which settings there are, in their order.
    """
    settings = [row.name for row in summary.settings]
    notes: dict[str, int] = {}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    runs: dict[tuple[str, str, str], list[Outcome]] = {}
    for one in outcomes:
        key = one.task_class, one.id
        question = one.question if len(one.question) <= _MOST else f"{one.question[:_MOST]}…"
        told = {"class": one.task_class, "id": one.id, "question": question, "gold": one.gold}
        found.setdefault(key, told)
        runs.setdefault((*key, one.setting), []).append(one)
    for key, told in found.items():
        told["settings"] = [
            _cell(runs[(*key, name)], notes) if (*key, name) in runs else None for name in settings
        ]
    return {
        "settings": settings,
        "highlighted": [row.highlighted for row in summary.settings],
        "classes": list(summary.class_names),
        "notes": list(notes),
        "questions": list(found.values()),
    }


def questions_part(data: dict[str, Any]) -> str:
    """The part of the page: controls, an empty list, and the data, which nothing executes."""
    # "<" would let a text end the element or begin a comment.
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    options = "".join(f"<option>{html.escape(name)}</option>" for name in data["classes"])
    settings = "".join(
        f'<option value="wrong {k}">{html.escape(name)} is wrong</option>'
        for k, name in enumerate(data["settings"])
    )
    return (
        '<section id="questions"><h2>Every question</h2>\n<noscript><p class="note">The list needs '
        "JavaScript; the outcomes themselves are in the files that this is a report of."
        '</p></noscript>\n<form class="filters" hidden>'
        '<label>Search <input type="search" id="search"></label>'
        f'<label>Class <select id="class"><option value="">all</option>{options}</select></label>'
        '<label>Show <select id="show"><option value="">all</option>'
        '<option value="differ">settings differ</option><option value="cut">cut off</option>'
        f"{settings}</select></label>"
        '<label>Order <select id="order"><option value="">as asked</option>'
        '<option value="tokens">most tokens first</option>'
        '<option value="hard">hardest first</option></select></label></form>\n'
        '<p class="note" id="count" aria-live="polite"></p>\n<div id="list"></div>\n'
        '<p><button type="button" id="more" hidden>Show more</button></p>\n'
        f'<script type="application/json" id="data">{plain}</script></section>'
    )


@functools.cache
def resource(name: str) -> str:
    """A file of this package."""
    return resources.files("tscale_graph.reporting").joinpath(name).read_text(encoding="utf-8")


def _cell(runs: list[Outcome], notes: dict[str, int]) -> dict[str, Any]:
    first = runs[0]
    votes = sorted(first.votes.items(), key=lambda one: -one[1])
    told = [f"{answer} × {count}" for answer, count in votes[:_VOTES]]
    if len(votes) > _VOTES:
        told.append(f"{len(votes) - _VOTES} more")
    return {
        "answer": first.answer,
        "right": sum(run.correct for run in runs),
        "runs": len(runs),
        "tokens": round(sum(run.usage.tokens for run in runs) / len(runs)),
        "calls": round(sum(run.usage.calls for run in runs) / len(runs), 1),
        "votes": ", ".join(told),
        "cut": first.cut_off_by,
        "route": first.route,
        "error": first.error,
        "notes": [notes.setdefault(note, len(notes)) for note in first.notes],
    }
