"""Answers that are JSON or code."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

_FENCE = re.compile(r"```[^\n`]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_MOST_STARTS = 200
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Json:
    """The last complete JSON object or array in the text."""

    name: str = "json"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The JSON as it is written, or None."""
        fenced = [body for body in _FENCE.findall(text) if _parse(body.strip()) is not _NOT_JSON]
        if fenced:
            return fenced[-1].strip()
        if _parse(text.strip()) is not _NOT_JSON and not truncated:
            return text.strip()
        return _last_object(text)

    def key(self, answer: str) -> str:
        """Sorted, compact, with 1.0 as 1; other text as it is."""
        value = _parse(answer)
        if value is _NOT_JSON:
            return " ".join(answer.split())
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Code:
    """The last fenced block of code, or the whole text where there is no fence."""

    name: str = "code"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The code, or None."""
        blocks = _FENCE.findall(text)
        if blocks:
            return blocks[-1].strip("\n") or None
        if truncated or "```" in text:
            return None
        return text.strip("\n") if text.strip() else None

    def key(self, answer: str) -> str:
        """The syntax tree where it is Python, so comments and spacing do not matter."""
        try:
            return ast.dump(ast.parse(answer))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return " ".join(answer.split())


_NOT_JSON = object()


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _last_object(text: str) -> str | None:
    """The outermost object or array that ends last."""
    decoder = json.JSONDecoder()
    best: tuple[int, int] | None = None
    place, tries = 0, 0
    while tries < _MOST_STARTS:
        opening = re.compile(r"[\[{]").search(text, place)
        if opening is None:
            break
        tries += 1
        try:
            _, end = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            place = opening.end()
            continue
        best, place = (opening.start(), end), end
    return text[best[0] : best[1]] if best else None


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return repr(value)
    if isinstance(value, dict):
        return {str(k): _plain(v, depth + 1) for k, v in value.items()}  # pyright: ignore
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]  # pyright: ignore
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
