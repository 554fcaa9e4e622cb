"""A coding assistant that keeps what passes your tests.

    python examples/coding_assistant.py [openai:gpt-5-mini]

AB-MCTS asks for a function, runs it against the tests in a sandbox without files or network, and
then asks afresh or sends a failed test back to the model, whichever promises more. Without an
argument it runs on the embedded model, which seldom gets these right at once.
"""

from __future__ import annotations

import sys
import textwrap
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from tscale_graph import Budget, Result, ab_mcts, solve
from tscale_graph.verifiers import python_tests

BUDGET = Budget(tokens=20_000, seconds=60)
ANSWERS = 24
WORKED = (
    ("add(a, b) that returns the sum of two numbers", "return a + b"),
    ("first(items) that returns the first item of a list", "return items[0]"),
    ("is_odd(n) that returns True if n is odd", "return n % 2 == 1"),
    ("count_spaces(text) that counts the spaces in a text", 'return sum(c == " " for c in text)'),
    ("inches(cm) that converts centimetres to inches", "return cm / 2.54"),
    ("backwards(text) that reverses a text", "return text[::-1]"),
)
"""What a small model is shown, so that it answers in the same form; a large one needs none."""

TASKS = {
    "last(items) that returns the last item of a list": """
assert last([1, 2, 3]) == 3
assert last(["a"]) == "a"
""",
    "count_words(text) that counts the words in a text": """
assert count_words("a big house") == 3
assert count_words("") == 0
""",
    "celsius(fahrenheit) that converts degrees Fahrenheit to Celsius": """
assert celsius(32) == 0
assert celsius(212) == 100
assert celsius(-40) == -40
""",
    "without_spaces(text) that removes the spaces of a text": """
assert without_spaces("a b c") == "abc"
assert without_spaces("") == ""
""",
    "is_leap(year) that returns True if a year is a leap year": """
assert is_leap(2024) and is_leap(2000)
assert not is_leap(2023)
assert not is_leap(1900)
""",
    "factorial(n) that returns n factorial": """
assert factorial(5) == 120
assert factorial(0) == 1
""",
}


def asked(task: str) -> list[BaseMessage]:
    """The worked examples, then the task."""
    turns: list[BaseMessage] = []
    for worked, body in WORKED:
        code = f"```python\ndef {worked.split(' that')[0]}:\n    {body}\n```"
        turns += [HumanMessage(f"Write a function {worked}."), AIMessage(code)]
    return [*turns, HumanMessage(f"Write a function {task}.")]


def write(model: Any, task: str, tests: str, *, seed: int = 0) -> Result:
    """The best function that the budget buys."""
    graph = ab_mcts(
        model, python_tests(tests), max_nodes=ANSWERS, batch=4, max_output_tokens=96, seed=seed
    )
    return solve(asked(task), graph, budget=BUDGET)


def main(model: Any = "local", tasks: dict[str, str] = TASKS) -> None:
    """Write a function for each task, and print those that pass."""
    at_once = kept = 0
    for task, tests in tasks.items():
        result = write(model, task, tests)
        passed = result.verdict is not None and result.verdict.passed
        first = result.tree is not None and result.tree.nodes[1].score == 1
        at_once, kept = at_once + first, kept + bool(passed)
        print(f"{task}\n  ({result.usage.calls} answers, {result.usage.tokens:,} tokens)")
        if passed:
            print(textwrap.indent(result.answer or "", "    "))
        else:
            said = result.verdict.feedback if result.verdict else "no code in the answers"
            print(textwrap.fill(said, 80, initial_indent="  none passed: "))
    print(f"First answers that pass: {at_once} of {len(tasks)}. Kept in the end: {kept}.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
