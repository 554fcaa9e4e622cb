"""Where one reasoning step of a text ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

_By = Literal["delimiter", "sentence"]


@dataclass(frozen=True, slots=True)
class StepSplitter:
    r"""How the text of a model is cut into reasoning steps; nothing of it is lost.

    >>> StepSplitter("delimiter", "\n").split("2 * 3 = 6\n6 + 4 = 10\n")
    ['2 * 3 = 6\n', '6 + 4 = 10\n']
    >>> StepSplitter("sentence").split("Pi is 3.14, i.e. less than 4. So it fits.")
    ['Pi is 3.14, i.e. less than 4. ', 'So it fits.']

    Attributes:
        by: "delimiter", or "sentence": after ". ! ? …" that whitespace follows, but not after
            abbreviations, initials and list numbers, and after "。！？" in any case.
        delimiter: what ends a step. One that steps begin with is written with what stands
            before it, such as "\nStep ", or a provider that stops at it says nothing at all.
        min_characters: of which a step has at least so many, without its delimiter and the
            whitespace around it. What is shorter is merged with what comes next; at the end,
            and where there is nothing but whitespace, with what came before.

    Raises:
        ValueError: for another `by`, an empty delimiter, or fewer than one character.
    """

    by: _By
    delimiter: str = "\n\n"
    min_characters: int = 1

    def __post_init__(self) -> None:
        if self.by not in get_args(_By):
            raise ValueError(f"by must be {' or '.join(get_args(_By))}, got {self.by!r}")
        if not self.delimiter:
            raise ValueError("delimiter must not be empty")
        if self.min_characters < 1:
            raise ValueError(f"min_characters must be at least 1, got {self.min_characters}")

    @property
    def name(self) -> str | None:
        """What `step_splitter` knows it by; None where no name says it all.

        The delimiter of one by sentences plays no part, in its name neither.
        """
        if self.min_characters > 1:
            return None
        if self.by == "sentence":
            return "sentence"
        known = (name for name, splitter in _NAMED.items() if splitter == self)
        return next(known, f"delimiter:{self.delimiter}")

    def split(self, text: str) -> list[str]:
        """The steps, each with its delimiter or the whitespace that ends it.

        Joined they are the text; an empty text has none. Only a text of nothing but whitespace
        has a blank one.
        """
        ends: list[int] = []
        first, last, start = -1, -1, 0  # the content since the last end: from where to where
        for content, end in self._pieces(text):
            stripped = text[start:content].strip()
            if stripped:
                last = start + len(text[start:content].rstrip())
                first = last - len(stripped) if first < 0 else first
            if first < 0 and ends:
                ends[-1] = end
            elif first >= 0 and last - first >= self.min_characters:
                ends.append(end)
                first = -1
            start = end
        if ends:
            ends[-1] = len(text)
        elif text:
            ends.append(len(text))
        return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    def first(self, text: str) -> str:
        """The first step, to which a continuation that ran on is cut back; "" of no text."""
        steps = self.split(text)
        return steps[0] if steps else ""

    @property
    def stop(self) -> list[str] | None:
        """At which sequences a provider should stop; None where no sequence ends a step."""
        return [self.delimiter] if self.by == "delimiter" else None

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the content of each piece ends, and where the piece does."""
        if self.by == "sentence":
            yield from ((end, end) for end in _sentence_ends(text))
            return
        start = 0
        while (found := text.find(self.delimiter, start)) >= 0:
            start = found + len(self.delimiter)
            yield found, start
        if start < len(text):
            yield len(text), len(text)


def step_splitter(steps: str | StepSplitter) -> StepSplitter:
    r"""The splitter of that name, or the splitter itself.

    >>> step_splitter("delimiter:\nStep ").stop
    ['\nStep ']

    Args:
        steps: "paragraph" (a blank line ends a step), "line", "sentence", or "delimiter:" and
            the text that ends a step.

    Raises:
        ValueError: for anything else; the message lists the names.
    """
    if isinstance(steps, StepSplitter):
        return steps
    if isinstance(steps, str):
        kind, _, delimiter = steps.partition(":")
        if kind == "delimiter" and delimiter:
            return StepSplitter("delimiter", delimiter)
        if steps in _NAMED:
            return _NAMED[steps]
    raise ValueError(
        f"steps must be one of {', '.join(_NAMED)}, delimiter:<text> or a StepSplitter, "
        f"got {steps!r}"
    )


_NAMED = {
    "paragraph": StepSplitter("delimiter", "\n\n"),
    "line": StepSplitter("delimiter", "\n"),
    "sentence": StepSplitter("sentence"),
}

_END = re.compile(r"(?<![.!?…。！？])(?P<mark>[.!?…。！？]++)[\"'”’»」』)\]}*_`]*+(?P<space>\s*+)")
_ABBREVIATIONS = frozenset({
    "e.g", "i.e", "cf", "vs", "viz", "etc", "approx", "resp", "incl", "excl", "w.r.t", "s.t",
    "i.i.d", "a.k.a", "a.m", "p.m",
})  # fmt: skip
_AS_WRITTEN = frozenset({
    "al", "Mr", "Mrs", "Ms", "Mx", "Dr", "Prof", "Sr", "Jr", "St", "Rev", "Gen", "Sen", "Rep",
    "Gov", "Capt", "Lt", "Col", "Sgt", "Inc", "Ltd", "Corp", "Dept",
})  # fmt: skip
_BEFORE_A_NUMBER = frozenset({
    "no", "nos", "nr", "eq", "eqs", "fig", "figs", "sec", "secs", "ch", "vol", "p", "pp", "art",
    "thm", "lem", "def", "prop", "ex",
})  # fmt: skip
_LIST_NUMBER = re.compile(
    r"[\s#>*_(•-]*(?:(?:step|case|part)[ ]+)?(?:[0-9]{1,3}(?:\.[0-9]{1,3})*|[A-Za-z])",
    re.IGNORECASE,
)
_LOOK_BACK = 40
"""Characters before a full stop that are read: no abbreviation or list number is longer."""


def _sentence_ends(text: str) -> Iterator[int]:
    """Where sentences end, whitespace after them included; last the end of the text."""
    start = 0
    for match in _END.finditer(text):
        if match.end() < len(text) and _ends_a_sentence(text, start, match):
            start = match.end()
            yield start
    if start < len(text):
        yield len(text)


def _ends_a_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the mark, which is not the end of the text, ends the sentence from `start` on."""
    mark, space, following = match["mark"], match["space"], text[match.end()]
    if not space:
        return mark[-1] in "。！？"
    if following in "=,;<>≤≥≠≈×÷/^":  # "5! = 120", "etc., and"
        return False
    if "…" in mark or ".." in mark:
        return not following.islower()
    if mark != ".":
        return True
    place = match.start()
    before = text[max(start, place - _LOOK_BACK) : place]
    if _is_shortened(before, following):
        return False
    line = max(start, text.rfind("\n", start, place) + 1) if "\n" in before else start
    of_list = place - line <= _LOOK_BACK and _LIST_NUMBER.fullmatch(text, line, place)
    return not of_list or "\n" in space


def _is_shortened(before: str, following: str) -> bool:
    """Whether an abbreviation or an initial stands before a full stop."""
    words = before.rsplit(maxsplit=1)
    word = words[-1].lstrip("(['\"“‘«*_~") if words and not before[-1].isspace() else ""
    if not word:
        return False
    if word[-1].isupper() and not word[-2:-1].isalnum():
        return True
    usual = word[0].lower() + word[1:]
    return (
        usual in _ABBREVIATIONS
        or word in _AS_WRITTEN
        or (usual in _BEFORE_A_NUMBER and following in "0123456789(")
    )
