import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.provenance import traced

SOURCE = "Tea is £2, cake £3.50, and 1,200 people came."


@pytest.mark.parametrize(
    "line",
    [
        "Tea costs 2.",
        "- tea and cake: 2 + 3.50 = 5.50",
        "3. Everybody has tea: £2 * 1,200 = £2,400.",
        "Nothing is free.",
        "Three things: 1 + 1 + 1 = 3",
        "Twice: 2 + 2 = 4 and 4 * 2 = 8",
        "The price of 2 * 1200 = 2400 is paid",
    ],
)
def test_what_follows_from_the_source_stays(line):
    assert traced(line, SOURCE).text == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "Tea costs 4.",
        "Tea and cake: 2 + 3.50 = 6",
        "Four teas: 4 * 2 = 8",
        "10% of 1200 = 120",
        "1/0 = 7",
        "2 = 3",
        "((((2 = 9",
    ],
)
def test_what_does_not_is_left_out(line):
    found = traced(f"Tea costs 2.\n{line}", SOURCE)
    assert found.text == "Tea costs 2."
    assert found.dropped == (line,)


def test_later_lines_may_go_on_from_earlier_ones():
    text = "Both: 2 + 3.50 = 5.50\nTwo of both: 5.50 * 2 = 11"
    assert traced(text, SOURCE).text == text
    assert traced(text.splitlines()[1], SOURCE).text == ""


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_is_split_into_what_stays_and_what_does_not(text, source):
    found = traced(text, source)
    kept = [line for line in text.splitlines() if line not in found.dropped]
    assert found.text == "\n".join(kept).strip()


def test_long_lines_take_no_longer_than_their_length():
    def seconds(length):
        began = time.perf_counter()
        traced("1 " * length + "= 1\n" + "(" * length + "= 2", SOURCE)
        return time.perf_counter() - began

    seconds(1_000)
    assert seconds(40_000) < 200 * max(seconds(1_000), 1e-4)


def test_numbers_that_are_too_long_to_reckon_with_are_compared_by_their_digits():
    long = "9" * 5_000
    assert traced(f"It is {long}.", f"They said {long}.").dropped == ()
    assert traced(f"It is {long}1.", f"They said {long}.").text == ""
    assert traced(f"It is 2 * {long} = 4.", f"They said {long} and 4, not 2.").text
