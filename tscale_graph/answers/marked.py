r"""Where a text says that something is its final answer: \boxed{}, ####, "the answer is"."""

from __future__ import annotations

import re

_NEXT_QUESTION = re.compile(r"\n\s*(?:Q|Question|Problem|User|Human)\s*\d*\s*[:.]", re.IGNORECASE)
_HASHES = re.compile(r"####[ \t]*([^\n]+)")
_SAYS = re.compile(
    r"\b(?:final |correct |my |right |best )?(?:answer|result|solution)\b[* ]{0,4}"
    r"(?:is|are|was|:|=|would be|must be|should be)[*: ]{0,5}([^\n]+)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?m)^[ \t>*]{0,6}A(?:nswer)?[ \t*]{0,3}:[ \t*]{0,4}([^\n]+)")


def this_answer_only(text: str) -> str:
    """The text up to where a model goes on to ask and answer a question of its own."""
    text = text.strip()
    following = _NEXT_QUESTION.search(text)
    return text[: following.start()] if following and following.start() > 0 else text


def marked_answer(text: str) -> str | None:
    """What the text marks as its final answer: the last boxed, else the last stated."""
    boxed = last_boxed(text)
    if boxed is not None:
        return boxed
    stated = [
        match
        for pattern in (_HASHES, _SAYS, _LABEL)
        if (match := last_match(pattern, text)) is not None
    ]
    if not stated:
        return None
    return max(stated, key=lambda match: match.start(1)).group(1).strip() or None


def looks_marked(text: str) -> bool:
    """Whether the text marks anything as its final answer."""
    return marked_answer(text) is not None


def last_boxed(text: str) -> str | None:
    r"""The content of the last \boxed{…} or \fbox{…} whose braces close."""
    for opening in reversed(list(re.finditer(r"\\f?boxed\s{0,3}\{", text))[-20:]):
        depth = 1
        for place in range(opening.end(), min(len(text), opening.end() + 5_000)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return text[opening.end() : place].strip() or None
    return None


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match of a pattern."""
    last = None
    for match in pattern.finditer(text):
        last = match
    return last
