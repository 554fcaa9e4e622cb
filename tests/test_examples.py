"""What the demonstration shows."""

import io
import random

import pytest
from langchain_core.messages import AIMessage
from rich.console import Console

from examples.agent_with_memory import search
from examples.on_this_machine import EQUATIONS, LETTERS, is_right, shown, table_of
from tests.techniques.searching import acts, told


@pytest.mark.parametrize(
    ("answer", "right", "text"),
    [("3", "3", "3 ✓"), ("3.0", "3", "3.0 ✓"), ("2", "3", "2 ✗"), (None, "3", "— ✗")],
)
def test_an_answer_stands_beside_its_mark(answer, right, text):
    assert shown(answer, right).plain == text
    assert is_right(answer, right) == text.endswith("✓")


@pytest.mark.parametrize("family", [LETTERS, EQUATIONS], ids=lambda family: family.name)
def test_the_table_fits_a_terminal_of_80_columns(family):
    console = Console(width=80, file=io.StringIO())
    table = table_of(family)
    for question, right in family.questions(30, rng=random.Random(0)):
        table.add_row(question, right, shown(right, right), shown(None, right))
    console.print(table)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines), "nothing is cut"
    assert len(lines) < 30 * 1.2 + 2, "few questions need a second line"


@pytest.mark.parametrize("family", [LETTERS, EQUATIONS], ids=lambda family: family.name)
def test_no_question_is_asked_twice_or_shown_as_an_example(family):
    drawn = [question for question, _ in family.questions(60, rng=random.Random(0))]
    assert len(set(drawn)) == 60
    assert not {*drawn} & {question for question, _ in family.examples}


def test_an_agent_whose_memory_goes_back_finds_the_answer_that_one_attempt_misses():
    def decide(prompt, number):
        """Looks both up in one turn in three, multiplies what it saw, and answers with it."""
        seen = [int(each.text) for each in prompt if each.type == "tool" and each.text.isdigit()]
        if len(seen) == 3:
            return f"The answer is {seen[-1]}"
        if len(seen) == 2:
            return acts("multiply", a=seen[0], b=seen[1])
        if number % 3 == 2:
            calls = [("Get", {"key": "price"}), ("Get", {"key": "count"})]
            called = [{"name": n, "args": a, "id": f"{k}"} for k, (n, a) in enumerate(calls)]
            return AIMessage("", tool_calls=called)
        return [acts("Put", key="price", value=1), "The answer is 7"][number % 3]

    result = search(told(decide))
    assert (result.answer, result.verdict.passed) == ("444", True)
    assert any("Put(" in node.text for node in result.tree.nodes), "who wrote over the price"
    attempt = [result.tree.nodes[index].text for index in result.tree.best_path]
    assert "→ 37" in attempt[1]
    assert "→ 12" in attempt[1]
