"""What a text classifier sees of a question: its words, what they suggest, and its shape."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import islice, pairwise
from pathlib import Path

LONGEST = 1500
"""Characters that are read: of a longer question the beginning and the last 400."""
_LAST = 400

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[^\w\s]")
_ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))


def features(question: str) -> dict[str, float]:
    """The features of a question by name, each worth 1.

    Words and pairs of neighbouring words, with endings cut off and numbers as "#"; the cues of
    `cues.txt`, found once or at least three times; counts of what shapes a text (operators, lines,
    cells, names, quotes, …), each as the thresholds that it reaches.

    >>> sorted(name for name in features("How many cats?") if name[0] == "w")
    ['w:?', 'w:cat', 'w:how', 'w:many']
    """
    text = clipped(question)
    low = text.lower()
    return dict.fromkeys([*_words(low), *_cues(low), *_shape(text)], 1.0)


def clipped(question: str) -> str:
    """A question no longer than is read."""
    if len(question) <= LONGEST:
        return question
    return f"{question[: LONGEST - _LAST]}\n{question[-_LAST:]}"


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without a common English ending.

    >>> stem("puzzles"), stem("trying"), stem("this")
    ('puzzl', 'try', 'thi')
    """
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


@cache
def cues() -> dict[str, re.Pattern[str]]:
    """The cues by name, as `cues.txt` has them."""
    lines = Path(__file__).with_name("cues.txt").read_text(encoding="utf-8").splitlines()
    told = (line.partition(": ") for line in lines if not line.startswith("#"))
    return {name: re.compile(pattern) for name, _, pattern in told}


def _words(low: str) -> list[str]:
    tokens = [_token(found) for found in _TOKEN.findall(low)]
    words = [token for token in tokens if token[0].isalpha() or token == "#"]
    pairs = [f"b:{first} {second}" for first, second in pairwise(words)]
    return [f"w:{token}" for token in tokens] + pairs


def _token(found: str) -> str:
    if found[0].isdigit():
        return "#"
    return stem(found) if found[0].isalpha() else found


def _cues(low: str) -> list[str]:
    names: list[str] = []
    for name, pattern in cues().items():
        times = sum(1 for _ in islice(pattern.finditer(low), 3))
        if times:
            names.append(f"c:{name}")
        if times == 3:
            names.append(f"c3:{name}")
    return names


_COUNTED: dict[str, tuple[re.Pattern[str], tuple[int, ...]]] = {
    name: (re.compile(pattern), steps)
    for name, pattern, steps in (
        ("operators", r"(?<=[\d)\s])[-+*/×÷^](?=[\s\d(])", (1, 2, 3, 5)),
        ("numbers", r"\d+", (1, 2, 3, 5, 9, 20)),
        ("items", r"(?m)^\s*(?:\d+[.)]|[-*•])\s", (2, 4)),
        ("pairs", r"\(\w+, ?\w+\)|\b\w-\w\b|->|→", (1, 3, 6)),
        ("words", r"[a-zA-Z]{2,}", (4, 8, 15, 30, 60, 120, 200)),
        ("sentences", r"[.?!](?:\s|$)", (2, 4, 7, 12)),
        ("quotes", r"[\"'`]{1,3}\w", (1, 3)),
        ("semicolons", r";", (1, 3)),
        ("fences", r"```", (1,)),
        ("box drawing", r"[─│┐┘└┌]", (1,)),
        ("long numbers", r"\d{4,}", (1, 3)),
        ("decimals", r"\d\.\d", (1, 3)),
        ("blanks", r"_", (1, 3)),
        ("equals", r"=", (1, 2, 4)),
    )
}
_NAME = re.compile(r"(?<![.?!:]\s)(?<!^)\b[A-Z][a-z]{2,}")
_CAPITAL = re.compile(r"\b[A-Z]\b")


def _shape(text: str) -> list[str]:
    names: list[str] = []
    for name, (pattern, steps) in _COUNTED.items():
        count = sum(1 for _ in islice(pattern.finditer(text), steps[-1]))
        names += _reached(name, count, steps)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    cells = sum(
        len(line) >= 3 and sum(len(t) <= 2 for t in line) > 0.8 * len(line) for line in lines
    )
    names += _reached("lines", len(lines), (2, 4, 8, 16))
    names += _reached("rows of cells", cells, (1, 3, 6))
    names += _reached("names", len(set(_NAME.findall(text))), (1, 2, 3, 5))
    names += _reached("single capitals", len(set(_CAPITAL.findall(text))), (1, 3, 5))
    names += _reached("depth", _depth(text), (1, 2, 3))
    if "?" in text:
        names.append("s:asks")
    if text.rstrip().endswith("?"):
        names.append("s:ends by asking")
    return names


def _reached(name: str, count: int, steps: tuple[int, ...]) -> list[str]:
    return [f"s:{name} >= {step}" for step in steps if count >= step]


def _depth(text: str) -> int:
    deepest = depth = 0
    for letter in text:
        if letter in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in ")]}":
            depth = max(0, depth - 1)
    return deepest
