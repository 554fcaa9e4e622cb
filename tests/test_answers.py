"""What counts as a final answer, and when two answers are the same."""

import random
import sys
import threading
import time
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tscale_graph.answers as answers
from tscale_graph.answers import (
    ANSWER_KINDS,
    AnswerKind,
    answer_kind,
    pick_answer_kind,
    same_answer,
)
from tscale_graph.answers.numbers import parse_number

NAMES = [name for name in ANSWER_KINDS if name != "auto"]


def kind_of(name: str) -> AnswerKind:
    kind = answer_kind(name)
    assert kind is not None
    return kind


def read(name: str, text: str, *, truncated: bool = False) -> str | None:
    """The key of the answer in a text."""
    kind = kind_of(name)
    answer = kind.extract(text, truncated=truncated)
    return None if answer is None else kind.key(answer)


# Numbers


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


def test_the_answer_is_given_as_the_model_wrote_it():
    assert kind_of("number").extract(r"Thus \boxed{\frac12}.") == r"\frac12"
    assert kind_of("number").extract("The answer is 1,000 apples") == "1,000"
    assert kind_of("text").extract('The answer is "New York".') == "New York"


@pytest.mark.parametrize("name", ["number", "math", "choice", "text"])
@pytest.mark.parametrize(
    "text", ["", "  \n ", "...", "I don't know.", "Sorry, I can't help with that."]
)
def test_a_text_without_an_answer_has_none(name, text):
    assert kind_of(name).extract(text) is None


def test_a_model_that_goes_on_to_ask_itself_is_read_up_to_there():
    text = " 3\n\nQ: How many legs have 2 dogs?\nA: 8"
    assert read("number", text) == "3"
    assert read("text", text) == "3"
    assert read("number", "Q: How many r's?\nA: 3\nQuestion: How many e's?\nThe answer is 9") == "3"
    assert read("choice", "B\nQuestion 2: Which?\nAnswer: C") == "B"


def test_an_answer_that_a_further_question_follows_was_not_cut_short():
    assert read("number", "It is 3\nQ: How many", truncated=True) == "3"


def test_of_a_text_cut_short_only_an_explicit_answer_counts():
    assert read("number", "First, 3 + 4 = 7 and then 7 *", truncated=True) is None
    assert read("number", "The answer is that 3 of", truncated=True) is None
    assert read("number", r"Thus \boxed{7}. Let me check: 3 +", truncated=True) == "7"
    assert read("number", "The answer is 7, since 3", truncated=True) == "7"
    assert read("number", "#### 7", truncated=True) == "7"
    assert read("number", "A: 7\n", truncated=True) == "7"
    assert read("math", "First $x^2$ and", truncated=True) is None
    assert read("choice", "Let us see. (B) says", truncated=True) is None
    assert read("choice", "Answer: B because", truncated=True) == "B"
    assert read("text", "Once upon a", truncated=True) == "once upon a"
    assert read("json", '{"a": [1, 2], "b"', truncated=True) == "[1,2]"
    assert read("json", "12", truncated=True) is None
    assert read("code", "```python\nx = 1", truncated=True) is None
    assert read("code", "```python\nx = 1\n```\nand", truncated=True) is not None


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


# Mathematics


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


# Choices


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("B) Paris", "B"),
        ("B. Paris is the capital of France.", "B"),
        ("Answer: B", "B"),
        ("Answer: b", "B"),
        ("**Answer: (C)** Rome", "C"),
        ("The answer is option b.", "B"),
        (r"\boxed{B}", "B"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{\textbf{(E)}\ 25}", "E"),
        ("**B**", "B"),
        ("I think it is **B. Paris**.", "B"),
        ("The correct option is B because A is a city in Italy.", "B"),
        ("The answer is A.", "A"),
        ("The answer is A because it rains.", "A"),
        ("A and C are wrong, so it must be option D.", "D"),
        ("A is wrong, and so is C.\n\nB", "B"),
        ("Option (A) is wrong. So we choose (C).", "A"),
        ("It can only be (C).", "C"),
        ("The answer is (I).", "I"),
    ],
)
def test_the_letter_of_a_real_life_text(text, letter):
    assert read("choice", text) == letter


@pytest.mark.parametrize(
    "text",
    [
        "A dog is a good companion.",
        "I think that a cat is better.",
        "The answer is a dog.",
        "The answer is A dog.",
        "I am not going to say which.",
        "It is (A) or (B).",
    ],
)
def test_an_article_or_a_pronoun_is_no_choice(text):
    assert kind_of("choice").extract(text) is None


# Short texts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", " paris. "),
        ("The Eiffel Tower", "“eiffel  tower”"),
        ("ﬁsh", "FISH"),
        ("**Yes**", "yes!"),
        ("Straße", "STRASSE"),
    ],
)
def test_texts_are_compared_without_case_width_spacing_and_punctuation(one, other):
    assert same_answer(one, other, kind_of("text"))


def test_signs_and_brackets_of_a_text_may_matter():
    assert not same_answer("-5", "5", kind_of("text"))
    assert not same_answer("C++", "C", kind_of("text"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is Paris.", "Paris"),
        ("The answer is J. R. R. Tolkien. He wrote it.", "J. R. R. Tolkien"),
        ("Answer: Dr. Watson", "Dr. Watson"),
        ("Paris is the capital.\nA: Paris", "Paris"),
        ("  Paris is nice.  ", "Paris is nice."),
    ],
)
def test_the_text_is_what_is_marked_else_all_of_it(text, answer):
    assert kind_of("text").extract(text) == answer


# JSON


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"b": 1.0, "a": [true, null]}', '{"a":[true,null],"b":1}'),
        ('Here it is:\n```json\n{"a": 1}\n```\nI hope [this] helps.', '{"a":1}'),
        ('First {"a": 1}, then {"a": 2}. Done.', '{"a":2}'),
        ('See [the docs {"a": "} ]"} ]', '{"a":"} ]"}'),
        ('A list: [1, {"x": [2]}]', '[1,{"x":[2]}]'),
        ("The answer is 42.", "42"),
        ('"abc"', '"abc"'),
        ("no JSON at all", None),
        ("[NaN]", None),
        ('{"a": 1', None),
    ],
)
def test_the_last_complete_json_value_of_a_text(text, key):
    assert read("json", text) == key


def test_json_numbers_are_compared_by_value_and_true_is_not_one():
    key = kind_of("json").key
    assert key("[1]") == key("[1.0]") == key("[1e0]")
    assert len({key("[1]"), key("[true]"), key('["1"]'), key("[null]")}) == 4


# Code


def test_code_is_the_last_complete_block():
    text = "```python\nx = 1\n```\nBetter:\n```py\nx = 2\n```\nIt prints\n```output\n2\n```\n"
    assert kind_of("code").extract(text) == "x = 2"
    assert kind_of("code").extract("x = 3") == "x = 3"
    assert kind_of("code").extract("```python\nx = 4\n") == "x = 4"
    assert kind_of("code").extract('```\ns = """\nQ: why?\n"""\n```') == 's = """\nQ: why?\n"""'


def test_comments_and_spacing_of_python_make_no_difference():
    key = kind_of("code").key
    assert key("def f(x):\n  return x+1  # next") == key("def f(x):\n\n    return (x + 1)")
    assert key("x = 1") != key("x = 2")
    assert key("let  x = 1;\nx") == key("let x = 1; x")
    assert key(r"re.match('\d', x)") == key(r"re.match( '\d' , x)")


# Which kind


def test_a_name_is_its_kind():
    assert answer_kind("auto") is None
    assert [kind_of(name).name for name in NAMES] == NAMES
    with pytest.raises(ValueError, match=r"auto, number, math, choice, text, json, code.*'nmber'"):
        answer_kind("nmber")


def test_a_kind_of_ones_own_is_taken_as_it_is():
    class Loud:
        name = "loud"

        def extract(self, text: str, *, truncated: bool = False) -> str | None:
            return text.upper()

        def key(self, answer: str) -> str:
            return answer

    loud = Loud()
    assert answer_kind(loud) is loud


def test_a_function_finds_the_answer_and_may_say_which_are_the_same():
    def last_word(text: str) -> str | None:
        return text.split()[-1] if text.split() else None

    kind = answer_kind(last_word)
    assert kind is not None
    assert (kind.name, kind.extract("so Paris"), kind.extract("")) == ("custom", "Paris", None)
    assert same_answer("Paris", "paris.", kind)
    last_word.key = len
    assert same_answer("abc", "xyz", kind)
    wrong = answer_kind(len)
    assert wrong is not None
    with pytest.raises(TypeError, match="must return a str or None, got int"):
        wrong.extract("abc")


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


# Whatever a model writes

LIKE_A_MODEL = st.lists(
    st.sampled_from(
        [r"\boxed{", "{", "}", "\\", r"\frac", r"\{", "The answer is ", "A:", "#### ", "\n", "```",
         "```python\n", "**", "$", "1", "2,5", "/", "0", "e", "^", "-", ".", " ", "x", "=", "(B)",
         "[", "]", '"', ":", ",", "three", "Q:", "%", "!", r"\sqrt", r"\(", r"\)", "½", "²", "\0"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=150)
@given(text=st.one_of(st.text(), LIKE_A_MODEL), truncated=st.booleans())
@example(text="1/0", truncated=False)
@example(text="\\boxed{²}", truncated=False)
@example(text="A: ٣", truncated=False)
def test_no_text_makes_a_kind_raise_and_an_answer_is_never_empty(name, text, truncated):
    kind = kind_of(name)
    answer = kind.extract(text, truncated=truncated)
    kind.key(text)
    if answer is not None:
        assert answer.strip()
        assert kind.key(answer) == kind.key(answer)


@settings(deadline=None)
@given(texts=st.lists(st.one_of(st.text(max_size=6), LIKE_A_MODEL), min_size=3, max_size=3))
def test_sameness_is_an_equivalence_relation(texts):
    a, b, c = texts
    for name in NAMES:
        kind = kind_of(name)
        assert same_answer(a, a, kind)
        assert same_answer(a, b, kind) == same_answer(b, a, kind)
        if same_answer(a, b, kind) and same_answer(b, c, kind):
            assert same_answer(a, c, kind)


ENDLESS = {
    "parentheses": "(", "boxes": "\\boxed{", "nines": "9", "brackets": "[", "braces": "{",
    "lists": "[1,", "quotes": '["', "escapes": '\\"', "dollars": "$", "math": "\\(",
    "answers": "answer ", "answer is": "the answer is ", "labels": "A:\n", "hashes": "####\n",
    "hashes 1": "#### 1\n", "spaces": " ", "lines": "\n", "stars": "*", "groups": "1,000,",
    "words": "one hundred and ", "fences": "```\n", "fractions": "\\frac{1}{", "slashes": "1/",
    "carets": "2^", "letters": "(A) ", "Q": "\nQ:", "names": "x = ", "sentences": "A. ",
    "minus": "-", "dates": "May 3, ", "objects": '{"a":', "closed": "[]", "to": "answer to ",
    "about": "answer is about ", "aaa": "a", "bold": "**B", "unary": "- not ", "calls": "f(",
    "attributes": ".a",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.timeout(60)
def test_time_grows_no_faster_than_the_text(name, unit):
    kind = kind_of(name)

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        start = time.perf_counter()
        answer = kind.extract(text)
        kind.extract("The answer is " + text)
        kind.key(text if answer is None else answer)
        return time.perf_counter() - start

    seconds(1_000)
    short, long = seconds(20_000), seconds(200_000)
    assert long < 40 * max(short, 0.01)


def test_the_answers_package_needs_neither_langgraph_nor_sympy_to_load():
    import subprocess

    code = (
        "import sys; sys.modules['langgraph'] = None; sys.modules['langchain_core'] = None\n"
        "import importlib.util, types\n"
        "package = types.ModuleType('tscale_graph')\n"
        f"package.__path__ = [{answers.__path__[0].rpartition('/')[0]!r}]\n"
        "sys.modules['tscale_graph'] = package\n"
        "import tscale_graph.answers\n"
        "assert 'sympy' not in sys.modules and 'math_verify' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
