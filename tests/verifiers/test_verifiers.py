"""The built-in verifiers, and the adapter that calls anybody's."""

import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from tscale_graph import Budget, Verdict
from tscale_graph.verifiers import (
    Countdown,
    constraints,
    countdown,
    equation,
    json_schema,
    named_verifier,
    python_tests,
    verify,
)


@pytest.mark.parametrize(
    ("question", "answer", "passed"),
    [
        ("Solve 3x + 4 = 19 for x.", "x = 5", True),
        ("Solve 3x + 4 = 19 for x.", "5", True),
        ("Solve 3x + 4 = 19 for x.", "The answer is 5.", True),
        ("Solve 3x + 4 = 19 for x.", "x = 4", False),
        ("What is y if 2(y − 3) = 10?", "y = 8", True),
        ("Solve for x: -2x + 3 = 4x - 9", "2", True),
        ("Solve x/2 + 1 = 2.5", "x = 3", True),
        ("Find x: x^2 = 9", "3 or -3", True),
        ("Find x: x^2 = 9", "3 or 4", False),
        ("Solve 4x = 2.", "x = 1/2", True),
        ("Solve x + y = 5 and x - y = 1.", "x = 3, y = 2", True),
        ("Solve x + y = 5 and x - y = 1.", "x = 2, y = 3", False),
        ("Solve 3x = 9.", "I do not know", False),
        ("Solve 2x = 5.", "x = 2 1/2", True),
        ("Solve 2x = 5.", "2 1/2", True),
        ("Solve 2x = 5.", "x = 2.5", True),
        ("Solve 2x = 5.", r"x = \frac{5}{2}", True),
        ("Solve 2x = 5.", "x = 2 1/3", False),
        ("Solve 2x = -5.", "x = -2 1/2", True),
        ("Solve 2x = 2,000.", "x = 1,000", True),
        ("Find x: x^2 = 9", "x = 3 or x = -3", True),
        ("Find x: x^2 = 9", "x = ±3", True),
        ("Solve 2x = 5.", r"x = 2\frac{1}{2}", True),
        ("Solve 2x = 5.", "x = 2½", True),
        ("Solve 2x = -6.", "x = minus 3", True),
        ("Solve 2x = 6.", "x = minus 3", False),
        ("Solve 2x = 6.", "x = sqrt(3)", False),
        ("Solve 2x = 6.", "√3", False),
        ("Solve 2x = 6.", "x = 3!", False),
        ("Solve 2x = 6.", "3 sqrt(2)", False),
        ("Solve 2x = 6.", "3i", False),
        ("Solve 2x = 6.", "x is not 3", False),
        ("Solve 2x = 6.", "x = 3 thousand", False),
        ("Solve 2x = 6.", "x ≠ 3", False),
        ("Solve 2x = 6.", "x > 3", False),
        ("Solve 2x = 6.", "2x = 3", False),
        ("Let y = 2x + 1. Given that x = 3, find y.", "7", True),
        ("Let y = 2x + 1. Given that x = 3, find y.", "x = 3, y = 7", True),
        ("Let y = 2x + 1. Given that x = 3, find y.", "y = 8", False),
        ("Let y = 2x + 1. Given that x = 3, find y.", "x = 2, y = 5", False),
    ],
)
def test_equation_substitutes_the_answer_back(question, answer, passed):
    verdict = equation(question, answer)
    assert verdict.passed is passed
    assert bool(verdict.feedback) is not passed


def test_equation_says_what_came_of_the_substitution():
    said = equation("Solve 3x + 4 = 19 for x.", "x = 4").feedback
    assert said == "with x = 4 the left side of 3x + 4 = 19 is 16, the right side 19"
    with pytest.raises(ValueError, match="the question has no equation"):
        equation("How many r's are in strawberry?", "3")


@given(
    st.integers(min_value=2, max_value=50),
    st.integers(min_value=-50, max_value=50),
    st.integers(min_value=0, max_value=50),
    st.integers(min_value=-60, max_value=60),
)
def test_equation_passes_the_root_of_a_linear_equation_and_nothing_else(a, x, b, other):
    question = f"Solve {a}x + {b} = {a * x + b} for x."
    assert equation(question, f"x = {x}").passed
    assert equation(question, f"x = {other}").passed is (other == x)


@pytest.mark.parametrize(
    ("question", "answer", "feedback"),
    [
        ("Use the numbers 3, 8, 1 to make 24.", "3 * 8 * 1", ""),
        ("Use the numbers 3, 8, 1 to make 24.", "(3 × 8) ÷ 1 = 24", ""),
        ("Use the numbers 3, 8, 1 to make 24.", "3 * 8", "does not use 1"),
        ("Use the numbers 3, 8, 1 to make 24.", "3 * 8 + 1 - 1", "more often than it is given"),
        ("Use the numbers 3, 8, 1 to make 24.", "12 * 2", "which is not given"),
        ("Use the numbers 3, 8, 1 to make 24.", "3 + 8 + 1", "is 12, not 24"),
        ("Use the numbers 3, 8, 1 to make 24.", "24", "no expression"),
        ("Use the numbers 3, 8, 1 to make 24.", "3 * 8 / (1 - 1)", "divides by zero"),
        ("Using the numbers [4, 4], create an equation that equals 16", "4*4=16", ""),
    ],
)
def test_countdown_uses_each_number_once_and_makes_the_target(question, answer, feedback):
    verdict = countdown(question, answer)
    assert verdict.passed is (feedback == "")
    assert feedback in verdict.feedback


def test_countdown_takes_its_task_explicitly_too():
    task = Countdown(numbers=(2, 3, 5), target=10, all_numbers=False)
    assert task("", "2 * 5").passed
    with pytest.raises(ValueError, match="which target"):
        countdown("Play with 2 and 3.", "2 + 3")


@given(st.lists(st.integers(min_value=1, max_value=20), min_size=2, max_size=5), st.integers())
def test_countdown_passes_whatever_expression_was_made_from_the_numbers(numbers, seed):
    rng = random.Random(seed)
    expression = str(numbers[0])
    for number in numbers[1:]:
        expression = f"({expression} {rng.choice('+-*')} {number})"
    target = eval(expression)  # our own expression, as an independent reference
    task = Countdown(numbers=tuple(numbers), target=target)
    assert task("", expression).passed
    assert not Countdown(numbers=tuple(numbers), target=target + 1)("", expression).passed


@given(st.text())
def test_no_answer_makes_a_verifier_raise(answer):
    equation("Solve 3x + 4 = 19 for x.", answer)
    countdown("Use the numbers 3, 8, 1 to make 24.", answer)
    constraints(words=3, contains="river")("", answer)
    json_schema(Point)("", answer)


class Point(BaseModel):
    x: int
    y: int


def test_json_that_does_not_fit_is_told_by_its_path():
    for verifier in (json_schema(Point), json_schema(Point.model_json_schema())):
        assert verifier("", 'So: {"x": 1, "y": 2}').passed
        said = verifier("", '{"x": 1, "y": "two"}').feedback
        assert said.startswith("y: ")
        assert verifier("", "no JSON at all").feedback == "no JSON in the answer"
    with pytest.raises(ValueError, match="not a valid JSON schema"):
        json_schema({"type": "no such type"})
    with pytest.raises(ValueError, match="schema must be"):
        json_schema("x")


def test_constraints_are_counted_and_the_score_is_the_share_that_is_met():
    check = constraints(words=(3, 4), contains=("river",), excludes="sea", matches=r"^The")
    assert check("", "The river flows.").passed
    verdict = check("", "A river flows to the sea.")
    assert (verdict.score, verdict.passed) == (0.25, False)
    assert verdict.feedback == (
        "has 6 words, should have 3 to 4; contains 'sea'; does not match '^The'"
    )
    for wrong in ({}, {"words": -1}, {"words": (4, 3)}, {"matches": "("}):
        with pytest.raises(ValueError, match=r"constraint|must be"):
            constraints(**wrong)


TESTS = "assert double(2) == 4\nassert double(-1) == -2\n"


def test_code_is_run_against_each_test():
    check = python_tests(TESTS)
    assert check("", "```python\ndef double(x):\n    return 2 * x\n```").passed
    half = check("", "def double(x):\n    return 4")
    assert (half.score, half.passed) == (0.5, False)
    assert "assert double(-1) == -2" in half.feedback
    assert not check("", "def double(x) return").passed
    human_eval = python_tests("def check(f):\n    assert f(2) == 4", entry_point="double")
    assert human_eval("", "def double(x):\n    return x + x").passed


@pytest.mark.parametrize(
    "evil",
    [
        "import os\nos.system('touch {outside}')",
        "open('{outside}', 'w').write('out')",
        "import pathlib\npathlib.Path('{outside}').touch()",
        "open('/etc/passwd').read()",
        "while True: pass",
        "x = 10 ** 10 ** 10",
        "x = [0] * 10 ** 12",
        "def f(): return f()\nf()",
        "while True: print('x' * 1000)",
        "import subprocess\nsubprocess.run(['ls'])",
        "raise SystemExit(0)",
        "__import__('socket')",
    ],
)
def test_evil_code_is_contained_and_reported(evil, tmp_path):
    outside = tmp_path / "escaped"
    check = python_tests("assert True", seconds=0.5)
    verdict = check("", f"```python\n{evil.replace('{outside}', str(outside))}\n```")
    assert not outside.exists()
    assert verdict.passed is False
    assert verdict.feedback
    assert python_tests("assert 1 + 1 == 2")("", "x = 1").passed, "the sandbox still works"


@pytest.mark.parametrize("wrong", [{"tests": ""}, {"tests": "assert ("}, {"seconds": 0}])
def test_tests_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match=r"test|seconds"):
        python_tests(**{"tests": "assert True", **wrong})


async def as_coroutine(question, answer):
    return 0.5


def as_openevals(*, inputs, outputs, reference_outputs=None):
    return {"key": "fit", "score": outputs == "3", "comment": "so it is"}


@pytest.mark.parametrize(
    ("verifier", "expected"),
    [
        (lambda q, a: a == "3", Verdict(score=1, passed=True)),
        (lambda q, a: 0.5, Verdict(score=0.5)),
        (lambda q, a: 1.0, Verdict(score=1, passed=True)),
        (lambda q, a: 0, Verdict(score=0, passed=False)),
        (as_coroutine, Verdict(score=0.5)),
        (RunnableLambda(lambda asked: asked["answer"] == "3"), Verdict(score=1, passed=True)),
        (as_openevals, Verdict(score=1, passed=True, feedback="so it is")),
        (lambda q, a: Verdict(score=0.1, feedback="no"), Verdict(score=0.1, feedback="no")),
    ],
)
async def test_anything_that_judges_is_a_verifier(verifier, expected):
    assert await verify(verifier, "How many?", "3") == expected


@pytest.mark.parametrize(
    ("returned", "error"),
    [(1.5, ValueError), (float("nan"), ValueError), (-1, ValueError), ("yes", TypeError)],
)
async def test_what_is_no_verdict_is_an_error(returned, error):
    with pytest.raises(error, match="verifier"):
        await verify(lambda q, a: returned, "How many?", "3")


async def test_a_verifier_that_asks_for_a_lease_gets_one():
    seen = []

    async def judge(question, answer, lease):
        seen.append(lease)
        return True

    await verify(judge, "How many?", "3", lease=Budget(calls=1))
    assert seen == [Budget(calls=1)]


def test_verifiers_by_name():
    assert named_verifier("equation") is equation
    assert named_verifier("constraints:words=3-5,contains=river").words == (3, 5)
    for wrong in ("oracle", "equation:x", "constraints:colour=red", "json_schema:nowhere.json"):
        with pytest.raises(ValueError, match=r"verifier|settings|takes|cannot read"):
            named_verifier(wrong)


def test_the_built_in_verifiers_can_be_sent_to_another_machine():
    for verifier in (equation, countdown, constraints(words=3), python_tests("assert True")):
        assert pickle.loads(pickle.dumps(verifier)) == verifier
