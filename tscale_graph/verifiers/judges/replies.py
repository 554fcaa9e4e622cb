"""Reading a judge's reply: a tool call, JSON wherever it stands, or plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from tscale_graph.verifiers.judges.forms import Form

T = TypeVar("T")

_MOST_TRIES = 100
_REASON_AT_MOST = 2000
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Filled(Generic[T]):
    """A form that was filled in."""

    value: T
    reason: str


def read_reply(form: Form[T], text: str, tool_calls: Sequence[Mapping[str, Any]] = ()) -> Filled[T]:
    r"""The form from whatever the model sent.

    Of several JSON objects that have the form's field the last counts: a model that quotes one
    does so before it gives its own.

    >>> from tscale_graph.verifiers.judges.forms import ScoreForm
    >>> read_reply(ScoreForm(10), '```json\n{"reason": "so", "score": 7}\n```')
    Filled(value=0.7, reason='so')

    Raises:
        ValueError: one line on what is missing or wrong.
    """
    for call in reversed(tool_calls):
        arguments = cast(Mapping[str, Any], call.get("args") or {})
        if form.field in arguments:
            return _filled(form, arguments)
    objects = [found for found in _objects(text) if form.field in found]
    if objects:
        return _filled(form, objects[-1])
    if not text.strip():
        raise ValueError("the reply is empty")
    return Filled(form.read_prose(text), text.strip()[:_REASON_AT_MOST])


def _filled(form: Form[T], fields: Mapping[str, Any]) -> Filled[T]:
    reason = fields.get("reason")
    told = reason if isinstance(reason, str) else ""
    return Filled(form.read(fields[form.field]), told.strip()[:_REASON_AT_MOST])


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """Every JSON object that stands in the text, those inside another left out."""
    at = 0
    for _ in range(_MOST_TRIES):
        at = text.find("{", at)
        if at < 0:
            return
        try:
            value, at = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(value, dict):
            yield cast(Mapping[str, Any], value)
