"""Countdown in steps: what each equation is worth, and whether the target can still be made."""

import pickle
import random
import time
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tscale_graph.verifiers import Countdown, countdown, named_verifier
from tscale_graph.verifiers.countdown_steps import can_reach

QUESTION = "Use the numbers 2, 3, 4 to make 10."


@pytest.mark.parametrize(
    "answer",
    [
        "2 * 3 = 6\n6 + 4 = 10",
        "3 × 2 = 6\n4 + 6 = 10",
        "2*3=6\n\n6+4=10\n",
        "1. 2 * 3 = 6\n2. 6 + 4 = 10",
        "1) 2 * 3 = 6.\n2) 6 + 4 = 10.",
        "Step 1: 2 * 3 = 6\nStep 2: 6 + 4 = 10",
        "- 2 * 3 = 6\n- 6 + 4 = 10",
        "**2 * 3 = 6**\n$6 + 4 = 10$",
        "First, 2 * 3 = 6\nThen 6 + 4 = 10",
        "2 * 3 = 6 (left: 6, 4)\n6 + 4 = 10 (left: 10)",
        "2 * 3 = 6 [left: 4 6]\n6 + 4 = 10, leaving 10",
        "2 * 3 = 6\n6 + 4 = 10\nAnswer: 10",
        "2 * 3 = 6\n6 + 4 = 10\nso the answer is (2*3)+4",
        "2 * 3 = 6\n6 + 4 = 10\nThe answer is 2 * 3 + 4 = 10.",
        "2 * 3 = 6\n6 + 4 = 10\nAnswer: 6 + 4 = 10",
        "2 * 3 = 6\n6 + 4 = 10\nThat used 2-3 numbers in 2 steps.",
        "I multiply the small ones.\n2 * 3 = 6\nNow the rest.\n6 + 4 = 10",
    ],
)
def test_a_solution_in_steps_passes(answer):
    verdict = countdown(QUESTION, answer)
    assert (verdict.score, verdict.passed, verdict.feedback) == (1, True, "")
    assert verdict.step_scores == (1, 1)


@pytest.mark.parametrize(
    ("answer", "scores", "feedback"),
    [
        ("2 * 3 = 6", (1,), "6, 4 are left, the target is 10"),
        ("2 * 3 = 6\n6 +", (1,), "6, 4 are left, the target is 10"),
        ("2 * 3 = 6\n6 + 4", (1,), "6, 4 are left, the target is 10"),
        ("2 * 3 = 6\n6 + 4 =", (1,), "6, 4 are left, the target is 10"),
        ("3 * 4 = 12", (1,), "2, 12 are left, the target is 10"),
        ("4 - 3 = 1", (0,), "2, 1 are left, the target is 10"),
        ("4 - 3 = 1\n2 + 1 = 3", (0, 0), "3 is left, the target is 10"),
        ("2 * 3 = 6\n6 - 4 = 2", (1, 0), "2 is left, the target is 10"),
        ("2 * 3 = 7", (0,), "step 1: 2 * 3 is 6, not 7"),
        ("2 * 3 = 7\n7 + 3 = 10", (0, 0), "step 1: 2 * 3 is 6, not 7"),
        ("2 * 3 = 6\n7 + 3 = 10", (1, 0), "step 2: 7 is not among 6, 4"),
        ("2 * 3 = 6\n2 + 4 = 6\n6 + 4 = 10", (1, 0, 0), "step 2: 2 is not among 6, 4"),
        ("2 * 3 = 6\n6 + 6 = 12", (1, 0), "step 2: 6 is only once among 6, 4"),
        ("2 * 3 = 6\n6 + 4 = 10\n10 + 0 = 10", (1, 1, 0), "step 3: 0 is not among 10"),
        ("2 * 3 = 6\n6 + 4 = 10\nAnswer: 11", (1, 1), "the answer is given as 11, not 10"),
        ("2 * 3 = 6\n6 + 4 = 10\nSo the answer is 2 * (3 + 4).", (1, 1), "is 14, not 10"),
        ("2 * 3 = 6\n6 + 4 = 10\nAnswer: 2 + 8", (1, 1), "uses 8, which is not given"),
    ],
)
def test_steps_that_are_no_solution_are_scored_and_told_what_is_missing(answer, scores, feedback):
    verdict = countdown(QUESTION, answer)
    assert (verdict.score, verdict.passed, verdict.step_scores) == (0, False, scores)
    assert feedback in verdict.feedback


def test_fractions_are_exact():
    task = Countdown((3, 3, 8, 8), 24)
    for second in ("3 - 8/3 = 1/3", "3 - (8/3) = (1/3)"):
        for last in ("8 / 1/3 = 24", "8 / (1/3) = 24", "8 ÷ 1/3 = 24"):
            verdict = task("", f"8 / 3 = 8/3\n{second}\n{last}")
            assert verdict.passed
            assert verdict.step_scores == (1, 1, 1)
    rounded = task("", "8 / 3 = 2.67")
    assert rounded.feedback == "step 1: 8 / 3 is 8/3, not 2.67"
    assert Countdown((7, 2, 4), 14)("", "7 / 2 = 3.5\n3.5 * 4 = 14").passed
    assert Countdown((5, 5, 3), 3)("", "5 - 5 = 0\n3 / 0 = 3").feedback == (
        "step 2: 3 / 0 divides by zero"
    )


def test_negative_results_and_thousands_are_read():
    assert Countdown((2, 5, 9), 6)("", "2 − 5 = −3\n−3 + 9 = 6").passed
    assert Countdown((2, 5, 9), 12)("", "2 - 5 = -3\n9 - -3 = 12").passed
    assert Countdown((2, 5, 9), 12)("", "2 - 5 = (-3)\n9 - (-3) = 12").passed
    assert Countdown((40, 50, 1), 2001)("", "40 * 50 = 2,000\n2,000 + 1 = 2,001").passed


@pytest.mark.parametrize(
    ("numbers", "target", "answer"),
    [
        ((2, 3, 4), 10, "2 * 3 + 4"),
        ((2, 3, 4), 10, "2 * 3 + 4 = 10"),
        ((2, 3, 4), 10, "10 = 2 * 3 + 4"),
        ((6, 2, 3), 4, "6 * 2/3 = 4"),
        ((6, 2, 3), 4, "2/3 * 6 = 4"),
        ((8, 1), 8, "8/1"),
    ],
)
def test_an_expression_is_no_step(numbers, target, answer):
    verdict = Countdown(numbers, target)("", answer)
    assert verdict.passed
    assert verdict.step_scores is None


def test_a_quotient_that_is_a_whole_number_is_no_number_of_a_step():
    verdict = Countdown((3, 1, 6, 2), 5)("", "3 - 1 = 2\n6/2 + 2 = 5")
    assert verdict.feedback == "2, 6, 2 are left, the target is 5"
    assert verdict.step_scores == (1,)


def test_a_right_expression_after_steps_passes_whatever_the_steps_are():
    verdict = countdown(QUESTION, "4 - 3 = 2\nThat leads nowhere.\nAnswer: 2 * 3 + 4")
    assert verdict.passed
    assert verdict.step_scores == (0,)


def test_without_all_numbers_the_target_may_be_reached_early():
    task = Countdown((2, 5, 3), 10, all_numbers=False)
    verdict = task("", "2 * 5 = 10")
    assert verdict.passed
    assert verdict.step_scores == (1,)
    assert not Countdown((2, 5, 3), 10)("", "2 * 5 = 10").passed
    beyond = task("", "2 * 5 = 10\n10 + 3 = 13")
    assert not beyond.passed
    assert beyond.step_scores == (1, 0)
    assert not task("", "2 + 3 = 7\n5 + 5 = 10").passed


def test_scored_for_soundness_alone_a_dead_end_is_worth_as_much():
    sound = Countdown(step_scores="sound")
    assert sound(QUESTION, "4 - 3 = 1\n2 + 1 = 3").step_scores == (1, 1)
    assert sound(QUESTION, "4 - 3 = 1\n2 + 1 = 4").step_scores == (1, 0)
    assert named_verifier("countdown:sound") == sound
    assert named_verifier("countdown:reachable") == named_verifier("countdown") == countdown
    assert pickle.loads(pickle.dumps(sound)) == sound
    with pytest.raises(ValueError, match="countdown takes reachable or sound, got 'x'"):
        named_verifier("countdown:x")
    with pytest.raises(ValueError, match="step_scores must be reachable or sound, got 'x'"):
        Countdown(step_scores="x")


def test_the_look_ahead_starts_when_six_numbers_are_left():
    task = Countdown((1,) * 8, 100)
    steps = ["1 * 1 = 1"] * 3
    assert task("", "\n".join(steps)).step_scores == (1, 0, 0)
    with pytest.raises(ValueError, match="numbers must be at most 6, got 7"):
        can_reach((Fraction(1),) * 7, 1)


@st.composite
def derivations(draw):
    """Numbers, the equations of a random solution, and what they make."""
    numbers = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    rng = random.Random(draw(st.integers()))
    left = [Fraction(number) for number in numbers]
    steps = []
    while len(left) > 1:
        rng.shuffle(left)
        a, b = left.pop(), left.pop()
        sign = rng.choice("+-*/" if b else "+-*")
        result = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else None}[sign]
        steps.append((f"{a} {sign} {b}", result))
        left.append(result)
    assume(left[0].denominator == 1)
    return tuple(numbers), steps, int(left[0])


def written(steps):
    return "\n".join(f"{combined} = {result}" for combined, result in steps)


@settings(deadline=None)
@given(derivations())
def test_every_valid_derivation_passes_and_so_far_as_it_goes_scores_one(derived):
    numbers, steps, target = derived
    task = Countdown(numbers, target)
    verdict = task("", written(steps))
    assert verdict.passed, verdict.feedback
    for made in range(1, len(steps) + 1):
        verdict = task("", written(steps[:made]))
        assert verdict.step_scores == (1,) * made
        assert verdict.passed is (made == len(steps))


@settings(deadline=None)
@given(derivations(), st.data())
def test_a_wrong_result_takes_the_score_of_its_step_and_of_all_after_it(derived, data):
    numbers, steps, target = derived
    wrong = data.draw(st.integers(0, len(steps) - 1))
    by = data.draw(st.sampled_from([-1, 1, Fraction(1, 2)]))
    steps[wrong] = (steps[wrong][0], steps[wrong][1] + by)
    for rule in ("reachable", "sound"):
        verdict = Countdown(numbers, target, step_scores=rule)("", written(steps))
        assert verdict.step_scores == (1,) * wrong + (0,) * (len(steps) - wrong)
        assert not verdict.passed
        assert verdict.feedback.startswith(f"step {wrong + 1}: ")


def made_by_expressions(numbers):
    """All values of all expressions, over orders, signs and ways to set parentheses."""

    def trees(values):
        if len(values) == 1:
            yield values[0]
        for cut in range(1, len(values)):
            for a, b in product(list(trees(values[:cut])), list(trees(values[cut:]))):
                yield from (a + b, a - b, a * b)
                if b:
                    yield a / b

    return {value for order in set(permutations(numbers)) for value in trees(order)}


def agrees_with_all_expressions(numbers, target):
    numbers = tuple(map(Fraction, numbers))
    whole = made_by_expressions(numbers)
    some = whole.union(
        *(made_by_expressions(numbers[:k] + numbers[k + 1 :]) for k in range(len(numbers))),
        *(made_by_expressions(pair) for pair in permutations(numbers, 2)),
        numbers,
    )
    assert can_reach(numbers, target) is (target in whole)
    assert can_reach(numbers, target, False) is (target in some)
    assert all(can_reach(numbers, made) for made in sorted(whole)[:: len(whole) // 50 + 1])


@settings(deadline=None)
@given(
    st.lists(st.fractions(-10, 10, max_denominator=4), min_size=3, max_size=3),
    st.integers(-30, 60),
)
def test_three_numbers_reach_what_an_expression_of_them_makes(numbers, target):
    agrees_with_all_expressions(numbers, target)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=4, max_size=4), st.integers(-5, 40))
def test_four_numbers_reach_what_an_expression_of_them_makes(numbers, target):
    agrees_with_all_expressions(numbers, target)


@pytest.mark.parametrize(
    ("numbers", "target", "reached"),
    [
        ((1, 1, 1, 1), 24, False),
        ((3, 3, 8, 8), 24, True),
        ((1, 5, 5, 5), 24, True),
        ((25, 50, 75, 100, 3, 6), 952, True),
        ((1, 1, 2, 2, 3, 3), 997, False),
        ((0, 7, 8, 9), 0, True),
        ((0, 0, 5, 0, 7), 0, True),
        ((), 0, False),
    ],
)
def test_puzzles_of_which_it_is_known(numbers, target, reached):
    assert can_reach(tuple(map(Fraction, numbers)), target) is reached


@pytest.mark.parametrize(
    "answer",
    [
        "2 * 3 = 6\n" * 5_000,
        "1 + 1 = 9\n" * 200_000,
        "2 ** 999999999 = 4\n2 ^ 999999999 = 4\n2 * 3 = 1e999999999\n" * 1_000,
        f"2 * {'9' * 100_000} = {'9' * 100_000}",
        "\n".join(["2 *" + " " * 190 + "3 ="] * 2_000),
        "\n".join(["2 * 3 = 6" + " ." * 90 + "("] * 2_000),
        "\n".join(["2 * 3 = 6" + ", 6" * 60] * 2_000),
        "\n".join(["(" * 90 + "2 * 3" + ")" * 90 + " = 6"] * 2_000),
        "٢ * ٣ = ٦\n² * ³ = ½\n" * 1_000,
    ],
)
def test_hostile_answers_are_refused_in_bounded_time(answer):
    started = time.thread_time()
    verdict = countdown(QUESTION, answer)
    assert time.thread_time() - started < 2
    assert not verdict.passed
    assert "\n" not in verdict.feedback


def test_more_than_fifty_steps_are_refused():
    task = Countdown((1,) * 60, 1)
    verdict = task("", "1 * 1 = 1\n" * 59)
    assert (verdict.passed, verdict.feedback) == (False, "more than 50 steps")
    assert verdict.step_scores == (1,) * 50


@settings(deadline=None)
@given(st.text("0123456789+-*/=()., \n²٣÷−abс[]$"))
def test_no_text_makes_it_raise(answer):
    countdown(QUESTION, answer)
