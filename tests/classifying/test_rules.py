"""The free rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.classifying import TASK_CLASSES, classify


@pytest.mark.parametrize(
    ("question", "task_class"),
    [
        ("Say hello to the world.", "simple"),
        ("Translate 'good morning' to French.", "simple"),
        ("How many r's are in strawberry?", "samplable"),
        ("Which planet is largest?\nA. Mars\nB. Jupiter", "samplable"),
        ("Solve 3x + 4 = 19 for x.", "verifiable"),
        ("Write a Python function that reverses a list.", "verifiable"),
        ("Use the numbers 3, 5 and 7 to make 22.", "combinatorial"),
        ("Seat six guests so that no two rivals are neighbours.", "combinatorial"),
        ("Find the shortest path from A to F.", "combinatorial"),
        ("Prove that there are infinitely many primes.", "sequential"),
        ("Convert 345 to base 7.", "sequential"),
        ("What is 3 + 4 * 5 - 6 + 7?", "sequential"),
    ],
)
def test_each_class_has_rules(question, task_class):
    assert classify(question, default="simple").task_class == task_class


@given(st.text(max_size=300))
def test_any_text_gets_a_class_and_a_confidence(question):
    found = classify(question, default="mine")
    assert found.task_class in {*TASK_CLASSES, "mine"}
    assert 0 <= found.confidence <= 1
    assert found == classify(question, default="mine")


def test_what_no_rule_knows_is_the_default_at_even_odds():
    found = classify("", default="mine")
    assert (found.task_class, found.confidence) == ("mine", 0.5)
