"""The values that an answer states for unknowns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.reading import kind_of, read
from tscale_graph.answers.solutions import stated_values


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
    ],
)
def test_the_last_value_stated_for_each_unknown_counts(text, values):
    assert stated_values(text) == values


@given(st.integers(-99, 99), st.integers(1, 9), st.integers(1, 9))
def test_a_mixed_number_is_the_value_that_it_is_worth(whole, part, more):
    of = part + more
    size = abs(whole) * of + part
    improper = f"{'-' if whole < 0 else ''}{size}/{of}"
    mixed = f"{whole} {part}/{of}"
    assert read("solution", f"x = {mixed}") == read("solution", f"x = {improper}")
    assert kind_of("solution").key(mixed) == kind_of("number").key(improper)
