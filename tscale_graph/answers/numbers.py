"""Answers that are numbers, compared as exact rationals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.answers.marked import (
    Mark,
    last_match,
    marked_answers,
    math_spans,
    this_answer_only,
    unwrapped,
)
from tscale_graph.answers.numerals import (
    NUMBER_WORDS,
    NUMERAL,
    numeral_value,
    same_width,
    scale_after,
    strict_value,
    words_value,
)

_READ = 20_000
"""Characters from the end of a text in which an unmarked number is looked for."""
_SHORT = 4_000

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_NOT_A_QUANTITY = re.compile(
    rf"""
      \b[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}\b | \b[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{2,4}}\b
    | \b{_MONTH}[ ][0-9]{{1,2}}(?:st|nd|rd|th)?(?:,?[ ][0-9]{{4}})?\b | \b{_MONTH}[ ][0-9]{{4}}\b
    | \b[0-9]{{1,2}}(?:st|nd|rd|th)?[ ]{_MONTH}(?:[ ][0-9]{{4}})?
    | \b[0-9]{{1,2}}:[0-9]{{2}}\b
    | ^[ \t>*_]{{0,8}}[0-9]{{1,3}}[.)][*_]{{0,2}}[ \t]+(?=\S)
    | \b(?:[Ss]tep|[Ee]xample|[Cc]ase|[Ee]quation)[ ][0-9]+\b
    """,
    re.VERBOSE | re.MULTILINE,
)
_PARENTHESIS = re.compile(r"\([^()\n]{0,200}\)")
_BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
_LEAD = re.compile(
    r"(?:[\s*_`\"'“‘:~≈=(\[]|\\[(\[]|\$(?![0-9.])|\\approx\b|\b(?:about|approximately|roughly|"
    r"around|exactly|simply|only|just|equal\sto|therefore)\b|[A-Z][.):]\s|"
    r"\(?[A-Z]\)\s|[A-Za-z]\w{0,15}\s?=)*+",
    re.IGNORECASE,
)
_MINUS_APART = re.compile(r"=\s*(-\s+)$")
_MINUS_NEXT = re.compile(r"-\s(?=[0-9.$\\])")
_GOES_ON = re.compile(
    r"\s?(?:[+*×÷^=/<>]|\\(?:times|cdot|div|pm|sqrt|pi)\b|-\s?[0-9(\\]|[a-z]\b\s?[-+=])"
)


@dataclass(frozen=True, slots=True)
class Number:
    r"""A number: the one that is marked as final, else the last one in the text.

    Thousands separators, currency signs and units are dropped, the percent sign among them:
    50% is 50, since a question that asks for a percentage is answered by both. "2,50" is two
    and a half. There is no tolerance: "equal within" would not be transitive. What is boxed is
    the answer even if it is no number; such answers are compared as text.
    """

    name: str = "number"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        r"""The final number as it is written, or None.

        >>> Number().extract("3 + 4 = 7, and twice that is 14. The answer is 14 (not 7).")
        '14'
        """
        text, truncated = this_answer_only(text, truncated=truncated)
        for mark in marked_answers(text):
            found = _marked(mark, truncated=truncated)
            if found is not None:
                return found
        return None if truncated else _unmarked(text[-_READ:])

    def key(self, answer: str) -> str:
        """The number as an exact fraction in lowest terms; other text without case and spacing."""
        value = whole_number(answer)
        return str(value) if value is not None else " ".join(answer.casefold().split())


def parse_number(text: str) -> Fraction | None:
    r"""The only number in a short text, whatever the words around it; None when there are several.

    >>> parse_number("the solutions are 3"), parse_number("3 or -3")
    (Fraction(3, 1), None)
    """
    whole = whole_number(text)
    if whole is not None or len(text) > _SHORT:
        return whole
    plain = same_width(text)
    numerals = list(NUMERAL.finditer(plain))
    if numerals:
        value = numeral_value(numerals[0]) if len(numerals) == 1 else None
        return None if value is None else value * scale_after(plain, numerals[0])[0]
    words = list(NUMBER_WORDS.finditer(plain))
    return words_value(words[0].group()) if len(words) == 1 else None


def whole_number(text: str) -> Fraction | None:
    r"""The number that a text is: "1,234", "$5", "2 1/2", "\frac{1}{2}", "x = 3 km", "three".

    Nothing but a name before it, a unit and emphasis around it: "2x" and "5\pi" are no numbers.
    """
    return strict_value(unwrapped(text)) if len(text) <= _SHORT else None


def _marked(mark: Mark, *, truncated: bool) -> str | None:
    if mark.how == "boxed":
        return without_unit(mark.answer)
    if mark.how == "hashes":
        is_heading = re.match(r"[0-9]+[.)]\s", mark.answer)
        is_number = not is_heading and whole_number(mark.answer) is not None
        if is_number or (mark.is_last_line and not truncated):
            return _leading(mark.answer) or _last(mark.answer)
        return None
    spans = math_spans(mark.answer[:400])
    if spans and _starts_with_math(mark.answer):
        if whole_number(spans[0]) is not None:
            return without_unit(spans[0])
        if re.search(r"\\[a-z]{2}|\^", spans[0]):
            return spans[0].rpartition("=")[2].strip() or spans[0]
    leading = _leading(mark.answer)
    if leading is not None or truncated:
        return leading
    return _last(mark.answer)


def _starts_with_math(text: str) -> bool:
    return bool(re.match(r"[\s*_]*(?:\$(?![0-9][^$]*(?:\s\w{2}|$))|\\[(\[])", text))


def without_unit(answer: str) -> str:
    """A number without its unit; anything else as it is."""
    if whole_number(answer) is None:
        return answer
    return _leading(answer) or answer


def _leading(text: str) -> str | None:
    """The number that a statement starts with, unless it is the start of a calculation."""
    plain = same_width(text[:4_000])
    start = match.end() if (match := _LEAD.match(plain)) else 0
    numeral = NUMERAL.match(plain, start)
    if numeral and numeral_value(numeral) is not None:
        if _GOES_ON.match(plain, numeral.end()):
            return None
        return text[numeral.start() : scale_after(plain, numeral)[1]].strip()
    apart = _MINUS_NEXT.match(plain, start)
    if apart and plain[:start].rstrip().endswith("="):
        numeral = NUMERAL.match(plain, apart.end())
        return text[start : numeral.end()].strip() if numeral else None
    words = NUMBER_WORDS.match(plain, start)
    return text[words.start() : words.end()] if words else None


def _unmarked(text: str) -> str | None:
    """The last number; but one in bold, or outside of a remark in brackets, before others."""
    lines = text.rstrip().splitlines()
    line = lines[-1] if lines else ""
    for bold in reversed(_BOLD.findall(line)):
        if whole_number(bold) is not None:
            return without_unit(bold)
    if ":" not in line[-1:]:
        found = _last(_blank(_PARENTHESIS, line)) or _last(line)
        if found is not None and found.casefold() not in ("one", "zero"):
            return found
    return _last(text)


def _last(text: str) -> str | None:
    """The last number in digits, else in words; dates and the numbers of a list come last."""
    for part in (_blank(_NOT_A_QUANTITY, text), text):
        plain = same_width(part)
        numbers = [m for m in NUMERAL.finditer(plain) if numeral_value(m) is not None]
        if numbers:
            start = numbers[-1].start()
            if apart := _MINUS_APART.search(plain, max(0, start - 10), start):
                start = apart.start(1)
            return part[start : scale_after(plain, numbers[-1])[1]].strip()
        words = last_match(NUMBER_WORDS, plain)
        if words is not None:
            return words.group()
    return None


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match.group()), text)
