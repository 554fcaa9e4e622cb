r"""Answers that are mathematical expressions, compared through math-verify and sympy.

math-verify limits its time by signals, which work in the main thread only. Here time is limited
by size instead: only commands that evaluate to nothing large are parsed, and only what expands
to few terms is simplified. Everything else is compared as it is written.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from tscale_graph.answers.expression_size import is_safe, is_small
from tscale_graph.answers.marked import marked_answers, math_spans, this_answer_only, unwrapped
from tscale_graph.answers.numbers import Number, whole_number

_LONGEST = 300
_DEEPEST = 4

_FUNCTIONS = "sqrt|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|ln|log|exp|pi"
_LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle|quad|qquad|[bB]igg?[lr]?)(?![A-Za-z])|\\[!,;: ]|~"
)
_WORDS = re.compile(rf"(?<!\\)\b(?!(?:{_FUNCTIONS}|matrix|pmatrix|bmatrix)\b)[A-Za-z]{{3,}}")
_ASSIGNS = re.compile(r"([A-Za-z](?:_\{?\w\}?)?(?:\([a-z]\))?)\s*=(?!=)\s*(.+)", re.DOTALL)
_MEMBER = re.compile(r"[A-Za-z]\s*\\in(?![A-Za-z])\s*(.+)", re.DOTALL)
_AND = re.compile(r"\s*(?:\\text\{\s*(?:and|or)\s*\}|\b(?:and|or)\b)\s*")


@dataclass(frozen=True, slots=True)
class Math:
    r"""A mathematical expression, in LaTeX or plain.

    Needs the extra `math`. What is one number is compared as `Number` compares it. "x = 3" is 3;
    "1, 2", "2 and 1", "x = 1 or x = 2" and "\{1, 2\}" are one set; the order in "(1, 2)" counts.
    """

    name: str = "math"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        r"""The final expression as it is written, or None.

        It is the one marked as final, else the last one between math delimiters, else a last
        line that is nothing but mathematics, else the last number.
        """
        text, truncated = this_answer_only(text, truncated=truncated)
        for mark in marked_answers(text):
            found = _marked(mark.answer, whole=mark.how == "boxed")
            if mark.how == "hashes" and (truncated or not mark.is_last_line):
                found = found if whole_number(found) is not None else ""
            if found:
                return found
        if truncated or not text:
            return None
        spans = math_spans(text)
        if spans:
            return _last_side(spans[-1])
        last = unwrapped(text.splitlines()[-1])
        if len(last) <= _LONGEST and re.search(r"[\w)]", last) and not _WORDS.search(last):
            return _last_side(last)
        return Number().extract(text)

    def key(self, answer: str) -> str:
        """One string for all ways to write the same value, where that can be decided cheaply.

        Raises:
            ImportError: where math-verify is not installed.
        """
        return _key(answer)


def can_do_math() -> bool:
    """Whether math-verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


def require_math_verify() -> None:
    """Say how to install math-verify where it is missing.

    Raises:
        ImportError: where it is.
    """
    if not can_do_math():
        raise ImportError("""answer="math" needs math-verify: pip install 'tscale-graph[math]'""")


def _marked(answer: str, *, whole: bool) -> str:
    if whole:
        return answer
    spans = math_spans(answer)
    if len(spans) == 1 and whole_number(answer) is None:
        return _last_side(spans[0])
    if spans and len(spans) > 1:
        return ", ".join(spans) if re.search(r"\b(?:and|or)\b|\$,", answer) else spans[0]
    return re.split(r",?\s(?:where|because|since|for all|which|as)\b", unwrapped(answer))[0].strip()


def _last_side(text: str) -> str:
    r"""The end of a chain "a = b = c"; one equation stays whole."""
    sides = re.split(r"(?<![<>!:\\])=", text)
    return sides[-1].strip() or text if len(sides) > 2 and "," not in text else text


@lru_cache(maxsize=4096)
def _key(answer: str) -> str:
    require_math_verify()
    if len(answer) > _LONGEST:
        number = whole_number(answer)
        return str(number) if number is not None else " ".join(answer.split())
    return _structure(_plain(answer), _DEEPEST)


def _plain(answer: str) -> str:
    text = unwrapped(_LAYOUT.sub(" ", unwrapped(answer)))
    text = text.replace("−", "-").replace("**", "^").replace("π", r"\pi ").replace("∞", r"\infty ")
    text = text.replace("·", r"\cdot ").replace("×", r"\times ").replace("≤", r"\le ")
    text = text.replace("≥", r"\ge ").replace("<=", r"\le ").replace(">=", r"\ge ")
    text = text.replace("∪", r"\cup ").replace("∈", r"\in ").replace("±", r"\pm ")
    text = re.sub(r"√\s*\(([^()]*)\)|√\s*([0-9]+|[a-z])", r"\\sqrt{\1\2}", text)
    text = re.sub(r"(?<![\\A-Za-z])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(rf"(?<![\\A-Za-z])({_FUNCTIONS})(?![A-Za-z])", r"\\\1 ", text)
    return re.sub(r"\s*\*\s*", r" \\cdot ", text).strip()


def _structure(text: str, depth: int) -> str:
    """Sets, tuples, intervals, unions and lists by their parts; the parts by their value."""
    number = whole_number(text)
    if number is not None:
        return str(number)
    if depth == 0 or not text:
        return _as_written(text)
    if member := _MEMBER.fullmatch(text):
        text = member.group(1)
    parts = _split(text, r"\cup")
    if len(parts) > 1:
        return " u ".join(sorted({_structure(part, depth - 1) for part in parts}))
    if (inside := _inside(text, r"\{", r"\}")) is not None:
        return _set_of(_split(inside, ","), depth)
    for opening, closing in (("(", ")"), ("(", "]"), ("[", ")"), ("[", "]")):
        inside = _inside(text, opening, closing)
        members = _split(inside, ",") if inside is not None else []
        if len(members) > 1:
            inner = ",".join(_structure(part, depth - 1) for part in members)
            return f"{opening}{inner}{closing}"
    members = [part for piece in _AND.split(text) for part in _split(piece, ",") if part]
    if len(members) > 1:
        return _set_of(members, depth)
    if assigned := _ASSIGNS.fullmatch(text):
        value = assigned.group(2)
        if "=" not in value and assigned.group(1)[0] not in re.sub(r"\\[A-Za-z]+", "", value):
            return _structure(value.strip(), depth - 1)
    return _value(text)


def _set_of(parts: list[str], depth: int) -> str:
    assigned = [_ASSIGNS.fullmatch(part) for part in parts]
    names = {match.group(1) for match in assigned if match}
    keys = {_structure(part, depth - 1) for part in parts}
    if len(names) > 1 and all(assigned):
        keys = {f"{m.group(1)}={_structure(m.group(2), depth - 1)}" for m in assigned if m}
    return "{" + ",".join(sorted(keys)) + "}"


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand outside of all brackets."""
    parts, start, level, place = list[str](), 0, 0, 0
    while place < len(text):
        if level == 0 and text.startswith(separator, place):
            parts.append(text[start:place].strip())
            place = start = place + len(separator)
            continue
        level += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[place], 0)
        place += 1
    return [*parts, text[start:].strip()]


def _inside(text: str, opening: str, closing: str) -> str | None:
    """What a pair of brackets around the whole text encloses."""
    if not (text.startswith(opening) and text.endswith(closing)):
        return None
    inside = text[len(opening) : len(text) - len(closing)]
    level = 0
    for character in inside:
        level += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if level < 0:
            return None
    return inside.strip()


def _value(text: str) -> str:
    if _WORDS.search(text) or not is_safe(text):
        return _as_written(text)
    math_verify: Any = import_module("math_verify")  # which imports sympy, a second of it
    parser: Any = import_module("latex2sympy2_extended")  # what math-verify parses with
    config = math_verify.LatexExtractionConfig().normalization_config
    normalize, parse = parser.normalize_latex, parser.latex2sympy
    try:
        return _canonical(parse(normalize(text, config=config), normalization_config=None))
    except Exception:  # noqa: BLE001 - parser and algebra raise anything on what models write
        return _as_written(text)


def _as_written(text: str) -> str:
    if _WORDS.search(text) and "\\" not in text:
        return " ".join(text.casefold().split())
    return re.sub(r"\\[dtc]frac", r"\\frac", "".join(text.split()))


def _canonical(parsed: Any) -> str:
    sympy: Any = import_module("sympy")
    if isinstance(parsed, sympy.MatrixBase):
        rows = [",".join(_canonical(cell) for cell in row) for row in parsed.tolist()]
        return "[" + ";".join(rows) + "]"
    if isinstance(parsed, sympy.Set):
        if not parsed.is_FiniteSet:
            return sympy.srepr(parsed)
        return "{" + ",".join(sorted(_canonical(member) for member in parsed.args)) + "}"
    if isinstance(parsed, sympy.Eq):
        if isinstance(parsed.rhs, sympy.Set):
            return _canonical(parsed.rhs)
        for one, other in ((parsed.lhs, parsed.rhs), (parsed.rhs, parsed.lhs)):
            if one.is_Symbol and one not in other.free_symbols:
                return _canonical(other)
        return f"{_without_factor(parsed.lhs - parsed.rhs)}=0"
    if isinstance(parsed, sympy.core.relational.Relational):
        small, large = (parsed.lts, parsed.gts) if hasattr(parsed, "lts") else parsed.args
        sign = "<" if parsed.rel_op in ("<", ">") else parsed.rel_op.replace(">", "<")
        return f"{_canonical(small)}{sign}{_canonical(large)}"
    if not isinstance(parsed, sympy.Expr):
        return sympy.srepr(parsed)
    simple = _simplified(parsed)
    # A variable is the same one whatever the parser assumed of it.
    names = {symbol: sympy.Symbol(symbol.name) for symbol in simple.free_symbols}
    simple = simple.xreplace(names)
    return str(simple) if simple.is_Rational else sympy.srepr(simple)


def _without_factor(difference: Any) -> str:
    """One form for an expression and all its rational multiples."""
    sympy: Any = import_module("sympy")
    simple = sympy.fraction(sympy.together(_simplified(difference)))[0].expand()
    _, simple = simple.as_content_primitive()
    return min(sympy.srepr(simple), sympy.srepr((-simple).expand()))


def _simplified(expression: Any) -> Any:
    sympy: Any = import_module("sympy")
    if expression.has(sympy.Float):
        expression = sympy.nsimplify(expression, rational=True)
    if not is_small(expression):
        return expression
    expression = sympy.radsimp(sympy.expand(expression.doit()))
    if expression.has(sympy.sin, sympy.cos, sympy.tan) and sympy.count_ops(expression) <= 25:
        expression = sympy.expand(sympy.trigsimp(expression))
    if expression.free_symbols:
        return sympy.cancel(expression)
    return sympy.sqrtdenest(sympy.expand(expression))
