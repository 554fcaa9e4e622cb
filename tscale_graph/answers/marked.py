r"""Where a text says that something is its final answer: \boxed{}, ####, "the answer is", "A:"."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

_LONGEST = 2_000
"""Characters of one marked answer that are read: a final answer is short."""
_MOST_MARKS = 50
"""Marks that are looked at, from the end of the text."""

_FENCE_LINE = re.compile(r"(?m)^[ \t]{0,8}(?:```|~~~)")
_NEXT_QUESTION = re.compile(
    r"(?m)^[ \t>#*_]{0,8}(?:Q|Question|Problem|User|Human)[ \t]?[0-9]{0,4}[*_]{0,3}:"
)
_REFUSAL = re.compile(
    r"(?:(?:i['’]?m|i am) (?:very )?sorry|sorry|unfortunately)?[,.]?\s?(?:but )?"
    r"(?:n/a|no answer|(?:i )?(?:do not|don['’]?t) know|(?:i['’]m|i am) not sure"
    r"|(?:i )?(?:can['’]?t|cannot|can not|won['’]t|(?:am|['’]m) unable to)"
    r" (?:answer|help|assist|determine|comply)\b[^.\n]{0,80})[.!]*",
    re.IGNORECASE,
)

_BE = r"(?:is|was|equals|(?:would|will|should|must)[ ]be|comes[ ](?:out[ ])?to)(?![\w'’])"
_MARK = re.compile(
    rf"""
      (?P<stated> \banswer (?:[ ](?:to|for)\b [^\n]{{0,160}}?)? [*_ ]{{1,4}} {_BE} [ ]?:?
        | \banswers (?:[ ](?:to|for)\b [^\n]{{0,160}}?)? [*_ ]{{1,4}} (?:are|were)\b [ ]?:?
        | \bfinal[ ](?:result|value|choice) [*_ ]{{1,4}} {_BE} [ ]?:?
        | \b(?:correct|right|best)[ ](?:option|choice) [*_ ]{{1,4}} {_BE} [ ]?:? )
    | (?P<label> \b(?:answer|final[ ](?:result|value|choice))s? [*_ ]{{0,4}} [:=] (?!=)
        | ^[ \t>*_]{{0,8}} (?-i:A) [*_]{{0,3}} : )
    | (?P<heading> ^[ \t>*_\#]{{0,8}} (?:the[ ])?(?:final[ ])?answer [ \t*_:]{{0,8}} $ )
    | (?P<hashes> ^[ \t]{{0,4}}\#\#\#\# (?!\#) )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_BOX_TOKEN = re.compile(r"\\f?boxed\s{0,3}\{|\\[{}\\]|[{}]")
_BOX_BARE = re.compile(r"\\f?boxed[ ]{1,3}([^\s{}$\\.,]+)")
_SENTENCE_END = re.compile(r"(?<![A-Z])(?<!\b[A-Z][a-z])(?<!\bMrs)(?<!\bProf)[.!?][)\"'*”’]{0,3}\s")
# No span holds the start of another, which also keeps the search linear.
_MATH_SPAN = re.compile(
    r"\$\$([^$]++)\$\$|\\\[((?:[^\\]|\\[^\[\]])++)\\\]|\\\(((?:[^\\]|\\[^()])++)\\\)"
    r"|(?<![\\$])\$((?:[^$\n\\]|\\[^\n])++)\$"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One place where a text marks its final answer.

    Attributes:
        answer: what is marked, trimmed; never empty.
        how: "boxed"; "stated" ("the answer is …": a sentence); "label" ("Answer: …", a heading:
            a line); "hashes" ("#### …": a line, which may also be a markdown heading).
        is_last_line: nothing but blank lines follows.
    """

    answer: str
    how: str
    is_last_line: bool


def this_answer_only(text: str, *, truncated: bool = False) -> tuple[str, bool]:
    """The text up to where a model goes on to ask and answer a question of its own.

    What a model thought before `</think>` is left out too. The second value says whether what
    is left was cut short: an answer that another question follows was not. A refusal to answer
    is an empty text.
    """
    text = text.rpartition("</think>")[2].strip()
    fences = [fence.start() for fence in _FENCE_LINE.finditer(text)]
    fences_before = 0
    for question in _NEXT_QUESTION.finditer(text):
        while fences_before < len(fences) and fences[fences_before] < question.start():
            fences_before += 1
        if fences_before % 2 == 0 and question.start() > 0:
            text, truncated = text[: question.start()].strip(), False
            break
    if len(text) <= 200 and _REFUSAL.fullmatch(text):
        text = ""
    return text, truncated


def marked_answers(text: str) -> list[Mark]:
    """Every answer that the text marks as its final one, last first."""
    marks = [
        (match.start(), mark)
        for match in deque(_MARK.finditer(text), maxlen=_MOST_MARKS)
        if (mark := _read(text, match)) is not None
    ]
    boxed = last_boxed(text)
    if boxed is not None:
        place, content = boxed
        marks.append((place, Mark(content, "boxed", is_last_line=False)))
    return [mark for _, mark in sorted(marks, key=lambda placed: placed[0], reverse=True)]


def last_boxed(text: str) -> tuple[int, str] | None:
    r"""Where the last \boxed{…} or \fbox{…} whose braces close starts, and what is in it."""
    if "boxed" not in text:
        return None
    best: tuple[int, str] | None = None
    open_braces: list[tuple[int, int] | None] = []
    for token in _BOX_TOKEN.finditer(text):
        if token.group() == "{":
            open_braces.append(None)
        elif "boxed" in token.group():
            open_braces.append((token.start(), token.end()))
        elif token.group() == "}" and open_braces:
            box = open_braces.pop()
            # Inner boxes close first and start later, so \boxed{\boxed{5}} is 5.
            if box is not None and (best is None or box[0] > best[0]):
                content = text[box[1] : token.start()].strip()
                if content and len(content) <= _LONGEST:
                    best = (box[0], content)
    bare = last_match(_BOX_BARE, text)
    if bare is not None and (best is None or bare.start() > best[0]):
        best = (bare.start(), bare.group(1))
    return best


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence; initials and "Dr." do not."""
    line = text.split("\n", 1)[0]
    end = _SENTENCE_END.search(line)
    return line[: end.start()] if end else line


def math_spans(text: str) -> list[str]:
    r"""What stands between $…$, $$…$$, \(…\) and \[…\]."""
    matches = _MATH_SPAN.finditer(text[-20_000:])
    spans = [next(part for part in match.groups() if part is not None) for match in matches]
    return [span.strip() for span in spans if span.strip()]


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match of a pattern."""
    last = deque(pattern.finditer(text), maxlen=1)
    return last[0] if last else None


def unwrapped(text: str) -> str:
    r"""Without the emphasis, quotes, math delimiters and full stop around an answer."""
    before = None
    text = text.strip()
    while text != before:
        before = text
        for opening, closing in _WRAPPERS if text.startswith(_OPENINGS) else ():
            inside = text[len(opening) : len(text) - len(closing)]
            wraps = text.startswith(opening) and text.endswith(closing)
            if wraps and len(text) > len(opening) + len(closing) and opening not in inside:
                text = inside.strip()
        text = text.rstrip(".,;: ") if not text.endswith("...") else text
    return text


_WRAPPERS = (
    ("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("__", "__"),
    ("*", "*"), ("`", "`"), ('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), (r"\text{", "}"),
    (r"\textbf{", "}"), (r"\mathrm{", "}"), (r"\mathbf{", "}"), (r"\boxed{", "}"),
)  # fmt: skip
_OPENINGS = tuple(opening for opening, _ in _WRAPPERS)


def _read(text: str, match: re.Match[str]) -> Mark | None:
    region = text[match.end() : match.end() + _LONGEST]
    rest = region.lstrip(" \t*_:")
    how = match.lastgroup or "label"
    if how == "hashes":
        line = rest.split("\n", 1)[0].strip()
        is_last = not text[match.end() + len(region.split("\n", 1)[0]) :].strip()
        return Mark(line, how, is_last) if line else None
    rest = rest.lstrip()
    if rest.startswith(("\\[", "$$")):
        closing = rest.find("\\]" if rest.startswith("\\[") else "$$", 2)
        answer = rest[: closing + 2] if closing > 0 else rest.split("\n", 1)[0]
    elif how == "stated":
        answer = first_sentence(rest)
    else:
        answer = rest.split("\n", 1)[0]
    answer = answer.strip()
    if answer.endswith("**") and answer.count("**") % 2:
        answer = answer[:-2]
    if how == "stated" and re.match(r"not\b", answer, re.IGNORECASE):
        return None
    how = "label" if how == "heading" else how
    says_something = answer[:1].isalnum() or unwrapped(answer).strip(" .*_$:`")
    return Mark(answer, how, is_last_line=False) if says_something else None
