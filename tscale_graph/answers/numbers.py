"""Answers that are numbers, compared as exact rationals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tscale_graph.answers.marked import last_match, marked_answer, this_answer_only

_LONGEST = 400
"""Digits beyond which a string of digits is not taken for a number."""
_LARGEST_EXPONENT = 400

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?:{_DIGITS}(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{{1,3}}(?![\d.]))?"
_SIGN = r"(?:(?<![\w)])[-+−–]\s?)?"
_FRAC = r"\\[dt]?frac\s?\{\s?(-?\d+)\s?\}\s?\{\s?(-?\d+)\s?\}|\\[dt]?frac\s?(\d)\s?(\d)"
_NUMBER = re.compile(
    rf"(?P<sign>{_SIGN})[$€£]?(?:(?P<latex>{_FRAC})"
    rf"|(?P<whole>\d+)\s+(?P<part>\d+)\s?/\s?(?P<of>\d+)"
    rf"|(?P<over>{_DECIMAL})\s?/\s?(?P<under>{_DECIMAL})(?![\d/])"
    rf"|(?P<plain>{_DECIMAL}))"
)
_EQUALS = re.compile(r"=\s{0,3}([^=\n]+)$")
_SMALL = (
    "zero", "one", "two", "three", "four",
    "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: value for value, word in enumerate(_SMALL)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_WORD = re.compile(
    rf"\b(?P<tens>{'|'.join(_TENS)})[- ](?P<unit>{'|'.join(_SMALL[1:10])})\b"
    rf"|\b(?P<word>{'|'.join(_WORDS)})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number: the one that is marked as final, else the last one in the text.

    Thousands separators, currency signs and units are dropped; 50% is 50. There is no
    tolerance: "equal within" would not be transitive.
    """

    name: str = "number"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The final number as it is written, or None."""
        text = this_answer_only(text)
        marked = marked_answer(text)
        if marked is not None:
            found = _stated(marked)
            if found is not None:
                return found
        if truncated:
            return None
        last_line = text.splitlines()[-1] if text else ""
        return (_stated(last_line) if "=" in last_line else None) or _last(text)

    def key(self, answer: str) -> str:
        """The number as an exact fraction in lowest terms; other text case-folded."""
        value = parse_number(answer)
        return str(value) if value is not None else " ".join(answer.casefold().split())


def parse_number(text: str) -> Fraction | None:
    r"""The number that a short text is: "1,234", "$5", "1/2", "2 1/2", "\frac{1}{2}", "three".

    Units and other words around it do not matter; None when there is no number, or several.
    """
    found = [match for match in _NUMBER.finditer(text[: 4 * _LONGEST]) if _value(match) is not None]
    if len(found) == 1:
        return _value(found[0])
    if found:
        return None
    words = list(_WORD.finditer(text[: 4 * _LONGEST]))
    return _word_value(words[0]) if len(words) == 1 else None


def _stated(text: str) -> str | None:
    """The number that a statement ends in: what follows its last equals sign, else its first."""
    equals = last_match(_EQUALS, text.rstrip(" .$*`)]}"))
    for part in ([equals.group(1)] if equals else []) + [text]:
        first = next((m for m in _NUMBER.finditer(part[:4000]) if _value(m) is not None), None)
        if first is not None:
            return first.group().strip()
        word = _WORD.search(part[:4000])
        if word is not None:
            return word.group()
    return None


def _last(text: str) -> str | None:
    tail = text[-20_000:]
    numbers = [m.group().strip() for m in _NUMBER.finditer(tail) if _value(m) is not None]
    if numbers:
        return numbers[-1]
    word = last_match(_WORD, tail)
    return word.group() if word else None


def _value(match: re.Match[str]) -> Fraction | None:
    if len(match.group()) > _LONGEST:
        return None
    sign = -1 if match["sign"].strip() in ("-", "−", "–") else 1
    if match["latex"]:
        top, bottom = [part for part in match.groups()[2:6] if part is not None]
    elif match["whole"]:
        bottom = match["of"]
        top = str(int(match["whole"]) * int(bottom) + int(match["part"]))
    elif match["over"]:
        top, bottom = match["over"], match["under"]
    else:
        top, bottom = match["plain"], "1"
    above, below = _decimal(top), _decimal(bottom)
    return None if above is None or not below else sign * above / below


def _decimal(digits: str) -> Fraction | None:
    mantissa, _, exponent = digits.replace(",", "").lower().partition("e")
    if exponent and abs(int(exponent)) > _LARGEST_EXPONENT:
        return None
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def _word_value(match: re.Match[str]) -> Fraction:
    if match["word"]:
        return Fraction(_WORDS[match["word"].lower()])
    return Fraction(_WORDS[match["tens"].lower()] + _WORDS[match["unit"].lower()])
