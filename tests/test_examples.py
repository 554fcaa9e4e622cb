"""What the demonstration shows."""

import io
import random

import pytest
from rich.console import Console

from examples.on_this_machine import EQUATIONS, LETTERS, is_right, shown, table_of


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
