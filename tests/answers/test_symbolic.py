"""Which expression a text answers, and when two of them are equal."""

import sys
import threading

import pytest

from tests.answers.reading import kind_of
from tscale_graph.answers import answer_kind, pick_answer_kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt2}"),
        ("sqrt(2)/2", r"\frac{\sqrt{2}}{2}"),
        (r"\frac{1}{1+\sqrt{2}}", r"\sqrt{2}-1"),
        ("(x+1)(x-1)", "x^2 - 1"),
        ("x**2 - 1", "-1 + x^{2}"),
        ("2*x + 3", "3 + 2x"),
        (r"\frac{x^2-1}{x-1}", "x + 1"),
        (r"\sin^2 x + \cos^2 x", "1"),
        ("x = 3", "3"),
        ("3 = x", "3"),
        ("y = 2x + 1", "2x+1"),
        ("2x + 2y = 4", "x + y = 2"),
        ("x + y = 2", "2 - x - y = 0"),
        ("x > 2", "2 < x"),
        (r"\{1, 2\}", r"\{2, 1\}"),
        ("x = 1 or x = 2", "x = 2, x = 1"),
        (r"x = \pm 2", "-2, 2"),
        ("(1/2, 3)", r"\left(\frac{1}{2}, 3\right)"),
        (r"x \in [0, 1) \cup [2, 3]", r"[2,3] \cup [0,1)"),
        (r"(-\infty, 0.5]", r"\left(-\infty, \frac{1}{2}\right]"),
        (r"5\pi", r"\pi \cdot 5"),
        ("x=1, y=2", "y = 2, x = 1"),
        (r"\text{no solution}", "No solution"),
        (r"\begin{pmatrix}1&0.5\\3&4\end{pmatrix}", r"\begin{pmatrix}1&\frac12\\3&4\end{pmatrix}"),
        (r"90^\circ", "90"),
    ],
)
def test_equal_expressions_are_the_same_answer(one, other):
    assert kind_of("math").key(one) == kind_of("math").key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(3, 1)", "(5, 2)"),
        ("(1, 2)", "(2, 1)"),
        ("(1, 2)", "[1, 2]"),
        ("x=1, y=2", "x=2, y=1"),
        ("yes", "eys"),
        ("x > 2", "x \\ge 2"),
        (r"\sqrt{2}", "1.4142"),
        ("x + 1", "x - 1"),
    ],
)
def test_unequal_expressions_are_different_answers(one, other):
    assert kind_of("math").key(one) != kind_of("math").key(other)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"Therefore $x = \boxed{\frac{\sqrt{2}}{2}}$.", r"\frac{\sqrt{2}}{2}"),
        ("The answer is $x^2 + 1$.", "x^2 + 1"),
        ("The final answer is 2x + 3.", "2x + 3"),
        ("**Answer:** `(x+1)^2`", "(x+1)^2"),
        (r"We get \[ (x+1)^2 = x^2 + 2x + 1 \]", "(x+1)^2 = x^2 + 2x + 1"),
        ("x^2 - 1", "x^2 - 1"),
        ("That makes 42 in all.", "42"),
    ],
)
def test_the_expression_of_a_real_life_text(text, answer):
    assert kind_of("math").extract(text) == answer


HOSTILE_MATH = [
    "9^{9^{9^9}}", "9^9^9^9", "10^{100000000}", "(((9^{99})^{99})^{99})^{99}", "100000000!",
    "5!!!!", r"\binom{1000000000}{500000000}", r"\sum_{n=1}^{10^9} n", r"\int_0^1 x^x dx",
    "(a+b+c+d+e+f)^{99}", "(x+y+z)^{999}", "x^{999999999}", r"9^{\frac{9^9}{1}}",
    "9^{(9)^{(9)^9}}",
    r"e^{e^{e^{e^9}}}", r"\frac{1}{0}", r"0^{-1}", "(" * 200, "{" * 299, r"\frac" * 60, "^" * 100,
    r"\begin{pmatrix}", "__import__('os').system('true')", "x" * 299, "1+" * 140 + "1", "$", "\\",
    r"\sin\cos\tan\log 9", r"9^{9999 \cdot 9999 \cdot 9999}", "-" * 250 + "1", r"\sqrt{" * 50,
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE_MATH)
@pytest.mark.timeout(20)
def test_hostile_mathematics_neither_hangs_nor_raises(answer):
    assert isinstance(kind_of("math").key(answer), str)


def test_mathematics_is_compared_outside_of_the_main_thread():
    keys = []
    thread = threading.Thread(target=lambda: keys.append(kind_of("math").key("(t+1)^2 - t^2")))
    thread.start()
    thread.join()
    assert keys == [kind_of("math").key("2t + 1")]


def test_without_math_verify_math_is_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(ImportError) as refused:
        answer_kind("math")
    assert str(refused.value) == (
        """answer="math" needs math-verify: pip install 'tscale-graph[math]'"""
    )
    assert pick_answer_kind(r"Simplify \frac{2}{4}.", ["1/2"]).name == "number"
