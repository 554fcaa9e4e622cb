"""How large a mathematical expression can become: what keeps its parsing and simplifying short."""

from __future__ import annotations

import math
import re
from importlib import import_module
from typing import Any

_MOST_OPERATIONS = 80
_MOST_TERMS = 300
_MOST_SYMBOLS = 5
_LARGEST_POWER = 2_000

_COMMANDS = re.compile(
    r"[dtc]?frac|sqrt|pi|cdot|times|div|pm|mp|left|right|(?:sin|cos|tan)h?|cot|sec|csc|"
    r"arc(?:sin|cos|tan)|ln|log|exp|infty|leq?|geq?|lt|gt|alpha|beta|gamma|delta|theta|lambda|mu|"
    r"phi|omega|sigma|tau|rho|(?:var)?epsilon|circ|begin|end|[lr]?vert|text|mathrm|"
    r"emptyset|varnothing"
)


def is_safe(text: str) -> bool:
    """Whether parsing cannot compute anything huge."""
    if not all(map(_COMMANDS.fullmatch, re.findall(r"\\([A-Za-z]+)", text))):
        return False
    if re.search(r"[0-9]{100}|[^0-9]!|[0-9]{3}!|!!", text) or not re.search(r"\w", text):
        return False
    if len(re.findall(r"\\exp|e\s?\^", text)) > 2 or text.count("(") + text.count("{") > 30:
        return False
    compound, simple = 1, 1
    for power in re.finditer(r"\^", text):
        group = _exponent_after(text, power.end())
        if any(
            not group[inner.start() - 1 : inner.start()].isalpha()
            for inner in re.finditer(r"\s*\^", group)
        ):
            return False
        size = math.prod(min(int(n), 10**6) for n in re.findall(r"[0-9]{1,9}", group) if int(n))
        if text[: power.start()].rstrip()[-1:] in (")", "}", "]"):
            compound *= size
        else:
            simple = max(simple, size)
    return compound * simple <= _LARGEST_POWER


def _exponent_after(text: str, place: int) -> str:
    text = text[place:].lstrip()
    if not text.startswith(("{", "(")):
        return (re.match(r"-?(?:[0-9]+|.)", text) or [""])[0]
    level = 0
    for end, character in enumerate(text):
        level += {"(": 1, "{": 1, ")": -1, "}": -1}.get(character, 0)
        if level == 0:
            return text[: end + 1]
    return text


def is_small(expression: Any) -> bool:
    """Whether expanding and simplifying a sympy expression cannot take long."""
    sympy: Any = import_module("sympy")
    return (
        sympy.count_ops(expression) <= _MOST_OPERATIONS
        and len(expression.free_symbols) <= _MOST_SYMBOLS
        and _terms(expression) <= _MOST_TERMS
    )


def _terms(expression: Any) -> int:
    """At most how many terms an expression expands to, up to a thousand."""
    if expression.is_Add:
        count = sum(_terms(part) for part in expression.args)
    elif expression.is_Mul:
        count = math.prod(_terms(part) for part in expression.args)
    elif expression.is_Pow and expression.exp.is_Integer:
        base, exponent = _terms(expression.base), min(abs(int(expression.exp)), 1_000)
        count = math.comb(exponent + base - 1, exponent) if base > 1 else exponent // 50 + 1
    else:
        count = max((_terms(part) for part in expression.args), default=1)
    return min(count, 1_000)
