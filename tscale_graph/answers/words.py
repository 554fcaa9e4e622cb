"""Answers that are words: a letter of multiple choice, a short text, the user's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tscale_graph.answers.marked import last_match, marked_answer, this_answer_only

_OPTION = re.compile(
    r"^[\s*_`$\"'\[]*(?:\\text\{)?(?:option|choice|letter|answer)?[\s*:]*"
    r"(?:\(([A-Ja-j])\)|([A-J])(?![A-Za-z'’])|([a-j])(?=[).:\]]|$))",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"\(([A-J])\)|(?:\boption|\bchoice|\banswer)\s+\(?([A-J])\b|\b([B-HJ])\b[).:]?")
_OPTION_ALONE = re.compile(r"^\W*([A-Ja-j])\W*$")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")


@dataclass(frozen=True, slots=True)
class Choice:
    """The letter of multiple choice, A to J; the article "a" and the pronoun "I" are no letters."""

    name: str = "choice"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The letter, in upper case, or None."""
        text = this_answer_only(text)
        marked = marked_answer(text)
        for part in (marked, None if truncated else text):
            option = _OPTION.match(part) if part else None
            if part and option and _is_option(part, option):
                return next(letter for letter in option.groups() if letter).upper()
        if truncated:
            return None
        loose = last_match(_LOOSE, marked or text)
        return (
            next((letter.upper() for letter in loose.groups() if letter), None) if loose else None
        )

    def key(self, answer: str) -> str:
        """The letter in upper case; other text case-folded."""
        alone = _OPTION_ALONE.match(answer)
        return alone.group(1).upper() if alone else answer.strip().casefold()


def _is_option(text: str, option: re.Match[str]) -> bool:
    """Whether the letter at the start stands for a choice and not for the word "A" or "I"."""
    rest = text[option.end() :]
    letter = next(letter for letter in option.groups() if letter)
    return letter.upper() not in "AI" or not re.match(r"\s+[a-z]", rest)


@dataclass(frozen=True, slots=True)
class Text:
    """A short text: what is marked as the answer, else the whole text."""

    name: str = "text"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The text of the answer, or None when there is none."""
        text = this_answer_only(text)
        return (marked_answer(text) or text).strip() or None

    def key(self, answer: str) -> str:
        """Without case, width, spacing, leading article and surrounding punctuation."""
        folded = unicodedata.normalize("NFKC", answer).casefold()
        words = " ".join(folded.split())
        bare = _trim(words)
        return _trim(_ARTICLE.sub("", bare)) or words


def _trim(text: str) -> str:
    """Without the punctuation and quotes around it."""
    start, end = 0, len(text)
    while start < end and not (text[start].isalnum() or text[start] in "-+([{"):
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] in ")]}%"):
        end -= 1
    return text[start:end]


@dataclass(frozen=True, slots=True)
class Custom:
    """The user's own way to read an answer.

    Attributes:
        find: from text to answer, or None where there is none.
    """

    find: Callable[[str], str | None]
    name: str = "custom"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """Whatever the user's function finds."""
        return self.find(text)

    def key(self, answer: str) -> str:
        """As for a short text, unless the user's function has a `key` of its own."""
        own = getattr(self.find, "key", None)
        return str(own(answer)) if callable(own) else Text().key(answer)
