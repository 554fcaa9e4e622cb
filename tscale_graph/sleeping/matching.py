"""Whether a question is one that was anticipated: by its words, with a threshold that is learnt."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_POLITE = re.compile(
    r"""
    ^ (?: (?:hi|hello|hey|ok|okay|please) (?:\ there)? [,.!] \s*
      | (?:please\ |(?:can|could|would|will)\ you\ (?:please\ |kindly\ )?)? tell\ me (?:,|:)? \s+
        (?=(?:how|what|when|where|which|who|whose|whom|why|if|whether)\b)
    )+
    | (?: , \s* (?:please|thanks|thank\ you) )+ [\s?.!]* $
    """,
    re.VERBOSE,
)
"""What is set off from a question by a comma, or begins it: "say thanks" is no politeness."""
_SILENT = re.compile(r"[?,.;:]+(?=\s|$)|(?<=[^\W\d_])!+(?=\s|$)|[\"“”]")
"""Punctuation that ends something; inside of a formula, each sign counts."""
_WORD = re.compile(r"\d*\.?\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
NEVER = math.inf
"""A threshold that nothing reaches."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An example for learning a threshold.

    Attributes:
        first: a question.
        second: another.
        same: the answer to one is always the answer to the other.
    """

    first: str
    second: str
    same: bool


def words_of(question: str) -> tuple[str, ...]:
    """The words of a question, without case, punctuation and politeness around it.

    >>> words_of("Hi, could you tell me how much 2 teas cost, please?")
    ('how', 'much', '2', 'teas', 'cost')
    """
    spaced = " ".join(question.casefold().replace("’", "'").split())
    return tuple(_WORD.findall(_SILENT.sub(" ", _POLITE.sub(" ", spaced))))


def lexical_similarity(first: str, second: str) -> float:
    """How much alike two questions are worded, from 0 to 1; 1 only for the same words in a row.

    The mean of the Dice coefficients of words and of pairs of neighbours, which tell "does A beat
    B" from "does B beat A". Questions with other numbers are never alike.

    >>> lexical_similarity("How much is tea?", "how much is TEA")
    1.0
    >>> lexical_similarity("How much are 2 teas?", "How much are 3 teas?")
    0.0
    """
    one, other = words_of(first), words_of(second)
    if one == other:
        return 1.0 if one else 0.0
    if numbers_in(one) != numbers_in(other):
        return 0.0
    pairs = _dice(pairwise(("", *one, "")), pairwise(("", *other, "")))
    # The same pairs of neighbours in another order are no row of the same words.
    return min((_dice(one, other) + pairs) / 2, 0.999)


def numbers_in(words: Iterable[str]) -> Counter[str]:
    """The numbers among words, and how often each is there."""
    return Counter(word for word in words if any(map(str.isdigit, word)))


def nearest(
    question: str, anticipated: Sequence[str], similarity: Callable[[str, str], float]
) -> list[tuple[float, int]]:
    """(similarity, place) of the anticipated questions, most alike first."""
    found = [(similarity(question, other), place) for place, other in enumerate(anticipated)]
    return sorted(found, key=lambda one: (-one[0], one[1]))


def documents_about(question: str, documents: Mapping[str, str]) -> list[str]:
    """The documents that a question is most about, by its words that not all of them have.

    Args:
        question: the question.
        documents: texts by name.

    >>> documents_about("How much is tea?", {"menu": "Tea is 2.", "hours": "It is open from 8."})
    ['menu']
    """
    there = {name: _vocabulary(text) for name, text in documents.items()}
    everywhere = frozenset[str].intersection(*there.values())
    telling = set(words_of(question)) - everywhere
    found = {name: len(telling & words) for name, words in there.items()}
    most = max(found.values())
    return [name for name, count in found.items() if count == most]


@lru_cache(maxsize=256)
def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(words_of(text))


def learn_threshold(
    pairs: Iterable[Pair],
    similarity: Callable[[str, str], float] = lexical_similarity,
    *,
    most_wrong: float = 0.02,
    confidence: float = 0.9,
) -> float:
    """The least similarity from which on questions may be taken for the same.

    Of all pairs that are at least so much alike, at most `most_wrong` are different questions, by
    the upper end of an exact binomial interval (Clopper and Pearson 1934, Biometrika 26(4)): few
    examples learn a high threshold, and too few none that anything reaches.

    Args:
        pairs: examples, of pairs that look alike above all.
        similarity: of two questions, higher for more alike.
        most_wrong: share of wrong matches, in (0, 1).
        confidence: how sure to be of that, in (0, 1).

    Returns:
        The threshold, or infinity.

    >>> same = [Pair("How much is tea?", "how much is tea", True)] * 150
    >>> learn_threshold(same)
    1.0

    Raises:
        ValueError: for numbers out of range.
    """
    for name, value in (("most_wrong", most_wrong), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {value}")
    scored = sorted(((similarity(p.first, p.second), p.same) for p in pairs), reverse=True)
    found, wrong = NEVER, 0
    for place, (score, same) in enumerate(scored):
        wrong += not same
        last = place + 1 == len(scored) or scored[place + 1][0] < score
        if last and _at_most(wrong, place + 1, most_wrong, confidence):
            found = score
    return found


def _at_most(wrong: int, count: int, share: float, confidence: float) -> bool:
    """Whether so few of so many would be wrong by chance only, if more than `share` were."""
    log_terms = [
        math.lgamma(count + 1)
        - math.lgamma(k + 1)
        - math.lgamma(count - k + 1)
        + k * math.log(share)
        + (count - k) * math.log1p(-share)
        for k in range(wrong + 1)
    ]
    return math.fsum(map(math.exp, log_terms)) <= 1 - confidence


def _dice(first: Iterable[object], second: Iterable[object]) -> float:
    one, other = Counter(first), Counter(second)
    return 2 * (one & other).total() / (one.total() + other.total())
