"""Solutions of countdown in steps: which steps are sound, and what can still be made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import gcd

from tscale_graph.verifiers.arithmetic import normalise

MOST_STEPS = 50
"""Steps that are read; a solution needs one fewer than there are numbers."""
MOST_NUMBERS = 6
"""Numbers whose combinations the look-ahead tries."""

_LONGEST_LINE = 200
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})"
_NUMBER = re.compile(rf"-?\s*{_DIGITS}(?:\.[0-9]{{1,40}}|\s*/\s*{_DIGITS})?")
_STEP = re.compile(
    rf"""
    (?: (?:step\s+)? \(?[0-9]{{1,3}}[.):]\s+ | [-•+]\s+ )?
    (?: (?:first|then|next|now|so|and|finally|lastly) [,:]? \s+ )?
    (?P<combined> [-(0-9] [-+*/().,0-9\s]*+ )
    = \s*+ (?P<result> \(?\s*+ {_NUMBER.pattern} (?:\s*+\))? )
    [\s.,;!]*+
    (?: (?: \(\s*+[a-z] | (?:numbers\s+)? (?:left|remain|leav) ) .* )?
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How far the steps of an answer lead.

    Attributes:
        left: the numbers that are left after the last sound step, a result in the place of the
            first of the two numbers that it was made of.
        results: what the sound steps came to.
        scores: one for each step: 1.0 when it is sound and, where that is asked, the target can
            still be made; else 0.0, and so are all after an unsound one.
        problem: what is wrong with the first unsound step; "" when all are sound.
        closing: the text after the last step.
    """

    left: tuple[Fraction, ...]
    results: tuple[Fraction, ...]
    scores: tuple[float, ...]
    problem: str
    closing: str


def derivation(
    answer: str, numbers: Sequence[int], target: int, *, all_numbers: bool, look_ahead: bool
) -> Derivation | None:
    """The steps of an answer, one equation of two numbers a line; None when it has none.

    What a line says is left is not read, and lines that are no step are passed over.

    Args:
        answer: what the model said.
        numbers: what the first step chooses from.
        target: what to make.
        all_numbers: every number has to be used.
        look_ahead: ask after each sound step whether the target can still be made. Of more than
            `MOST_NUMBERS` numbers it is taken that it can.
    """
    left = tuple(Fraction(number) for number in numbers)
    results: list[Fraction] = []
    scores: list[float] = []
    problem, last = "", 0
    lines = normalise(answer).splitlines()
    for place, line in enumerate(lines, start=1):
        step = _read(line, fractions=bool(scores))
        if step is None:
            continue
        last = place
        if len(scores) == MOST_STEPS:
            problem = f"more than {MOST_STEPS} steps"
            break
        if not problem:
            left, wrong = _taken(step, left)
            problem = f"step {len(scores) + 1}: {wrong}" if wrong else ""
        if problem:
            scores.append(0.0)
            continue
        results.append(step.result)
        lost = look_ahead and len(left) <= MOST_NUMBERS and not can_reach(left, target, all_numbers)
        scores.append(0.0 if lost else 1.0)
    if not scores:
        return None
    closing = "\n".join(lines[last:])
    return Derivation(left, tuple(results), tuple(scores), problem, closing)


def can_reach(
    numbers: tuple[Fraction, ...], target: Fraction | int, all_numbers: bool = True
) -> bool:
    """Whether + - * / on the numbers, each used once, can make the target: an exact search.

    The outermost operation of an expression splits its numbers in two. Of few numbers all values
    are listed; of more, each value of the smaller part says what the larger one has to make.
    What was found is kept, in a cache of bounded size.

    >>> can_reach((Fraction(3), Fraction(3), Fraction(8), Fraction(8)), 24)
    True
    >>> [can_reach((Fraction(3), Fraction(4)), 4, all_numbers) for all_numbers in (True, False)]
    [False, True]

    Args:
        numbers: at most `MOST_NUMBERS`.
        target: what to make.
        all_numbers: every number has to be used; otherwise each at most once.

    Raises:
        ValueError: for more numbers than that.
    """
    if len(numbers) > MOST_NUMBERS:
        raise ValueError(f"numbers must be at most {MOST_NUMBERS}, got {len(numbers)}")
    wanted = Fraction(target).as_integer_ratio()
    ratios = sorted(number.as_integer_ratio() for number in numbers)
    sizes = [len(ratios)] if all_numbers else range(1, len(ratios) + 1)
    return any(_reaches(some, wanted) for size in sizes for some in combinations(ratios, size))


@dataclass(frozen=True, slots=True)
class _Step:
    """An equation, with each way to read its left side as two numbers.

    "8 / 1/3" may be 8 by 1/3 or 8/1 by 3; which is meant shows in the numbers that are left.
    """

    readings: list[tuple[Fraction, str, Fraction]]
    result: Fraction
    written_result: str


def _read(line: str, *, fractions: bool) -> _Step | None:
    """The step that a line is; without `fractions`, "6 * 2/3" has three numbers and is none."""
    line = line.strip(" \t$`*_")
    match = _STEP.fullmatch(line) if len(line) <= _LONGEST_LINE and "=" in line else None
    if match is None:
        return None
    combined, written_result = match["combined"], match["result"]
    result = _number(written_result)
    readings: list[tuple[Fraction, str, Fraction]] = []
    for sign in re.finditer(r"[-+*/]", combined):
        sides = combined[: sign.start()], combined[sign.end() :]
        a, b = map(_number, sides)
        if a is None or b is None:
            continue
        written = [number for number, side in zip((a, b), sides, strict=True) if "/" in side]
        if all(fractions and number.denominator > 1 for number in written):
            readings.append((a, sign.group(), b))
    return _Step(readings, result, written_result) if readings and result is not None else None


def _number(text: str) -> Fraction | None:
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if not _NUMBER.fullmatch(text):
        return None
    numerator, _, denominator = re.sub(r"[\s,]", "", text).partition("/")
    divisor = int(denominator or 1)
    return Fraction(numerator) / divisor if divisor else None


def _taken(step: _Step, left: tuple[Fraction, ...]) -> tuple[tuple[Fraction, ...], str]:
    """What is left after a step, and "" or what is wrong with it."""
    available = Counter(left)
    fitting = [(a, sign, b) for a, sign, b in step.readings if Counter((a, b)) <= available]
    for a, sign, b in fitting:
        if _combined(a, sign, b) == step.result:
            rest = list(left)
            place = rest.index(a)
            rest[place] = step.result
            rest.pop(next(k for k, number in enumerate(left) if number == b and k != place))
            return tuple(rest), ""
    a, sign, b = (fitting or step.readings)[0]
    lacking = next((number for number in (a, b) if number not in available), None)
    among = ", ".join(map(str, left))
    if lacking is not None:
        return left, f"{lacking} is not among {among}"
    if not fitting:
        return left, f"{a} is only once among {among}"
    value = _combined(a, sign, b)
    if value is None:
        return left, f"{a} / {b} divides by zero"
    return left, f"{a} {sign} {b} is {value}, not {step.written_result}"


def _combined(a: Fraction, sign: str, b: Fraction) -> Fraction | None:
    if sign == "/":
        return a / b if b else None
    return a + b if sign == "+" else a - b if sign == "-" else a * b


_Ratio = tuple[int, int]  # in lowest terms, the denominator positive; far faster than Fraction
_Ratios = tuple[_Ratio, ...]


@lru_cache(maxsize=20_000)
def _reaches(numbers: _Ratios, target: _Ratio) -> bool:
    if len(numbers) <= 3:
        return target in _values(numbers)
    for smaller, larger in _splits(numbers):
        known = _values(larger) if len(larger) <= 4 else None
        for value in _values(smaller):
            for wanted in _partners(value, target):
                if _reaches(larger, wanted) if known is None else wanted in known:
                    return True
    return False


@lru_cache(maxsize=128)
def _values(numbers: _Ratios) -> frozenset[_Ratio]:
    """All that can be made of all of these numbers: about a thousand for four."""
    if len(numbers) <= 1:
        return frozenset(numbers)
    found: set[_Ratio] = set()
    for smaller, larger in _splits(numbers):
        for a, b in _values(smaller):
            for c, d in _values(larger):
                left, right, both = a * d, c * b, b * d
                found.add(_ratio(left + right, both))
                found.add(_ratio(left - right, both))
                found.add(_ratio(right - left, both))
                found.add(_ratio(a * c, both))
                if c:
                    found.add(_ratio(left, right))
                if a:
                    found.add(_ratio(right, left))
    return frozenset(found)


def _partners(value: _Ratio, target: _Ratio) -> Iterator[_Ratio]:
    """With which numbers the value makes the target.

    Not with any, where both are 0: a split that sets one of those numbers apart then finds 0 too.
    """
    (a, b), (c, d) = value, target
    left, right, both = a * d, c * b, b * d
    yield _ratio(right - left, both)
    yield _ratio(right + left, both)
    yield _ratio(left - right, both)
    if a:
        yield _ratio(right, left)
        yield _ratio(a * c, both)
        if c:
            yield _ratio(left, right)


def _ratio(numerator: int, denominator: int) -> _Ratio:
    divisor = gcd(numerator, denominator)
    if denominator < 0:
        divisor = -divisor
    return numerator // divisor, denominator // divisor


def _splits(numbers: _Ratios) -> Iterator[tuple[_Ratios, _Ratios]]:
    """Each way to split sorted numbers in two, the smaller part first, both sorted."""
    everything = range(len(numbers))
    for size in range(1, len(numbers) // 2 + 1):
        for chosen in combinations(everything, size):
            if 2 * size < len(numbers) or chosen[0] == 0:
                rest = tuple(numbers[k] for k in everything if k not in chosen)
                yield tuple(numbers[k] for k in chosen), rest
