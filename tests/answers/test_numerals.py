"""What a numeral with the letters after it is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.reading import kind_of, read

MILLIONS = [
    "2.5M",
    "2.5 M",
    "$2.5M",
    "$2.5m",
    "€2.5 m",
    "2.5m USD",
    "2.5 million",
    "USD 2.5m",
    "US$2.5m",
]


@pytest.mark.parametrize("written", MILLIONS)
def test_a_million_may_be_a_letter(written):
    assert kind_of("number").key(written) == "2500000"
    assert read("number", f"The answer is {written}.") == "2500000"
    assert read("number", f"She was paid {written}") == "2500000"
    assert read("number", rf"So \boxed{{{written.replace('$', '')}}}") in ("2500000", "5/2")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("10k", "10000"),
        ("$10K", "10000"),
        ("3bn", "3000000000"),
        ("£3Bn", "3000000000"),
        ("7B parameters", "7000000000"),
        ("$1.2tn", "1200000000000"),
        ("5 mn", "5000000"),
        ("-2M", "-2000000"),
        ("5 hundred thousand", "500000"),
        ("2 thousand million", "2000000000"),
        ("two thousand million", "2000000000"),
        ("two million five hundred thousand", "2500000"),
        ("3 quadrillion", "3000000000000000"),
        ("5 lakh", "500000"),
        ("2 crore rupees", "20000000"),
        ("5 mln", "5000000"),
    ],
)
def test_other_scales_may_be_letters_too(written, value):
    assert kind_of("number").key(written) == value


@pytest.mark.parametrize(
    "written", ["5m", "5 m", "5 metres", "5 mm", "5MB", "5 MHz", "5 mi", "5 min"]
)
def test_a_metre_or_a_megabyte_is_no_million(written):
    assert kind_of("number").key(written) == "5"


@given(st.integers(1, 9_999), st.sampled_from(["", "$", "€"]), st.sampled_from(["", " "]))
def test_a_letter_and_its_word_are_the_same_number_and_neither_is_the_bare_one(size, sign, space):
    key = kind_of("number").key
    assert key(f"{sign}{size}{space}M") == key(f"{size} million") == str(size * 10**6)
    assert key(f"{sign}{size}{space}M") != key(str(size))
