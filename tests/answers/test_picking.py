"""What answer="auto" means."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.answers import pick_answer_kind


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How many r's are in strawberry?", "number"),
        ("What is 12 * 7?", "number"),
        ("Compute the sum of the first 10 primes.", "number"),
        ("Which is a city?\nA. red\nB. Paris\nC. blue", "choice"),
        ("How many legs has a dog? (A) 2 (B) 4", "choice"),
        ("Return the person as JSON with name and age.", "json"),
        ("Write a Python function that reverses a list.", "code"),
        ("Simplify (x^2 - 1)/(x - 1).", "math"),
        (r"What is $\frac{1}{2} + \frac{1}{3}$?", "math"),
        ("Solve 2x + 3 = 7 for x.", "math"),
        ("Who wrote Hamlet?", "text"),
        ("It costs $5 or $6. How much are 3?", "number"),
    ],
)
def test_auto_is_decided_from_the_question(question, name):
    assert pick_answer_kind(question, []).name == name


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["The answer is 4.", "4", "four"], "number"),
        (["Answer: B", "(C)", "B"], "choice"),
        (['{"a": 1}', '```json\n{"a": 2}\n```'], "json"),
        (["```python\nx = 1\n```"], "code"),
        ([r"\boxed{\sqrt{2}}", r"\boxed{2}"], "math"),
        (["Paris", "It is Paris.", "4"], "text"),
        (["4", "Paris"], "text"),
        ([], "text"),
    ],
)
def test_else_auto_is_what_most_answers_look_like(texts, name):
    assert pick_answer_kind("And now?", texts).name == name


@given(st.lists(st.sampled_from(["4", "B", "Paris", '{"a": 1}', r"\boxed{\pi}"])), st.randoms())
def test_the_order_of_the_answers_makes_no_difference_to_auto(texts, shuffle: random.Random):
    shuffled = list(texts)
    shuffle.shuffle(shuffled)
    assert pick_answer_kind("", texts).name == pick_answer_kind("", shuffled).name
