"""Answers that are mathematical expressions, compared through math-verify and sympy."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from tscale_graph.answers.marked import marked_answer, this_answer_only
from tscale_graph.answers.numbers import parse_number

_LONGEST = 300
_MOST_OPERATIONS = 60
_LARGEST_EXPONENT = 12
_HUGE = re.compile(r"\d{5,}\s*!|\^\s*\{?\s*\d{4,}|\*\*\s*\d{4,}|\^[^^]{0,6}\^[^^]{0,6}\^|!\s*!")


@dataclass(frozen=True, slots=True)
class Math:
    """A mathematical expression, in LaTeX or plain."""

    name: str = "math"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The expression as it is written, or None."""
        text = this_answer_only(text)
        marked = marked_answer(text)
        if marked is not None:
            return marked.strip(" .")
        if truncated or not text:
            return None
        last = text.splitlines()[-1].strip(" .")
        return last.rpartition("=")[2].strip() or last or None

    def key(self, answer: str) -> str:
        """One string for all ways to write the same value, where that can be decided cheaply."""
        return _key(answer)


@lru_cache(maxsize=4096)
def _key(answer: str) -> str:
    bare = answer.strip().strip("$").strip()
    if re.fullmatch(r"[-+−]?[\d.,/\s]+|\\[dt]?frac\s?\{-?\d+\}\s?\{-?\d+\}", bare):
        number = parse_number(bare)
        if number is not None:
            return str(number)
    plain = "".join(bare.split())
    if len(bare) > _LONGEST or _HUGE.search(bare):
        return plain
    parsed = _parse(bare)
    return plain if parsed is None else parsed


def _parse(text: str) -> str | None:
    math_verify: Any = import_module("math_verify")  # which imports sympy, a second of it
    # It warns that its timeout is off; that one works by signals, so only in the main thread.
    logging.getLogger("math_verify.parser").setLevel(logging.ERROR)
    try:
        found: list[Any] = math_verify.parse(
            f"${text}$", parsing_timeout=None, raise_on_error=False
        )
        if not found or isinstance(found[0], str):
            return None
        return _canonical(found[0])
    except Exception:  # noqa: BLE001 - sympy raises anything on what models write
        return None


def _canonical(expression: Any) -> str:
    sympy: Any = import_module("sympy")
    if isinstance(expression, sympy.FiniteSet):
        return "{" + ",".join(sorted(_canonical(member) for member in expression)) + "}"
    if isinstance(expression, sympy.Eq) and isinstance(expression.lhs, sympy.Symbol):
        return _canonical(expression.rhs)
    if not isinstance(expression, sympy.Expr):
        return str(expression)
    if expression.has(sympy.Float):
        expression = sympy.nsimplify(expression, rational=True)
    if not _is_small(expression):
        return sympy.srepr(expression)
    simple = sympy.simplify(sympy.expand(expression))
    return str(simple) if simple.is_Rational else sympy.srepr(simple)


def _is_small(expression: Any) -> bool:
    """Whether expanding and simplifying cannot take long."""
    sympy: Any = import_module("sympy")
    powers = expression.atoms(sympy.Pow)
    exponents = [power.exp for power in powers if power.exp.is_Integer]
    return (
        sympy.count_ops(expression) <= _MOST_OPERATIONS
        and all(abs(exponent) <= _LARGEST_EXPONENT for exponent in exponents)
        and not expression.has(sympy.Integral, sympy.Sum, sympy.Product, sympy.factorial)
    )
