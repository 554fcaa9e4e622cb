"""Answers that are JSON or code."""

from __future__ import annotations

import ast
import json
import re
import threading
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from tscale_graph.answers.marked import marked_answers, this_answer_only, unwrapped

_OPENS = re.compile(r"[ \t]{0,8}(```+|~~~+)[ \t]*([^\s`]*)[^`]*")
_NOT_THE_CODE = frozenset({"text", "txt", "output", "console", "bash", "sh", "shell", "plaintext"})
_MOST_TRIES = 50
_DEEPEST = 100
_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Json:
    """The last complete JSON value in the text; an object or array before a mere scalar."""

    name: str = "json"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The JSON as it is written, or None."""
        text, truncated = this_answer_only(text, truncated=truncated)
        bodies = [body.strip() for _, body in fenced(text)]
        for body in reversed(bodies[-_MOST_TRIES:]):
            if body[:1] in ("{", "[") and _is_json(body):
                return body
        found = _last_object(text)
        if found is not None:
            return found
        marks = [unwrapped(mark.answer) for mark in marked_answers(text)]
        whole = [] if truncated else [text]
        return next((part for part in [*bodies[::-1], *marks, *whole] if _is_json(part)), None)

    def key(self, answer: str) -> str:
        """Sorted and compact, with 1.0 as 1; other text without its spacing."""
        value = _parse(answer)
        if value is _NOT_JSON:
            return " ".join(answer.split())
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Code:
    """The last complete fenced block of code, or the whole text where there is no fence."""

    name: str = "code"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The code, or None. Blocks that say they are output or shell count only on their own."""
        text, truncated = this_answer_only(text, truncated=truncated)
        blocks = [(language, body) for language, body in fenced(text) if body.strip()]
        code = [body for language, body in blocks if language not in _NOT_THE_CODE]
        if blocks:
            return (code or [body for _, body in blocks])[-1].strip("\n")
        if truncated:
            return None
        # A stop sequence may have taken the closing fence.
        lines = text.splitlines()
        opening = next((n for n, line in enumerate(lines) if _OPENS.fullmatch(line)), None)
        body = text if opening is None else "\n".join(lines[opening + 1 :])
        return body.strip("\n") if body.strip(" \n.`") else None

    def key(self, answer: str) -> str:
        """The syntax tree where it is Python, so comments and spacing do not matter."""
        try:
            # Python warns of such things as "\d" in a string: the model's matter, not ours.
            with _warnings_lock, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(answer)
            return ast.dump(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return " ".join(answer.split())


def fenced(text: str) -> list[tuple[str, str]]:
    """Every complete fenced block: its language in lower case ("" for none) and its body."""
    blocks: list[tuple[str, str]] = []
    fence, language, body = "", "", list[str]()
    for line in text.splitlines():
        if not fence:
            if opening := _OPENS.fullmatch(line):
                fence, language, body = opening.group(1), opening.group(2).casefold(), []
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            blocks.append((language, "\n".join(body)))
            fence = ""
        else:
            body.append(line)
    return blocks


_NOT_JSON = object()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _parse(text: str) -> object:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NOT_JSON
    return value if _depth(value) <= _DEEPEST else _NOT_JSON


def _is_json(text: str) -> bool:
    return _parse(text) is not _NOT_JSON


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _last_object(text: str) -> str | None:
    """The outermost object or array that ends last and is JSON."""
    spans = _bracketed(text)
    tries, before = 0, len(text) + 1
    for start, end in reversed(spans):
        # Spans come in the order of their ends, so an outer one is met before what it holds.
        if end > before or tries >= _MOST_TRIES:
            continue
        tries += 1
        if _is_json(text[start:end]):
            return text[start:end]
    return None


def _bracketed(text: str) -> list[tuple[int, int]]:
    """Where brackets open and close, outside of strings; in one pass, by their ends."""
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    in_string = escaped = False
    for token in re.finditer(r"[\"\\\[\]{}\n]|(?<=\\).", text):
        mark, place = token.group(), token.start()
        if escaped:
            escaped = False
        elif mark == "\\":
            escaped = in_string
        elif mark == "\n":
            in_string = False
        elif mark == '"':
            in_string = bool(opened) and not in_string
        elif not in_string and mark in "[{":
            opened.append(place)
        elif not in_string and mark in "]}" and opened:
            start = opened.pop()
            if text[start] + mark in ("[]", "{}"):
                spans.append((start, place + 1))
            else:
                opened.clear()
    return spans


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: _plain(inner) for name, inner in members.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast("list[object]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value
