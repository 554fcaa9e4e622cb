"""The values that an answer states for unknowns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.reading import kind_of, read
from tscale_graph.answers.solutions import stated_value, stated_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x = 5", {"x": ["5"]}),
        ("x = 2 1/2", {"x": ["2 1/2"]}),
        ("x is -1/2, so y = 3", {"x": ["-1/2"], "y": ["3"]}),
        ("x = 3 or x = -3", {"x": ["3", "-3"]}),
        ("first x = 1, then x = 2", {"x": ["2"]}),
        ("x = 10 / 2 = 5", {"x": ["5"]}),
        ("x = 1,000", {"x": ["1,000"]}),
        ("2x = 10", {}),
        ("x = y + 1", {}),
        ("2 + x = 6", {}),
        ("2 * x = 6", {}),
        ("2*x = 6", {}),
        ("7 - x = 6", {}),
        ("Steps:\n- x = 6", {"x": ["6"]}),
        ("x = 3 and then y = 4", {"x": ["3"], "y": ["4"]}),
        ("**x = 5** since 3 * 5 = 15", {"x": ["5"]}),
        (r"x = 2\frac{1}{2} and y = $\frac12$", {"x": [r"2\frac{1}{2}"], "y": [r"\frac12"]}),
        ("x = ±3", {"x": ["3", "-3"]}),
    ],
)
def test_the_last_value_stated_for_each_unknown_counts(text, values):
    assert stated_values(text) == values


NO_VALUES = [
    "sqrt(3)", "√3", r"\sqrt{3}", "log 3", "3!", "3x", "3i", "3 i", r"3\pi", "3 pi", "3 squared",
    "3 times y", "3 sqrt(2)", "-(3)", "3 (mod 5)", "1 + 2", "3 ± 1", "not 3", "≠ 3",
]  # fmt: skip


@pytest.mark.parametrize("written", NO_VALUES)
def test_a_number_in_what_is_said_of_an_unknown_is_not_its_value(written):
    assert stated_values(f"x = {written}") == {}
    assert stated_values(f"So x is {written}.") == {}
    assert stated_value(written) is None


@pytest.mark.parametrize("written", ["sqrt(3)", "√3", r"\sqrt{3}", "log 3", "3!", "3i", r"3\pi"])
def test_a_function_of_a_number_is_not_read_as_the_number(written):
    assert read("solution", f"x = {written}") not in ("3", None)
    assert read("solution", f"The answer is x = {written}") not in ("3", None)


@given(st.integers(-99, 99), st.integers(1, 9), st.integers(1, 9))
def test_a_mixed_number_is_the_value_that_it_is_worth(whole, part, more):
    of = part + more
    size = abs(whole) * of + part
    improper = f"{'-' if whole < 0 else ''}{size}/{of}"
    mixed = f"{whole} {part}/{of}"
    assert read("solution", f"x = {mixed}") == read("solution", f"x = {improper}")
    assert kind_of("solution").key(mixed) == kind_of("number").key(improper)
