"""What a decision costs at 1,000 votes: the least of many repeats, caches emptied."""

import time

import pytest

from tscale_graph.stopping import RULES, Standing, dirichlet, foresight, stopping_rule

VOTES = {
    "a clear lead": (600, 300, 50, 30, 20),
    "a tie of two": (500, 500),
    "a contest of three": (340, 335, 325),
    "many answers": (60, 55, 50, *range(40, 0, -1), *(1,) * 15),
    "mostly single votes": (30, 28, *(1,) * 942),
}


def seconds_of_decision(rule, standing):
    best = float("inf")
    for _ in range(30):
        dirichlet.probability_of_mode.cache_clear()
        foresight.best_gain_per_sample.cache_clear()
        start = time.perf_counter()
        rule.settled(standing)
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("counts", VOTES.values(), ids=VOTES)
def test_a_decision_at_a_thousand_votes_takes_microseconds(name, counts):
    standing = Standing(
        counts=counts,
        samples=sum(counts),
        passed=400,
        failed=600,
        votes=tuple(answer for answer, count in enumerate(counts) for _ in range(count)),
        scores=tuple((k * 37 % 101) / 101 for k in range(1000)),
        left=1000,
    )
    limit = 5e-3 if name == "value_of_information" else 100e-6
    assert seconds_of_decision(stopping_rule(name), standing) < limit
