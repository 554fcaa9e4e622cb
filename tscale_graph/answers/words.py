"""Answers that are words: a letter of multiple choice, a short text, the user's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tscale_graph.answers.marked import marked_answers, this_answer_only, unwrapped

# "A" and "I" are words too, so on their own they count only where a statement ends or goes on
# with a reason.
_ENDS = r"(?=[ \t]*(?:$|[.,;:)\]}*_`\"'’”\n\\]|[-–—]|because\b|since\b|as\b|which\b|with\b|\())"
_LETTER = (
    rf"\([ ]?(?P<paren>[A-Za-z])[ ]?\)|(?P<delimited>[A-Z])(?=[.):\]][\s*_]|[.):\]]$)"
    rf"|(?P<upper>[B-HJ-Z])(?![\w'’])|(?P<word>[AIai])(?![\w'’]){_ENDS}|(?P<lower>[b-hj-z])(?![\w'’]){_ENDS}"
)
_OPTION = re.compile(
    r"[\s*_`$\"'“\[{:]*(?:\\(?:text|textbf|mathrm|mathbf|mathbf|rm)\s?\{[\s*]*)?"
    rf"(?:(?:(?i:option|choice|letter|answer))[\s*:]+)?(?:{_LETTER})"
)
_NAMED = re.compile(r"\b(?i:option|choice)[ ][*_`\"'(]{0,3}(?P<upper>[A-Z])(?![\w'’])")
_ALONE = re.compile(r"(?m)^[\s*_`\"'(\[>#]{0,8}(?P<upper>[A-Z])[\s*_`\"')\].:]{0,8}$")
_BOLD = re.compile(r"\*\*\(?(?P<upper>[A-Z])\)?(?:[.):][^*\n]{0,120})?\*\*")
_LISTED = re.compile(r"(?m)^[ \t]{0,4}\(?(?P<upper>[A-Z])[.):][ \t]+\S")
_IN_PARENTHESES = re.compile(r"\((?P<upper>[A-Z])\)")
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|mathrm|mathbf)(?![A-Za-z])")
_KEY = re.compile(
    r"\W*+(?:(?:option|choice)\s\W*+)?([A-Za-z])(?:\W*+|[).:]\s.*)", re.IGNORECASE | re.DOTALL
)
_POWER = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+")
_VULGAR = re.compile(r"(?P<whole>\d?)(?P<vulgar>[¼-¾⅐-⅞])")
_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Choice:
    """The letter of a multiple choice; the article "a" and the pronoun "I" are no letters."""

    name: str = "choice"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The letter as it is written, or None.

        It is the one marked as final; else one that stands alone on a line, follows the word
        "option", is in bold or starts the text ("B. Paris"); else the only one in parentheses.
        """
        text, truncated = this_answer_only(text, truncated=truncated)
        for mark in marked_answers(text):
            option = _OPTION.match(mark.answer)
            if option:
                return _letter(option)
            named = _NAMED.search(mark.answer) or _IN_PARENTHESES.search(mark.answer)
            if named and mark.how != "hashes":
                return _letter(named)
        if truncated:
            return None
        for pattern in (_ALONE, _NAMED, _BOLD):
            found = list(pattern.finditer(text))
            if found:
                return _letter(found[-1])
        lines = text.splitlines()
        for pattern, part in (
            (_LISTED, text),
            (_IN_PARENTHESES, lines[-1] if lines else ""),
            (_IN_PARENTHESES, text),
        ):
            letters = {_letter(match) for match in pattern.finditer(part)}
            if len(letters) == 1:
                return letters.pop()
        short = _OPTION.fullmatch(text.rstrip(" .)*"))
        return _letter(short) if short else None

    def key(self, answer: str) -> str:
        """The letter in upper case; other text without case and spacing."""
        option = _KEY.fullmatch(_TEXT_COMMAND.sub(" ", answer))
        return option.group(1).upper() if option else " ".join(answer.casefold().split())


def _letter(option: re.Match[str]) -> str:
    return next(letter for letter in option.groups() if letter)


@dataclass(frozen=True, slots=True)
class Text:
    """A short text: what is marked as the answer, else the whole text."""

    name: str = "text"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The text of the answer, also when it was cut short, or None when there is none."""
        text, _ = this_answer_only(text, truncated=truncated)
        for mark in marked_answers(text):
            if mark.how != "hashes" or mark.is_last_line:
                return unwrapped(mark.answer) or None
        return text if text.strip(".…-_*#`\"' \n") else None

    def key(self, answer: str) -> str:
        """Without case, width, spacing, leading article, quotes, and the marks that end a sentence.

        >>> Text().key("“The  Eiffel Tower.”")
        'eiffel tower'
        """
        # NFKC would make x2 of "x²" and 21/2 of "2½".
        plain = _VULGAR.sub(_fraction, _POWER.sub(_power, answer))
        folded = unicodedata.normalize("NFKC", plain).casefold()
        words = " ".join(unicodedata.normalize("NFKC", folded).split())
        bare = _trim(words)
        return _trim(_ARTICLE.sub("", bare, count=1) if _ARTICLE.match(bare) else bare) or words


def _trim(text: str) -> str:
    """Without the quotes and emphasis around it and the punctuation of its sentence.

    Signs, brackets and marks that belong to a word or a number stay: ".5", "5!", "f'", "!x".
    """
    start, end, before = 0, len(text), (-1, -1)
    while (start, end) != before:
        before = start, end
        while start < end and _only_opens(text, start):
            start += 1
        end = _before_full_stops(text, start, end)
        if end - start > 1 and text[start] + text[end - 1] in _PAIRS:
            start, end = start + 1, end - 1
    return text[start:end]


def _power(exponent: re.Match[str]) -> str:
    return "^" + unicodedata.normalize("NFKC", exponent.group()).replace("−", "-")


def _fraction(match: re.Match[str]) -> str:
    ratio = unicodedata.normalize("NFKC", match["vulgar"]).replace("⁄", "/")
    return f"{match['whole']} {ratio}" if match["whole"] else ratio


_NEVER_MEANT = frozenset(" ;:“”„«»¡¿")
_PAIRS = frozenset(('""', "''", "``", "**", "__", "‘’"))
_FACTORIAL_OF = re.compile(r"[0-9)\]}]|(?<![^\W\d_])[a-zα-ω]")


def _only_opens(text: str, place: int) -> bool:
    if text[place] in ".,":  # ".5" is a number and ".net" a name, but "..." is neither
        return text[place - 1 : place] == "." or not text[place + 1 : place + 2].isalnum()
    return text[place] in _NEVER_MEANT


def _before_full_stops(text: str, start: int, end: int) -> int:
    while end > start:
        if text[end - 1] == "!":
            run = end
            while run > start and text[run - 1] == "!":
                run -= 1
            if run > start and _FACTORIAL_OF.match(text, run - 1):
                return end
            end = run
        elif text[end - 1] in ".,?" or text[end - 1] in _NEVER_MEANT:
            end -= 1
        else:
            return end
    return end


@dataclass(frozen=True, slots=True)
class Custom:
    """The user's own way to read an answer.

    Attributes:
        find: from text to answer, or None where there is none. If it has a `key` of its own,
            that says which answers are the same.
    """

    find: Callable[[str], str | None]
    name: str = "custom"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """Whatever the user's function finds.

        Raises:
            TypeError: when that is neither text nor None.
        """
        found: object = self.find(text)
        if found is not None and not isinstance(found, str):
            raise TypeError(f"answer must return a str or None, got {type(found).__name__}")
        return found or None

    def key(self, answer: str) -> str:
        """As for a short text, unless the user's function has a `key` of its own."""
        own = getattr(self.find, "key", None)
        return str(own(answer)) if callable(own) else Text().key(answer)
