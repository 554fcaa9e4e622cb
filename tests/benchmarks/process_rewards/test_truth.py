"""What is true of steps agrees with the solutions that the families write themselves."""

import random

import pytest

from tests.benchmarks.process_rewards.families import FAMILIES, problems
from tests.benchmarks.process_rewards.truth import truth

STORY = "Anna has 4 nuts. Anna finds 3 and then eats 2. How many nuts does Anna have now?"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_right_solutions_are_right_and_any_change_of_a_number_is_not(family):
    rng = random.Random(family.name)
    for problem in problems(family)[2]:
        steps = problem.solution.split("\n")
        assert truth(problem.question, steps) == [True] * len(steps)
        place = rng.randrange(len(steps))
        head, number = steps[place].rstrip(".").rsplit(" ", 1)
        wrong = [*steps[:place], f"{head} {int(number) + 1}", *steps[place + 1 :]]
        assert truth(problem.question, wrong) == [k < place for k in range(len(steps))]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_question_is_in_two_parts(family):
    shown, train, test = problems(family)
    asked = [one.question for one in (*shown, *train, *test)]
    assert len(set(asked)) == len(asked)
    assert (len(train), len(test)) == (family.train, 50)


@pytest.mark.parametrize(
    ("question", "steps", "told"),
    [
        (STORY, ["4 - 2 = 2", "2 + 3 = 5", "The answer is 5."], [True] * 3),
        (STORY, ["4 + 2 = 6", "6 - 3 = 3", "The answer is 3."], [False] * 3),
        (STORY, ["4 + 3 = 7", "The answer is 7."], [True, False]),
        (STORY, ["4 + 3 = 7", "7 - 4 = 3", "The answer is 3."], [True, False, False]),
        (STORY, ["Anna has 5 nuts."], [False]),
        ("Solve 4x + 3 = 23 for x.", ["23 - 3 = 20", "20 / 5 = 4"], [True, False]),
        ("Solve 4x + 3 = 23 for x.", ["23 / 4 = 5"], [False]),
        ("Compute 7 - 5 + 3 from left to right.", ["7 - 5 = 2", "2 + 3 = 5"], [True, True]),
        ("Compute 7 - 5 + 3 from left to right.", ["5 + 3 = 8", "7 - 8 = -1"], [False, False]),
    ],
)
def test_other_ways_are_right_and_other_numbers_are_not(question, steps, told):
    assert truth(question, steps) == told
