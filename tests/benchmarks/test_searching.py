"""What the benchmark of tree search on the embedded model asks, and makes of what it measures."""

import math
import random
import re

import pytest
from scipy.stats import binomtest

from tests.benchmarks.searching import EXAMPLES, Row, difference, draw, question, table, wilson
from tscale_graph.verifiers import countdown
from tscale_graph.verifiers.countdown_steps import can_reach


@pytest.mark.parametrize("count", EXAMPLES)
def test_every_puzzle_can_be_solved_and_none_is_an_example(count):
    rng = random.Random(count)
    shown = {question(numbers, target) for numbers, target, _ in EXAMPLES[count]}
    for _ in range(50):
        asked = draw(rng, count)
        *numbers, target = map(int, re.findall(r"\d+", asked))
        assert len(numbers) == count
        assert can_reach(tuple(numbers), target)
        assert asked not in shown


@pytest.mark.parametrize("count", EXAMPLES)
def test_the_worked_examples_are_right(count):
    for numbers, target, steps in EXAMPLES[count]:
        assert countdown(question(numbers, target), "\n".join(steps)).passed


@pytest.mark.parametrize(("solved", "count"), [(0, 30), (8, 30), (15, 30), (30, 30)])
def test_wilsons_interval_is_scipys(solved, count):
    known = binomtest(solved, count).proportion_ci(method="wilson")
    assert wilson(solved, count) == pytest.approx((known.low, known.high), abs=1e-4)


def test_the_difference_is_taken_question_by_question():
    these, those = [True] * 12 + [False] * 18, [False] * 30
    more, low, high = difference(these, those)
    assert more == pytest.approx(0.4)
    spread = 1.96 * math.sqrt(0.4 * 0.6 / 30)
    assert (low, high) == pytest.approx((more - spread, more + spread), abs=0.035)
    assert difference(these, these) == (0, 0, 0)


def test_the_table_has_a_row_for_each_technique():
    rows = {"best_of_n": Row([True, False], [10, 30]), "other": Row([True, True], [5, 5])}
    lines = table(3, rows).splitlines()
    assert len(lines) == 4
    assert "50%" in lines[2]
    assert lines[2].endswith("| 20 |")
    assert "+50%" in lines[3]
