"""Several answers ranked at once."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifiers.judges.readers import billed, fenced, reader
from tscale_graph import Budget
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import listwise_judge
from tscale_graph.verifiers.judges.listwise import scores_by_place

LEASE = Budget(calls=4, tokens=100_000)


def by_size(prompt):
    """Ranks numbers, the largest first, by the numbers of their places."""
    shown = fenced(prompt)
    answers = {label.split()[1]: int(text) for label, text in shown.items() if " " in label}
    return f'{{"ranking": {[int(n) for n in sorted(answers, key=answers.get, reverse=True)]}}}'


@pytest.mark.parametrize("seed", range(5))
async def test_answers_are_shuffled_and_scored_in_the_order_they_came(seed):
    model = reader(by_size)
    ranking = await listwise_judge(model).rank(
        "The largest?", ["5", "9", "1"], lease=LEASE, rng=random.Random(seed)
    )
    assert ranking.scores == (0.5, 1.0, 0.0)
    assert (ranking.usage.calls, ranking.usage.tokens) == (1, billed(model))


async def test_every_order_is_shown_and_the_same_seed_shows_the_same():
    def first_shown(seed):
        model = reader(by_size)
        rank = listwise_judge(model).rank("?", ["5", "9", "1"], lease=LEASE, rng=seed)
        return model, rank

    seen = set()
    for seed in range(30):
        model, rank = first_shown(random.Random(seed))
        await rank
        again, rank = first_shown(random.Random(seed))
        await rank
        assert model.prompts == again.prompts
        seen.add(tuple(fenced(model.prompts[0]).values()))
    assert len(seen) == 6


async def test_a_place_that_is_always_preferred_favours_no_answer():
    totals = [0.0, 0.0, 0.0]
    for seed in range(300):
        ranking = await listwise_judge(reader('{"ranking": [1, 2, 3]}')).rank(
            "?", ["a", "b", "c"], lease=LEASE, rng=random.Random(seed)
        )
        totals = [total + score for total, score in zip(totals, ranking.scores, strict=True)]
    assert all(abs(total / 300 - 0.5) < 0.09 for total in totals)  # 4 standard errors


async def test_answers_that_were_left_out_share_the_places_that_are_left():
    def the_largest(prompt):
        return json.dumps({"ranking": json.loads(by_size(prompt))["ranking"][:1]})

    ranking = await listwise_judge(reader(the_largest)).rank(
        "?", ["5", "9", "1"], lease=LEASE, rng=random.Random(0)
    )
    assert ranking.scores == (0.25, 1.0, 0.25)


@given(st.integers(2, 8), st.randoms(use_true_random=False), st.data())
def test_scores_keep_the_order_and_their_mean_is_a_half(count, rng, data):
    ranked = rng.sample(range(count), data.draw(st.integers(1, count)))
    scores = scores_by_place(ranked, count)
    assert sum(scores) / count == pytest.approx(0.5)
    told = [scores[position] for position in ranked]
    assert told == sorted(told, reverse=True)
    assert told[0] == 1.0
    left_out = {scores[position] for position in set(range(count)) - set(ranked)}
    assert len(left_out) <= 1
    assert all(score < told[-1] for score in left_out)


async def test_a_lone_answer_is_best_for_nothing():
    ranking = await listwise_judge(reader("")).rank("?", ["a"], lease=None, rng=random.Random(0))
    assert ranking.scores == (1.0,)


async def test_no_ranking_is_an_error():
    with pytest.raises(VerifierError, match="no ranking"):
        await listwise_judge(reader("hm")).rank("?", ["a", "b"], lease=LEASE, rng=random.Random(0))


@pytest.mark.parametrize("count", [0, 9])
async def test_too_many_or_no_answers_are_refused(count):
    with pytest.raises(ValueError, match=f"answers must be 1 to 8, got {count}"):
        await listwise_judge(reader("")).rank("?", ["a"] * count, lease=LEASE, rng=random.Random(0))


def test_at_most_is_checked():
    with pytest.raises(ValueError, match="at_most must be at least 2, got 1"):
        listwise_judge(reader(""), at_most=1)
