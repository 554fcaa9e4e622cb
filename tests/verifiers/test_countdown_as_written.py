"""Countdown answers as models write them: LaTeX, bold, and claims that are not true."""

import pytest

from tscale_graph.verifiers import countdown

QUESTION = "Use the numbers 2, 3, 4 to make 10."


@pytest.mark.parametrize(
    "answer",
    [
        r"$2 \times 3 + 4 = 10$",
        r"\(2 \cdot 3 + 4\)",
        r"\[ \boxed{2 \times 3 + 4} \]",
        r"\left(4 \times 3\right) - 2 = 10",
        "2 x 3 + 4 = 10",
        "**2 * 3 + 4 = 10**",
        "**Answer:** `2*3+4`",
        "2 × 3 + 4",
        "10 = 2*3+4",
        "2*3+4 = 6+4 = 10",
        "2*3+4 = 10. The answer is 10.",
        "We use 2, 3, 4: 2*3 + 4 = 10, which uses 2, 3 and 4",
    ],
)
def test_a_right_expression_passes_however_it_is_written(answer):
    assert countdown(QUESTION, answer).passed


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("the numbers 11 are 2*3 + 4 = 11.", "the answer says that it is 11, not 10"),
        ("2*3+4 = 6*4 = 18", "the answer says that it is 24, not 10"),
        ("So 2*3+4 = 99. The answer is 11.", "the answer says that it is 99, not 10"),
        ("2*3+4\nThe answer is 12", "the answer is given as 12, not 10"),
        ("$2 \\times 3 + 4$\n**Answer: 12**", "the answer is given as 12, not 10"),
        (r"\frac{4}{2} + 3", "((4)/(2)) + 3 is 5, not 10"),
    ],
)
def test_an_answer_that_says_what_is_not_true_fails(answer, problem):
    verdict = countdown(QUESTION, answer)
    assert (verdict.passed, verdict.feedback) == (False, problem)
