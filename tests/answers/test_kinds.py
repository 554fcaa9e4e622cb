"""What holds for answers of every kind."""

import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tscale_graph.answers as answers
from tests.answers.reading import NAMES, kind_of, read
from tscale_graph.answers import answer_kind, same_answer


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
    "attributes": ".a", "shouts": "!", "quotations": "'", "asked": "?!", "millions": "5M ",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.timeout(60)
def test_time_grows_no_faster_than_the_text(name, unit):
    kind = kind_of(name)

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        start = time.thread_time()  # of this thread alone: others on the machine may stall it
        answer = kind.extract(text)
        kind.extract("The answer is " + text)
        kind.key(text if answer is None else answer)
        return time.thread_time() - start

    def grows_too_fast() -> bool:
        # 28: a part that grows with the square, and is half of the time at 40,000 characters.
        long = seconds(100_000)
        return long > 0.1 and long > 28 * seconds(10_000)

    seconds(1_000)
    # Noise only adds, and not twice.
    assert not grows_too_fast() or not grows_too_fast()


@pytest.mark.slow
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
