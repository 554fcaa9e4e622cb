"""Reading arithmetic that people and models write, as exact rationals; nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?|\.\d+)|([A-Za-z])|(\*\*|[-+*/^()]))")
_SAME = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")",
                       "{": "(", "}": ")"})  # fmt: skip
_LONGEST = 400
_DEEPEST = 60
_LARGEST_EXPONENT = 12
_LARGEST = 10**60


class ArithmeticProblem(ValueError):
    """The text is not arithmetic, or cannot be evaluated; the message says why."""


class Undefined(ArithmeticProblem):
    """Arithmetic without a value within bounds, which depends on the values of its letters."""


@dataclass
class _Reader:
    """A recursive-descent evaluator: sums of products of powers, with implied multiplication."""

    tokens: list[str]
    values: Mapping[str, Fraction]
    place: int = 0
    depth: int = 0
    numbers: list[Fraction] = field(default_factory=list[Fraction])

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.place += 1
        return token

    def sum(self) -> Fraction:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ArithmeticProblem("it is nested too deeply")
        total = self.product()
        while self.peek() in ("+", "-"):
            total = total + self.product() if self.take() == "+" else total - self.product()
        self.depth -= 1
        return _bounded(total)

    def product(self) -> Fraction:
        total = self.signed()
        while True:
            token = self.peek()
            if token == "*":
                self.take()
                total = _bounded(total * self.signed())
            elif token == "/":
                self.take()
                divisor = self.signed()
                if divisor == 0:
                    raise Undefined("it divides by zero")
                total = _bounded(total / divisor)
            elif token == "(" or token.isalpha() or (token[:1].isdigit() and self._after_close()):
                total = _bounded(total * self.power())
            else:
                return total

    def _after_close(self) -> bool:
        return self.place > 0 and self.tokens[self.place - 1] == ")"

    def signed(self) -> Fraction:
        sign = 1
        while self.peek() in ("-", "+"):
            sign = -sign if self.take() == "-" else sign
        return sign * self.power()

    def power(self) -> Fraction:
        base = self.atom()
        if self.peek() not in ("^", "**"):
            return base
        self.take()
        exponent = self.signed()
        if exponent.denominator != 1 or abs(exponent) > _LARGEST_EXPONENT:
            raise Undefined(f"the exponent {exponent} is out of range")
        if base == 0 and exponent < 0:
            raise Undefined("it divides by zero")
        return _bounded(base ** int(exponent))

    def atom(self) -> Fraction:
        token = self.take()
        if token == "(":
            value = self.sum()
            if self.take() != ")":
                raise ArithmeticProblem("a parenthesis is not closed")
            return value
        if token.isalpha():
            if token not in self.values:
                raise ArithmeticProblem(f"{token} has no value")
            return self.values[token]
        if token and (token[0].isdigit() or token[0] == "."):
            number = Fraction(token)
            self.numbers.append(number)
            return number
        raise ArithmeticProblem(f"{token!r} is out of place" if token else "it ends too early")


def evaluate(text: str, values: Mapping[str, Fraction] | None = None) -> Fraction:
    """The exact value of an arithmetic expression.

    >>> evaluate("2(x + 1)/3", {"x": Fraction(1, 2)})
    Fraction(1, 1)

    Raises:
        ArithmeticProblem: when it is none, or out of bounds; the message says why.
    """
    return evaluate_with_numbers(text, values)[0]


def evaluate_with_numbers(
    text: str, values: Mapping[str, Fraction] | None = None
) -> tuple[Fraction, list[Fraction]]:
    """The value of an expression, and the numbers that are written in it, in order."""
    reader = _Reader(_tokens(text), values or {})
    value = reader.sum()
    if reader.place < len(reader.tokens):
        raise ArithmeticProblem(f"{reader.peek()!r} is out of place")
    return value, reader.numbers


def is_arithmetic(text: str) -> bool:
    """Whether a text is arithmetic of numbers and letters, whatever the letters' values.

    >>> is_arithmetic("2(x + 1)/y"), is_arithmetic("|x|")
    (True, False)
    """
    letters = set(re.findall(r"[A-Za-z]", text))
    for value in (1, 7):  # where it is undefined, what follows is not read
        try:
            evaluate(text, dict.fromkeys(letters, Fraction(value)))
        except Undefined:
            continue
        except ArithmeticProblem:
            return False
    return True


def normalise(text: str) -> str:
    """The text with ASCII operators."""
    return re.sub(r"([²³])", lambda m: "^" + {"²": "2", "³": "3"}[m[1]], text).translate(_SAME)


def _tokens(text: str) -> list[str]:
    text = normalise(text).strip()
    if len(text) > _LONGEST:
        raise ArithmeticProblem("it is too long")
    tokens: list[str] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ArithmeticProblem(f"{text[place:].strip()[:1]!r} is no arithmetic")
        tokens.append(match.group(match.lastindex or 0))
        place = match.end()
    return tokens


def _bounded(value: Fraction) -> Fraction:
    if abs(value.numerator) > _LARGEST or value.denominator > _LARGEST:
        raise Undefined("its value is too large")
    return value
