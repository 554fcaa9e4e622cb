"""The answer that the model finds most consistent with the others."""

import random

import pytest

from tests.verifiers.judges.readers import billed, fenced, reader
from tscale_graph import Budget
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import most_consistent

LEASE = Budget(calls=4, tokens=100_000)
ANSWERS = ["a river", "a lake", "the river", "a pond"]


def picks(*texts):
    """A model that picks the first of these texts that it is shown."""

    def reply(prompt):
        shown = {text: label for label, text in fenced(prompt).items()}
        label = next(shown[text] for text in texts if text in shown)
        return f'{{"reason": "most say so", "choice": {label.split()[1]}}}'

    return reader(reply)


@pytest.mark.parametrize("seed", range(5))
async def test_an_answer_that_is_picked_in_both_orders_gets_all(seed):
    model = picks("the river")
    ranking = await most_consistent(model).rank(
        "Which?", ANSWERS, lease=LEASE, rng=random.Random(seed)
    )
    assert ranking.scores == (0.0, 0.0, 1.0, 0.0)
    assert (ranking.usage.calls, ranking.usage.tokens) == (2, billed(model))


async def test_the_second_order_is_the_reverse_of_the_first():
    model = picks("a lake")
    await most_consistent(model).rank("Which?", ANSWERS, lease=LEASE, rng=random.Random(3))
    first, second = ([*fenced(prompt).values()][1:] for prompt in model.prompts)
    assert first == second[::-1]
    assert sorted(first) == sorted(ANSWERS)


async def test_a_pick_that_depends_on_the_order_is_shared():
    ranking = await most_consistent(reader('{"choice": 1}')).rank(
        "Which?", ANSWERS, lease=LEASE, rng=random.Random(0)
    )
    assert sorted(ranking.scores) == [0.0, 0.0, 0.5, 0.5]


async def test_answers_with_the_same_text_share_a_score():
    ranking = await most_consistent(reader('{"choice": 1}')).rank(
        "Which?", ["x", "x ", "x"], lease=None, rng=random.Random(0)
    )
    assert ranking.scores == (1.0, 1.0, 1.0), "and where all are the same, for nothing"
    ranking = await most_consistent(picks("x")).rank(
        "Which?", ["x", "y", "x"], lease=LEASE, rng=random.Random(0)
    )
    assert ranking.scores == (1.0, 0.0, 1.0)


async def test_one_pick_of_two_is_none():
    replies = iter(['{"choice": 1}', "hm", "hm"])
    with pytest.raises(VerifierError, match="no choice") as caught:
        await most_consistent(reader(lambda prompt: next(replies))).rank(
            "Which?", ANSWERS, lease=LEASE, rng=random.Random(0)
        )
    assert caught.value.usage.calls == 3


async def test_too_many_answers_are_refused():
    with pytest.raises(ValueError, match="answers must be 1 to 8, got 9"):
        await most_consistent(reader("")).rank("?", ["a"] * 9, lease=LEASE, rng=random.Random(0))
