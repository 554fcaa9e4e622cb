"""Which number a text answers, and when two notations are the same number."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.reading import kind_of, read
from tscale_graph.answers import same_answer
from tscale_graph.answers.numbers import parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"So the answer is \boxed{42}.", "42"),
        (r"Hence \[ \boxed{\frac{1}{2}} \]", "1/2"),
        (r"\boxed{\boxed{7}}", "7"),
        (r"\boxed{x = 5}", "5"),
        (r"\boxed{5\text{ cm}^2}", "5"),
        (r"\boxed 9", "9"),
        ("48/2 = 24, and 48 + 24 = 72.\n#### 72", "72"),
        ("#### 1. Read the question\nThere are 7 days.\n#### 2. Conclude\nIt takes 3 weeks.", "3"),
        ("The final answer is 42. I hope it is correct.", "42"),
        ("The answer to 2 + 2 is 4 because 2 + 2 = 4 and not 5.", "4"),
        ("The answer is not 5. It is 6.", "6"),
        ("The answer is 3 + 4 = 7.", "7"),
        ("A: 42", "42"),
        ("A: She sold 48/2 = 24 in May. Altogether 48 + 24 = 72.", "72"),
        ("**Answer:** 5", "5"),
        ("**Final Answer**: $42$", "42"),
        ("### Final Answer\n\nThe total is 12 apples.", "12"),
        ("6 × 7 = 42", "42"),
        ("The total is **42** apples for the 3 children.", "42"),
        ("That makes 42 (3 × 14).", "42"),
        ("There are 3 r's in 'strawberry'.", "3"),
        ("There are three r's in 'strawberry'.", "3"),
        ("I count positions 3, 8 and 9.\nSo there are three r's.", "3"),
        ("2x + 3 = 7 so x = 2", "2"),
        ("x=2.", "2"),
        ("x = - 3", "-3"),
        ("1. Count the boxes: 4\n2. Count the eggs: 12\nSo there are 48 eggs.", "48"),
        ("He had 5 on May 3, 2024.", "5"),
        ("On 2024-05-03 at 10:30 there were 6.", "6"),
        ("She paid $1,234.50 in total.", "2469/2"),
        ("The answer is $18.", "18"),
        (r"The answer is \$18.", "18"),
        ("The price is €2,50.", "5/2"),
        ("It grew by 50%.", "50"),
        ("It is −5 degrees.", "-5"),
        ("The answer is -$5.", "-5"),
        ("about 1.5e3 metres", "1500"),
        (r"The speed is $3 \times 10^8$ m/s", "300000000"),
        ("10⁻² m", "1/100"),
        ("The answer is 2 1/2.", "5/2"),
        ("You need 1½ cups", "3/2"),
        ("It is five million", "5000000"),
        ("The answer is 5 million people.", "5000000"),
        ("two hundred and twenty-one", "221"),
        ("minus seven", "-7"),
        ("The answer is (B) 42", "42"),
        ("<think>Is it 3? Or 4?</think>It is 5.", "5"),
    ],
)
def test_the_number_of_a_real_life_text(text, value):
    assert read("number", text) == value


def test_a_number_is_the_last_explicit_answer_not_the_last_number():
    assert read("number", "The answer is 42. I checked it 3 times.") == "42"
    assert read("number", r"First \boxed{1}. No: \boxed{2}. That took 2 of 10 steps.") == "2"
    assert read("number", "The answer is 7. Wait. The answer is 8, after 2 tries.") == "8"


def test_a_number_has_one_key_in_every_notation():
    half = [
        "0.5",
        "1/2",
        ".50",
        r"\frac12",
        r"\frac{1}{2}",
        r"$\dfrac{1}{2}$",
        "½",
        "5e-1",
        "50/100",
    ]
    assert {kind_of("number").key(one) for one in half} == {"1/2"}
    thousand = [
        "1000",
        "1,000",
        "1{,}000",
        "1e3",
        "10^3",
        "$1,000.00",
        "one thousand",
        "1 thousand",
    ]
    assert {kind_of("number").key(one) for one in thousand} == {"1000"}


def test_a_percentage_is_its_number_of_percent():
    assert kind_of("number").key("50%") == kind_of("number").key(r"50\%") == "50"
    assert kind_of("number").key("50 percent") == "50"


@pytest.mark.parametrize(
    "answer", ["2x + 3", "1 or 2", r"\frac{\sqrt{2}}{2}", r"5\pi", "1/0", "v1.2.3"]
)
def test_what_is_not_one_number_is_not_read_as_one(answer):
    assert kind_of("number").key(answer) == answer.casefold()


def test_the_only_number_among_words_can_be_parsed_but_not_one_of_several():
    assert parse_number("the solutions are -3") == -3
    assert parse_number("3 or -3") is None


def test_close_numbers_are_different():
    assert not same_answer("0.333", "1/3", kind_of("number"))
    assert not same_answer("0.1", "0.10000000000000000001", kind_of("number"))


@st.composite
def rationals_in_two_notations(draw):
    def written(value: Fraction) -> str:
        sign, size = ("-" if value < 0 else ""), abs(value)
        forms = [f"{sign}{size.numerator}/{size.denominator}"]
        forms.append(rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}")
        whole, rest = divmod(size.numerator, size.denominator)
        if size.denominator == 1:
            forms += [
                f"{value}",
                f"{value.numerator:,}",
                f"{value}.0",
                f"${sign}{size}$",
                f"{value} apples",
            ]
            forms += [f"{value * 100}e-2", f"**{value}**", str(value).replace("-", "−")]
        elif size.denominator in (2, 4, 5, 8, 10):
            forms.append(f"{sign}{float(size)!r}")
        if whole and rest:
            forms.append(f"{sign}{whole} {rest}/{size.denominator}")
        return draw(st.sampled_from(forms))

    value = Fraction(draw(st.integers(-(10**6), 10**6)), draw(st.integers(1, 12)))
    return value, written(value), written(value)


@given(rationals_in_two_notations())
def test_equal_rationals_in_any_two_notations_are_the_same_answer(case):
    value, one, other = case
    for name in ("number", "math"):
        assert kind_of(name).key(one) == kind_of(name).key(other) == str(value)


@given(rationals_in_two_notations(), st.booleans())
def test_a_stated_number_is_found_again(case, truncated):
    value, one, _ = case
    for text in (f"The answer is {one}", rf"So \boxed{{{one}}}", f"#### {one}", f"A: {one}"):
        assert read("number", text, truncated=truncated) == str(value)


def test_numbers_too_long_for_python_are_compared_as_they_are_written():
    long = "9" * 5_000
    assert read("number", f"The answer is {long}") in (None, long)
    assert kind_of("number").key(long) == long
    for huge in ("1e999999999", "9^999999", "10^{99999999999}"):
        assert kind_of("number").key(huge) == huge
