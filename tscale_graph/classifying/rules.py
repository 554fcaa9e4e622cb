"""The free rules that tell the classes of tasks apart: the first that fits decides."""

from __future__ import annotations

import re

from tscale_graph.classifying.classification import Classification

_RULES: tuple[tuple[str, re.Pattern[str], float, str], ...] = tuple(
    (task_class, re.compile(pattern, re.IGNORECASE), confidence, reason)
    for task_class, pattern, confidence, reason in (
        (
            "combinatorial",
            r"\b(?:sudoku|n[- ]queens?|\w+ queens|sokoban|rush hour|tower of hanoi|word ladder"
            r"|kakuro|futoshiki|nonogram|crossword|rubik|maze|knight's tour|travell?ing salesman"
            r"|knapsack|cryptarithm|minesweeper)\b",
            0.9,
            "a known puzzle",
        ),
        (
            "combinatorial",
            r"\bnumbers?\b[^.?!]*\b(?:make|equals?|reach|get)\b|\bmake \d+ (?:using|with|from)\b"
            r"|\bcalculate \d+ using\b",
            0.8,
            "numbers to combine",
        ),
        (
            "combinatorial",
            r"\b(?:shortest|cheapest|fastest|fewest|minimum number of) "
            r"(?:path|route|tour|moves|way|plan)\b|\b(?:path|route) from\b",
            0.8,
            "a way to find",
        ),
        (
            "combinatorial",
            r"\b(?:seat|arrange|schedule|assign|place|colou?r|pack|pair|plan|fill)\b[^?]*"
            r"\b(?:so that|such that|no two|must not|cannot|may not|exactly once|at most|as few)\b",
            0.7,
            "choices under constraints",
        ),
        ("verifiable", r"\bsolve\b[^.?!]*=|\bif\s[^.?!]*=[^=]*\?", 0.9, "an equation to solve"),
        ("verifiable", r"∫|\bantiderivative\b|\bfactor(?:i[sz]e|i[sz]ation)\b", 0.8, "algebra"),
        ("verifiable", r"\bexactly \d+ words\b|\bwords? or fewer\b", 0.8, "countable constraints"),
        (
            "verifiable",
            r"\b(?:write|implement)\b[^.?!]*\b(?:function|program|script|class|regex|query)\b"
            r"|^\s*def \w+\(",
            0.7,
            "code",
        ),
        (
            "sequential",
            r"\b(?:prove|disprove|derive|show) that\b|\bproof\b|\bby induction\b",
            0.8,
            "a proof",
        ),
        (
            "sequential",
            r"\b(?:simulate|trace|execute|step through)\b|\bstep by step, (?:apply|follow)\b"
            r"|\b(?:what (?:does|will|would)|determine)\b[^?]*\b(?:print|output)\b",
            0.8,
            "a run to follow",
        ),
        (
            "sequential",
            r"\b(?:convert|write)\b[^.?!]*\b(?:base|binary|hexadecimal|octal)\b|\b(?:de|en)crypt\b",
            0.8,
            "a conversion, digit by digit",
        ),
        ("sequential", r"\bthen\b(?:.*\bthen\b){2}|\bturn (?:left|right)\b", 0.7, "many steps"),
        ("sequential", r"(?:\d\s*[-+*/×÷]\s*\(?-?){3,}\d", 0.7, "a long sum"),
        ("samplable", r"\bhow (?:many|much|long|far|old|often)\b", 0.8, "asks for a number"),
        ("samplable", r"\b(?:calculate|compute|evaluate|count|sum of)\b", 0.8, "a calculation"),
        ("samplable", r"(?m)^\s*\(?[A-D][).]\s", 0.9, "choices to pick from"),
        ("samplable", r"\bwhat is\b[^?]*\d\s*[-+*/×÷^%]", 0.8, "a calculation"),
        ("samplable", r"\bwhich of the\b|\btrue or false\b", 0.7, "choices to pick from"),
    )
)


def classify(question: str, *, default: str) -> Classification:
    """Tell the class of a task by rules that cost nothing.

    >>> classify("Solve 3x + 4 = 19 for x.", default="simple").task_class
    'verifiable'
    >>> classify("How many r's are in strawberry?", default="simple").task_class
    'samplable'
    >>> classify("Place 8 queens so that no two attack each other.", default="simple").task_class
    'combinatorial'
    >>> classify("Prove that the square root of 2 is irrational.", default="simple").task_class
    'sequential'
    >>> classify("Say hello.", default="simple").task_class
    'simple'
    """
    for task_class, pattern, confidence, reason in _RULES:
        if pattern.search(question):
            return Classification(task_class, confidence, reason)
    return Classification(default, 0.5, "no rule knows it")
