"""Which equations a question holds, and which questions are refused rather than misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers import equation
from tscale_graph.verifiers.stated_equations import find_equations


@pytest.mark.parametrize(
    ("question", "equations"),
    [
        ("Solve 3x + 4 = 19 for x.", [("3x + 4", "19")]),
        ("Solve for x: -2x + 3 = 4x - 9", [("-2x + 3", "4x - 9")]),
        ("Solve for x 2x = 8.", [("2x", "8")]),
        ("Solve for x (x + 1) = 6", [("(x + 1)", "6")]),
        ("If 3x = 9, what is x?", [("3x", "9")]),
        ("What is the value of x in 3x = 9?", [("3x", "9")]),
        ("Find x such that 2(x - 1) = 8.", [("2(x - 1)", "8")]),
        ("Find the roots of x^2 = 4", [("x^2", "4")]),
        ("Find the solutions to x² = 4", [("x^2", "4")]),
        ("Solve $3x + 4 = 19$.", [("3x + 4", "19")]),
        (r"Solve \(3 \cdot x = 9\).", [("3 * x", "9")]),
        ("1) 3x = 9", [("3x", "9")]),
        ("2. Solve **3x = 9**", [("3x", "9")]),
        ("3x == 9", [("3x", "9")]),
        ("3x + 4 = 19, x = ?", [("3x + 4", "19")]),
        ("Solve x + 5 = 1,005", [("x + 5", "1005")]),
        ("Solve 0.5x = 2.5.", [("0.5x", "2.5")]),
        ("Solve x + y = 5 and x - y = 1.", [("x + y", "5"), ("x - y", "1")]),
        ("x + y = 5, 2x - y = 1", [("x + y", "5"), ("2x - y", "1")]),
        ("Solve 2x = 3y = 6", [("2x", "3y"), ("3y", "6")]),
        ("Let y = 2x + 1. Given that x = 3, find y.", [("y", "2x + 1"), ("x", "3")]),
        ("The train has speed = 5. Solve 3x = 9.", [("3x", "9")]),
        ("How many times must I say it? Solve 3x = 9!", None),
        ("Solve x(x + 1) = 6", [("x(x + 1)", "6")]),
    ],
)
def test_the_equations_of_a_question(question, equations):
    if equations is None:
        with pytest.raises(ValueError, match="no equation that can be checked"):
            find_equations(question)
    else:
        assert [(a.replace("  ", " "), b) for a, b in find_equations(question)] == equations


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("Solve sqrt(x) = 3", "3"),
        ("Solve sqrt (x) = 3", "3"),
        ("log(x) = 2", "2"),
        ("log x = 2", "2"),
        ("sin(x) = 1", "1"),
        ("ln(x) + 1 = 3", "2"),
        ("3 = sqrt(x)", "3"),
        ("f(x) = 2x and f(x) = 6", "3"),
        ("Half of x = 3", "3"),
        ("Solve: half of x = 3", "3"),
        ("twice x = 8", "8"),
        ("10% of x = 5", "5"),
        ("10% x = 5", "5"),
        ("3 times x = 12", "12"),
        ("12 minus x = 3", "3"),
        ("3 added to x = 5", "5"),
        ("The square root of x = 3", "3"),
        ("The cube roots of x = 2", "2"),
        ("The sum of 2 and x = 5", "5"),
        ("The product of 2, 3, and x = 30", "30"),
        ("x = 3 squared", "3"),
        ("2x = 8 divided by 2", "4"),
        ("3x = 9 mod 5", "3"),
        ("x = 9 (mod 5)", "9"),
        ("x = 3 to the power 2", "3"),
        ("x = 10 in base 2", "10"),
        ("x + y = 5 and x = twice y", "x = 1, y = 4"),
        ("x + y = 5 and x is twice y", "x = 1, y = 4"),
        ("x^2 = 9, x > 0", "-3"),
        ("x^2 = 9 where x > 0", "-3"),
        ("x! = 6", "6"),
        ("x = 3!", "3"),
        ("|x - 3| = 5", "-2"),
        ("√x = 3", "3"),
        ("2xy = 12", "6"),
        ("x >= 3", "3"),
        ("x ≡ 3, x = 3 or 2x = 8", "3"),
        ("2,5x = 5", "1"),
        ("Solve:\n- 3x = 9", "-3"),
        ("Solve for x -3x = 9", "-3"),
        ("If x + 1 = 4, what is 2x?", "3"),
        ("What is x + 1 if x + 1 = 4?", "3"),
        ("If 3x = 9, find the square of x.", "3"),
        ("How many r's are in strawberry?", "3"),
    ],
)
def test_a_question_that_words_or_signs_may_change_is_refused_whatever_the_answer(question, wrong):
    for answer in (wrong, f"x = {wrong}", "0", "I do not know"):
        with pytest.raises(ValueError, match=r"^the question has no equation that can be checked"):
            equation(question, answer)


def test_a_refusal_says_in_one_line_what_could_not_be_read():
    with pytest.raises(ValueError, match=r"checked: 'half' may change what it means$"):
        find_equations("Solve\nhalf of x = 3")


INTRODUCTIONS = ["", "Solve ", "Solve for x: ", "Find x if ", "Let ", "What is x when "]


@given(
    st.sampled_from(INTRODUCTIONS),
    st.text(st.characters(categories=["L"]), max_size=9),
    st.sampled_from([" {}", "({})", " ({})", " of {}", "{}"]),
    st.integers(2, 9),
    st.integers(-9, 9),
)
def test_a_word_that_nobody_knows_is_never_dropped(introduction, letters, around, factor, root):
    word = "zz" + letters
    side = around.format(f"{factor}x")
    for question in (
        f"{introduction}{word}{side} = {factor * root}",
        f"{introduction}{factor * root} = {word}{side}",
        f"{introduction}{factor}x = {factor * root} {word}",
    ):
        with pytest.raises(ValueError, match="no equation that can be checked"):
            equation(question, f"x = {root}")


@given(
    st.sampled_from(INTRODUCTIONS),
    st.sampled_from([" for x.", "", "?", ", x = ?", ". Show your work.", " and give x"]),
    st.integers(2, 9),
    st.integers(-9, 9),
    st.integers(1, 20),
)
def test_a_plainly_asked_equation_is_found_as_it_is(introduction, end, factor, root, offset):
    sides = f"{factor}x + {offset}", str(factor * root + offset)
    question = f"{introduction}{sides[0]} = {sides[1]}{end}"
    assert find_equations(question) == [sides]
    assert equation(question, f"x = {root}").passed
    assert not equation(question, f"x = {root + 1}").passed
