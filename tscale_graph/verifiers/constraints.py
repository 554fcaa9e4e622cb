"""Constraints that can be counted: words, characters, what must and must not occur."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tscale_graph.candidates import Verdict

Range = tuple[int, int]

_WORD = re.compile(r"[\w]+(?:['’\-][\w]+)*")
_SENTENCE = re.compile(r"[^.!?]+[.!?]+(?=\s|$)|[^.!?]+$")


@dataclass(frozen=True, slots=True)
class Constraints:
    """Checks a text against constraints; the score is the share of them that it meets."""

    words: Range | None
    characters: Range | None
    sentences: Range | None
    contains: tuple[str, ...]
    excludes: tuple[str, ...]
    matches: str | None
    answer_kind: str = "text"

    def __call__(self, question: str, answer: str) -> Verdict:
        """What the text meets and misses."""
        checks = list(self._checks(answer.strip()))
        failed = [problem for problem in checks if problem]
        return Verdict(
            score=1 - len(failed) / len(checks), passed=not failed, feedback="; ".join(failed)
        )

    def _checks(self, text: str) -> Iterator[str]:
        """For each constraint what is wrong, or ""."""
        sentences = [s for s in _SENTENCE.findall(text) if s.strip()]
        for unit, wanted, count in (
            ("words", self.words, len(_WORD.findall(text))),
            ("characters", self.characters, len(text)),
            ("sentences", self.sentences, len(sentences)),
        ):
            if wanted is not None:
                met = wanted[0] <= count <= wanted[1]
                yield "" if met else f"has {count} {unit}, should have {_span(wanted)}"
        for word in self.contains:
            yield "" if _occurs(word, text) else f"does not contain {word!r}"
        for word in self.excludes:
            yield f"contains {word!r}" if _occurs(word, text) else ""
        if self.matches is not None:
            yield "" if re.search(self.matches, text) else f"does not match {self.matches!r}"


def constraints(
    *,
    words: int | Range | None = None,
    characters: int | Range | None = None,
    sentences: int | Range | None = None,
    contains: str | Sequence[str] = (),
    excludes: str | Sequence[str] = (),
    matches: str | None = None,
) -> Constraints:
    """A verifier of countable constraints.

    Args:
        words: how many words: exactly, or from and to.
        characters: how many characters, the same way.
        sentences: how many sentences, the same way.
        contains: words or phrases that must occur, whatever their case.
        excludes: words or phrases that must not occur.
        matches: a regular expression that must be found.

    Raises:
        ValueError: when nothing is given, or something that no text can meet.

    >>> constraints(words=3)("", "one two").feedback
    'has 2 words, should have 3'
    """
    given = (words, characters, sentences, contains or None, excludes or None, matches)
    if all(constraint is None for constraint in given):
        raise ValueError("constraints needs at least one constraint")
    if matches is not None:
        try:
            re.compile(matches)
        except re.error as error:
            raise ValueError(
                f"matches must be a regular expression, got {matches!r}: {error}"
            ) from None
    return Constraints(
        words=_range("words", words),
        characters=_range("characters", characters),
        sentences=_range("sentences", sentences),
        contains=(contains,) if isinstance(contains, str) else tuple(contains),
        excludes=(excludes,) if isinstance(excludes, str) else tuple(excludes),
        matches=matches,
    )


def _range(name: str, wanted: int | Range | None) -> Range | None:
    if wanted is None:
        return None
    low, high = (wanted, wanted) if isinstance(wanted, int) else wanted
    if not 0 <= low <= high:
        raise ValueError(f"{name} must be a number or (from, to), both at least 0, got {wanted}")
    return low, high


def _span(wanted: Range) -> str:
    return str(wanted[0]) if wanted[0] == wanted[1] else f"{wanted[0]} to {wanted[1]}"


def _occurs(word: str, text: str) -> bool:
    """Whether a word or phrase occurs, not as a part of another word."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None
