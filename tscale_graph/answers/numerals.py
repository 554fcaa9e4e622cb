r"""What a numeral is worth, exactly: "1,234.5", "-$5", "2 1/2", "\frac12", "3e-4", "twenty-one"."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_LONGEST = 1_000
"""Characters beyond which a numeral is not taken for a number."""
_LARGEST_EXPONENT = 1_000

_SAME_WIDTH = str.maketrans(
    "−﹣－‐‑–⁻＋０１２３４５６７８９．，／％＝⁄∕\u00a0\u202f\u2009",
    "-------+0123456789.,/%=//\u2009\u2009\u2009",
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8), "⅐": (1, 7), "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip

_SEPARATOR = r"(?:,|\{,\}|\\,|\u2009|_)"
_INTEGER = rf"(?:[0-9]{{1,3}}(?:{_SEPARATOR}[0-9]{{3}})++(?![0-9])|[0-9]++)"
# 2,50 and 1.234,50 are decimals in much of the world; (2,50) is a pair.
_COMMA = r"(?:(?<![(\[{,])(?:[0-9]{1,3}(?:\.[0-9]{3})++|[0-9]++),[0-9]{1,2}(?![0-9,]))"
_DECIMAL = rf"(?:{_COMMA}|{_INTEGER}(?:\.[0-9]++)?|\.[0-9]++)"
_EXPONENT = r"(?:\^\s?\{?\s?(?P<NAME>[-+]?[0-9]+)\s?\}?|(?P<NAME_small>-?[⁰¹²³⁴-⁹]+))"
_FRACTION = (
    rf"\\[dtc]?frac\s?(?:\{{\s?(?P<top>-?{_DECIMAL})\s?\}}|(?P<top1>[0-9]))\s?"
    rf"(?:\{{\s?(?P<bottom>-?{_DECIMAL})\s?\}}|(?P<bottom1>[0-9]))"
)
NUMERAL = re.compile(
    r"(?<![\w^\\])(?<![A-Za-z]-)(?<!_\{)(?<!\^\{)"
    r"(?:(?<![\w)\]}.])(?P<sign>[-+]))?(?:(?:(?:US|[AC]|NZ|HK)?\\?[$€£¥₹]|(?i:USD|EUR|GBP))\s?)?"
    rf"(?:(?P<whole>[0-9]{{1,9}}\s?)?{_FRACTION}"
    r"|(?P<mixed>[0-9]{1,9})[ \u2009](?P<part>[0-9]{1,9})/(?P<of>[0-9]{1,9})(?![0-9/])"
    rf"|(?P<whole_vulgar>[0-9]{{0,9}})[ \u2009]?(?P<vulgar>[{''.join(_VULGAR)}])"
    rf"|(?P<mantissa>{_DECIMAL})(?:[eE](?P<e>[-+]?[0-9]+)"
    rf"|\s?(?:\\times|\\cdot|[×xX*·])\s?10{_EXPONENT.replace('NAME', 'ten')})"
    rf"|(?P<base>[0-9]{{1,9}}){_EXPONENT.replace('NAME', 'power')}"
    rf"|(?P<over>{_DECIMAL})\s?/\s?(?P<under>{_DECIMAL})(?![0-9/])"
    rf"|(?P<plain>{_DECIMAL}))(?:\s?\\?%)?"
)
"""One numeral in a text prepared by `same_width`, with its sign, currency and percent sign."""

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: value for value, word in enumerate(_SMALL)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "quadrillion": 10**15, "lakh": 10**5, "crore": 10**7, "mln": 10**6, "bln": 10**9,
}  # fmt: skip
_ANY_WORD = "|".join([*_WORDS, *_SCALES])
NUMBER_WORDS = re.compile(
    rf"\b(?:(?:minus|negative)\s)?(?:{'|'.join(_WORDS)})\b"
    rf"(?:(?:[ -]|[ ]and[ ])(?:{_ANY_WORD})\b){{0,12}}",
    re.IGNORECASE,
)
"""A number in words, up to the trillions."""

_BEFORE = re.compile(
    r"(?:(?:about|approximately|approx\.?|roughly|around|exactly|only|just|equal\sto|[~≈=])\s*"
    r"|\\(?:approx|quad|displaystyle)\b\s*|[A-Za-z](?:_?\{?\w{1,3}\}?)?\s?=\s*"
    r"|[A-Za-z][A-Za-z ]{1,30}=\s*|(?:Rs\.?|US)\s?(?=[$0-9]))*+",
    re.IGNORECASE,
)
_NEGATIVE_WORD = re.compile(r"(?:minus|negative)\s|-\s(?=[0-9.$\\])", re.IGNORECASE)
_SCALE_WORD = re.compile(rf"\s({'|'.join(_SCALES)})s?\b", re.IGNORECASE)
_LARGEST_SCALE = 10**30
_SCALE_LETTERS = {
    "k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion",
    "t": "trillion", "tn": "trillion",
}  # fmt: skip
_SCALE_LETTER = re.compile(r"(?:([kKB])|\s?(M|[mbtMBT]n))(?![\w&/^])")
_SCALE_OF_MONEY = re.compile(r"\s?([kmbt]n?)(?![\w&/^])", re.IGNORECASE)
_MONEY = re.compile(r"[$€£¥₹]|USD|EUR|GBP", re.IGNORECASE)
_MONEY_AFTER = re.compile(r"\s?([kmbt]n?)\s?(?:\\?[$€£¥₹]|(?:USD|EUR|GBP)\b)", re.IGNORECASE)
_UNIT = re.compile(
    r"(?:\\(?:text|mathrm|textrm|mbox|textbf|operatorname)\s?\{[^{}\\]*+\}|\\[%$,;:! ]"
    r"|\\(?:circ|degree|quad|cdot)\b|\^\s?\{?(?:\\circ|-?[0-9])\}?|[A-Za-zµμΩ°€£¥₹%$'’²³]++"
    r"|[/·.,()\[\]\s*-])*+"
)
_ATTACHED_UNITS = re.compile(
    r"[kmc]?m|[munk]?s|[mk]?g|mm|nm|m?l|cl|h|hrs?|d|mins?|secs?|ft|in|lbs?|oz|mi|yd|mph|km/?h|kph|"
    r"mps|[ap]m|st|nd|rd|th|k?wh?|v|a|[kmg]?hz|[kmgt]b|pt|px|usd|eur|gbp",
    re.IGNORECASE,
)


def same_width(text: str) -> str:
    """The text with its minus signs, digits and spaces in one form, each at the same place."""
    return text.translate(_SAME_WIDTH)


def numeral_value(match: re.Match[str]) -> Fraction | None:
    """What a match of `NUMERAL` is worth; None when that is undefined or beyond all measure."""
    if len(match.group()) > _LONGEST:
        return None
    part = match.groupdict()
    value = None
    if match["top"] or match["top1"]:
        ratio = _ratio(match["top"] or match["top1"], match["bottom"] or match["bottom1"])
        value = None if ratio is None else int((match["whole"] or "0").strip()) + ratio
    elif match["mixed"]:
        ratio = _ratio(match["part"], match["of"])
        value = None if ratio is None else int(match["mixed"]) + ratio
    elif match["vulgar"]:
        value = int(match["whole_vulgar"] or "0") + Fraction(*_VULGAR[match["vulgar"]])
    elif match["mantissa"]:
        power = _power(10, match["e"] or _exponent(part, "ten"))
        value = None if power is None else _decimal(match["mantissa"]) * power
    elif match["base"]:
        value = _power(int(match["base"]), _exponent(part, "power"))
    elif match["over"]:
        value = _ratio(match["over"], match["under"])
    else:
        value = _decimal(match["plain"])
    return -value if value is not None and match["sign"] == "-" else value


def scale_after(text: str, numeral: re.Match[str]) -> tuple[int, int]:
    """The "million" after a numeral of a text prepared by `same_width`: its factor and its end.

    "5M" is five million and "5m" five metres, but "$5m" and "5m USD" are five million. "5 hundred
    thousand" is half a million.
    Without a scale: 1, and where the numeral ends.
    """
    end = numeral.end()
    factor = 1
    while factor < _LARGEST_SCALE and (word := _SCALE_WORD.match(text, end)):
        factor, end = factor * _SCALES[word.group(1).casefold()], word.end()
    if factor > 1:
        return factor, end
    letters = [_MONEY_AFTER, _SCALE_LETTER]
    if _MONEY.search(numeral.group()):
        letters.append(_SCALE_OF_MONEY)
    for pattern in letters:
        if letter := pattern.match(text, end):
            scale = next(group for group in letter.groups() if group)
            return _SCALES[_SCALE_LETTERS[scale.casefold()]], letter.end()
    return 1, end


def words_value(words: str) -> Fraction:
    """What a match of `NUMBER_WORDS` is worth.

    >>> words_value("two hundred and twenty-one")
    Fraction(221, 1)
    """
    total, below_thousand, sign = 0, 0, 1
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word in ("minus", "negative"):
            sign = -1
        elif word == "hundred":
            below_thousand *= 100
        elif word in _SCALES and total and not below_thousand:  # a thousand million
            total *= _SCALES[word]
        elif word in _SCALES:
            total, below_thousand = total + below_thousand * _SCALES[word], 0
        else:
            below_thousand += _WORDS.get(word, 0)
    return Fraction(sign * (total + below_thousand))


def strict_value(text: str) -> Fraction | None:
    """What a whole text is worth that is one number and at most a name and a unit around it.

    >>> strict_value("x = 1,250.50 dollars"), strict_value("2x + 3")
    (Fraction(2501, 2), None)
    """
    text = same_width(text.strip())
    before = _BEFORE.match(text)
    text = text[before.end() :] if before else text
    sign = 1
    if negative := _NEGATIVE_WORD.match(text):
        sign, text = -1, text[negative.end() :].lstrip()
    if numeral := NUMERAL.match(text):
        value = numeral_value(numeral)
    elif numeral := NUMBER_WORDS.match(text):
        value = words_value(numeral.group())
    else:
        return None
    factor, end = scale_after(text, numeral)
    return sign * value * factor if value is not None and _is_unit(text[end:]) else None


def _is_unit(rest: str) -> bool:
    if len(rest) > 120 or not _UNIT.fullmatch(rest):
        return False
    attached = re.match(r"([A-Za-z]+)", rest)
    if attached:
        return len(attached.group()) > 3 or bool(_ATTACHED_UNITS.fullmatch(attached.group()))
    lone = re.match(r"[\s*(-]+([A-Za-z])(?![A-Za-z])", rest)
    return lone is None or bool(_ATTACHED_UNITS.fullmatch(lone.group(1)))


def _decimal(digits: str) -> Fraction:
    if digits.isdecimal():
        return Fraction(int(digits))
    if re.fullmatch(_COMMA, digits):
        digits = digits.replace(".", "").replace(",", ".")
    return Fraction(re.sub(_SEPARATOR, "", digits))


def _ratio(top: str, bottom: str) -> Fraction | None:
    sign = -1 if top.startswith("-") != bottom.startswith("-") else 1
    below = _decimal(bottom.lstrip("-"))
    return sign * _decimal(top.lstrip("-")) / below if below else None


def _exponent(part: dict[str, str | None], name: str) -> str:
    return part[name] or (part[f"{name}_small"] or "0").translate(_SUPERSCRIPTS)


def _power(base: int, exponent: str) -> Fraction | None:
    if len(exponent) > 6 or (base == 0 and exponent.startswith("-")):
        return None
    if abs(int(exponent)) * math.log10(max(base, 2)) > _LARGEST_EXPONENT:
        return None
    return Fraction(base) ** int(exponent)
