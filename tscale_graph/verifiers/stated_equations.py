"""Finding the equations in a question, and telling when words say more than the symbols do.

"Half of x = 3" holds an equation that symbols alone would misread. So only words that are known to
leave an equation as it is may stand beside one, and a question with any other is refused.
"""

from __future__ import annotations

import re
from itertools import pairwise

from tscale_graph.verifiers.arithmetic import is_arithmetic, normalise

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)+|[^\W\d_]{2,}")
_LETTER = re.compile(r"(?<![^\W\d_])[A-Za-z](?![^\W\d_]|['’])")
_BEFORE = re.compile(
    r"solv(?:e|es|ing)|equations?|system|if|that|where|when|whenever|given|let|suppose|assum(?:e|ing)"
    r"|is|are|satisf(?:y|ies|ying|ied)|in|with|consider|so|then|have|has|since|because|know|knowing"
    r"|says|see|following|which",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"and", re.IGNORECASE)
"""Joins equations, but also what a sum or a product is of."""
_AFTER = re.compile(
    r"for|what(?:['’]s)?|find|solve|show|if|where|when|then|and|with|given|how|is|has|have|holds|in"
    r"|please|which|whose|so|give|to|by|using|as|state|determine|write|let|step|answer",
    re.IGNORECASE,
)
_CALCULATES = re.compile(
    r"\b(?:sum|difference|product|quotient|ratio|times|multiplied|divided|plus|minus|added|"
    r"subtracted|less|more|twice|thrice|double|triple|half|third|quarter|percent|power|squared?|"
    r"cubed?|root|log|mod|modulo|base|factorial|reciprocal|inverse|absolute|increased|decreased)\b",
    re.IGNORECASE,
)
_AROUND = " *_\"'"
_COMPARES = re.compile(r"[A-Za-z]\s*[<>≤≥≠]|[<>≤≥≠]\s*[A-Za-z]\b")
_COMPOSED = re.compile(
    r"\d\s?[A-Za-z](?![^\W\d_])|(?<![^\W\d_])[A-Za-z]\s?[-+*/^]\s?[\w(]|[-+*/^]\s?[A-Za-z]\b"
)
_FUNCTION = re.compile(r"[A-Za-z]\(\s*[A-Za-z]\s*\)")
_ASKED_FOR = re.compile(
    r"\b(?:for|find|get|determine|values? of)\s+[A-Za-z](?=\s+[\w(]|\s*[.,;:?!]|\s*$)",
    re.IGNORECASE,
)
_NAMES_NOTHING = re.compile(
    r"\b(?:(?:for|find)(?=\s+[-(\d])|(?:solutions?|(?<!square )(?<!cube )roots) (?:of|to))\b",
    re.IGNORECASE,
)


def find_equations(question: str) -> list[tuple[str, str]]:
    """The equations in a text, as pairs of their sides.

    >>> find_equations("Solve 3x + 4 = 19 for x.")
    [('3x + 4', '19')]

    Raises:
        ValueError: when there is none, or something that may belong to one cannot be read.
    """
    found: list[tuple[str, str]] = []
    elsewhere: list[str] = []
    for sentence in re.split(r"[,;:?\n]|\.(?!\d)", _plain(question)):
        parts = sentence.split("=")
        if len(parts) > 1:
            _refuse(_CALCULATES.search(sentence))
            found += _equations(parts, after_another=bool(found))
            elsewhere += [_until_maths(parts[0]), _since_maths(parts[-1])]
        else:
            elsewhere.append(sentence)
    unknowns = {name for sides in found for side in sides for name in names(side)}
    for text in elsewhere:
        if unknowns & set(_LETTER.findall(_ASKED_FOR.sub(" ", text))):
            _refuse(_CALCULATES.search(text) or _COMPARES.search(text))
        if unknowns & {name for match in _COMPOSED.finditer(text) for name in names(match.group())}:
            _refuse(_COMPOSED.search(text))
    if not found:
        raise _unreadable()
    return found


def names(side: str) -> set[str]:
    """The letters of one side of an equation."""
    return set(_LETTER.findall(side))


def _plain(question: str) -> str:
    """ASCII operators, no mathematical layout, no separators of thousands."""
    text = re.sub(r"\\[()\[\]]|[$`]|\*\*(?=\s|\D*$)", " ", question)
    text = re.sub(r"(?m)^\s*\d{1,2}\)\s", " ", text)
    # A dash that starts a line is a bullet or a minus.
    text = re.sub(r"(?m)^\s*[-–−]\s", "• ", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?![\dA-Za-z]))", "", text)
    text = normalise(re.sub(r"={2,}", "=", text.replace("\\cdot", "*").replace("\\times", "*")))
    _refuse(re.search(r"\d,\d", text))
    text = _ASKED_FOR.sub(" solve ", text)
    return _NAMES_NOTHING.sub(" solve ", text)


def _equations(parts: list[str], *, after_another: bool) -> list[tuple[str, str]]:
    """The equations in one sentence that was split at its equal signs."""
    found: list[tuple[str, str]] = []
    for place, (left, right) in enumerate(pairwise(parts)):
        if not (_LETTER.search(left) or _LETTER.search(right)):
            continue
        joined = place > 0 or after_another
        sides = _last_maths(left, joined=joined), _first_maths(right)
        if not sides[1] and len(sides[0]) == 1 and not _WORD.search(right):
            continue  # "x =" leaves a blank for the answer
        for side in sides:
            if not is_arithmetic(side) or _FUNCTION.search(side):
                raise _unreadable(side)
        if names(sides[0]) | names(sides[1]):
            found.append(sides)
    return found


def _last_maths(text: str, *, joined: bool) -> str:
    """What follows the last word, which has to be one that leaves it as it is."""
    words = list(_WORD.finditer(text))
    if not words:
        return text.strip(_AROUND)
    word = words[-1].group()
    if not (_BEFORE.fullmatch(word) or (joined and _BETWEEN.fullmatch(word))):
        raise _unreadable(text[words[-1].start() :])
    return text[words[-1].end() :].strip(_AROUND)


def _first_maths(text: str) -> str:
    """What comes before the first word, which has to be one that leaves it as it is."""
    word = _WORD.search(text)
    if word is None:
        return text.strip(_AROUND)
    if not _AFTER.fullmatch(word.group()):
        raise _unreadable(text[: word.end()])
    return text[: word.start()].strip(_AROUND)


def _until_maths(text: str) -> str:
    words = list(_WORD.finditer(text))
    return text[: words[-1].end()] if words else ""


def _since_maths(text: str) -> str:
    word = _WORD.search(text)
    return text[word.start() :] if word else ""


def _refuse(match: re.Match[str] | None) -> None:
    if match is not None:
        raise _unreadable(match.group())


def _unreadable(what: str = "") -> ValueError:
    told = f": {' '.join(what.split())!r} may change what it means" if what.strip() else ""
    return ValueError(f"the question has no equation that can be checked{told}")
