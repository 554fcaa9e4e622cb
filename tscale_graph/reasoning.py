"""Which tasks take reasoning: a free rule on the words and the structure of a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAVY = 0.5
"""From this score on a task is taken to be reasoning-heavy."""


@dataclass(frozen=True, slots=True)
class Heaviness:
    """How much reasoning a task takes.

    Attributes:
        score: from 0 to 1; a sum of the weights of what was found.
        reason: what told it, in a few words; "" when nothing did.
    """

    score: float
    reason: str

    @property
    def heavy(self) -> bool:
        """Whether a reasoning-tuned model should have it at once."""
        return self.score >= HEAVY


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.VERBOSE)


_WORDS: tuple[tuple[re.Pattern[str], float, str], ...] = tuple(
    (_pattern(pattern), weight, reason)
    for pattern, weight, reason in (
        (
            r"\b(?:prove|proof\ that|disprove|derive|by\ (?:induction|contradiction)|show\ that)\b",
            0.6,
            "a proof",
        ),
        (
            r"\bstep[ -]by[ -]step\b|\bthink\ (?:carefully|hard|it\ through)\b|\bshow\ your\ work",
            0.3,
            "asks for steps",
        ),
        (
            r"""\bhow\ many\ (?:(?:different|distinct)\ )?(?:ways|paths|permutations|arrangements)\b
            |\b(?:probability|expected\ (?:value|number))\b|\bin\ how\ many\ ways\b""",
            0.6,
            "counting or chances",
        ),
        (
            r"""\b(?:integral(?!\ part)|integrate|derivative\ of|differentiate|eigenvalues?
            |determinant|polynomial|modulo|remainder\ when|converges?
            |system\ of\ equations|roots\ of)\b
            |\b(?:find|determine|list)\ all\ (?:\w+\ ){0,3}
            (?:solutions|integers|values|roots|primes|pairs|triples)\b
            |(?:\^\ ?\d|\d{4})[^?!\n]{0,40}\bprime\b""",
            0.5,
            "mathematics",
        ),
        (
            r"""\b(?:minimi[sz]e|maximi[sz]e|fewest
            |optimal\ (?:solution|strategy|route|order|schedule|assignment|allocation|moves?)
            |smallest\ number\ of|largest\ possible
            |least\ number\ of|shortest\ (?:route|path|time)|cheapest\ way)\b""",
            0.5,
            "an optimum to find",
        ),
        (
            r"""\b(?:knights?\ and\ knaves?|always\ (?:lies?|tells?\ the\ truth)|riddle|sudoku
            |logic\ puzzle|river\ crossing|who\ owns)\b
            |\b(?:using|use)\b[^?.!\n]{0,60}\b(?:make|reach|obtain)\ \d""",
            0.6,
            "a puzzle",
        ),
    )
)

_CODE = re.compile(
    r"```|^[ \t]*(?:def|class|for|while|public|func|fn) .*[:{(][ \t\r]*$"
    r"|(?<!\w)\w+\([^)\n]{0,200}\)[ \t]*[{:;]",
    re.IGNORECASE | re.MULTILINE,
)
_DEBUGGING = _pattern(
    r"""\b(?:bugs?|debug|fix|wrong|fails?|failing|crash(?:es)?|deadlock|race\ condition
    |traceback|exception|off\ by\ one|infinite\ loop|leaks?|(?:time\ )?complexity)\b"""
)
_STACK = _pattern(r"\bTraceback\b|\b\w+(?:Error|Exception)\b|\bdeadlock|\brace\ condition")
_CONSTRAINT = _pattern(
    r"""\b(?:exactly\ one|at\ (?:least|most)|neither|nor|unless|only\ if|either|except
    |(?:to\ the\ )?(?:left|right)\ of|next\ to|between|opposite|adjacent|before|after|cannot|must
    |(?:older|younger|taller|shorter|faster|slower|heavier|lighter|richer)\ than
    |not\ (?:the|next|in|on|at|sit)|different)\b"""
)
_STORY = _pattern(
    r"""\b(?:each|per|every|total|altogether|remaining|remain|left|twice|thrice|double|half|third
    |quarter|more\ than|less\ than|percent|discount|interest|average|speed|km/h|mph|cost|costs
    |profit|ratio|shared?|equally|gives?|sells?|sold|buys?|bought|fills?|drains?|together
    |apart|meets?|miles?|kilomet(?:re|er)s?|hours?|minutes?)\b|%"""
)
_NUMBER = _pattern(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
_WORDED = _pattern(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|dozen)\b")
_OPERATION = _pattern(r"(?<=[\d)x])\s*[-+*/×÷^]\s*(?=[\d(x])")
_LISTED = re.compile(r"\w, (?:an? |the )?\w+,? and\b")
_NAME = re.compile(r"(?<=[a-z,;:] )(?!I\b)[A-Z][a-z]*\b")
_WRITING = _pattern(
    r"""\b(?:translate|rewrite|rephrase|recommend|summari[sz]e
    |write\ (?:me\ )?(?:an?|the)\ (?:\w+\ )?(?:e-?mail|letter|note|message|card|greeting|poem|story
    |post|tweet|speech|summary))\b"""
)
_LOOK_UP = _pattern(
    r"""^\s*(?:who|when|where|define|translate|spell|list|name|summari[sz]e|rewrite|rephrase
    |correct\ the\ spelling|what\ (?:is|are|was|does)\ (?:the\ )?(?:capital|name|population|meaning
    |definition|author|currency|plural|synonym|opposite|\w+\ stand\ for|\w+\ mean))\b"""
)


_LONGEST = 20_000
"""Characters that are read of a question: half of them from its beginning, half from its end."""


def reasoning_heavy(question: str) -> Heaviness:
    """Whether a task takes reasoning, by rules that cost nothing.

    Proofs, puzzles with constraints, sums told as stories, counting and chances, optima, code to
    debug, long calculations. What asks for one fact, or for writing, is never heavy by its length
    alone. A rule of thumb, for English only.

    >>> reasoning_heavy("Prove that the square root of 2 is irrational.").reason
    'a proof'
    >>> reasoning_heavy("What is the capital of France?").heavy
    False
    """
    if len(question) > _LONGEST:
        question = f"{question[: _LONGEST // 2]}\n{question[-_LONGEST // 2 :]}"
    found = [(weight, told) for pattern, weight, told in _WORDS if pattern.search(question)]
    found += _structure(question)
    score = sum(weight for weight, _ in found)
    if _LOOK_UP.search(question) or _WRITING.search(question):
        score -= 0.4
    reasons = [told for _, told in sorted(found, key=lambda one: -one[0])]
    return Heaviness(max(0.0, min(1.0, score)), ", ".join(reasons[:2]))


def _structure(question: str) -> list[tuple[float, str]]:
    """What the structure tells: code, calculations, stories, constraints, length."""
    found: list[tuple[float, str]] = []
    code = _CODE.search(question) is not None or _STACK.search(question) is not None
    if code and _DEBUGGING.search(question):
        found.append((0.6, "code to debug"))
    operations = len(_OPERATION.findall(question))
    if operations >= 3:
        found.append((0.5, f"{operations} operations"))
    numbers = len(_NUMBER.findall(question)) + len(_WORDED.findall(question))
    story = {word.lower() for word in _STORY.findall(question)}
    if numbers >= 2 and len(story) >= 2:
        found.append((0.5 if numbers + len(story) >= 5 else 0.3, "a sum told as a story"))
    constraints = len(_CONSTRAINT.findall(question))
    several = _LISTED.search(question) or len(set(_NAME.findall(question))) >= 2
    if constraints >= 2 and (several or numbers >= 2):
        found.append((min(0.75, 0.2 * constraints), f"{constraints} constraints"))
    words = len(question.split())
    if words >= 60:
        found.append((0.2, f"{words} words"))
    return found
