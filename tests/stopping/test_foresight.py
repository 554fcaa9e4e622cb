import math
from collections import Counter

import pytest

from tscale_graph.stopping import AnswerPrior
from tscale_graph.stopping.foresight import best_gain_per_sample, probability_right

PRIORS = [AnswerPrior(1, 1, 1), AnswerPrior(2, 3, 0.3), AnswerPrior(0.5, 1, 5)]
VOTES = [(), (1,), (1, 1), (2, 1), (3, 3, 1), (2, 2, 2), (6, 5, 1, 1), (1, 1, 1, 1)]


def grouped(votes):
    return tuple(Counter(votes).items())


def probability_right_by_enumeration(votes, more, prior):
    """Every answer that may be right, and every sequence of further votes, one by one."""
    seen, unseen = prior.posterior(votes)
    total = unseen * winning((0, *votes), more, prior)
    for place, believed in enumerate(seen):
        others = votes[:place] + votes[place + 1 :]
        total += believed * winning((votes[place], *others), more, prior)
    return total


def winning(counts, more, prior):
    """P(the first answer wins after so many further votes), if it is right."""
    right, *wrong = counts
    if more == 0:
        if right == 0 or right < max(wrong, default=0):
            return 0.0
        return 0.5 ** wrong.count(right)
    votes = right + sum(wrong)
    p_right = (prior.a + right) / (prior.a + prior.b + votes)
    total = p_right * winning((right + 1, *wrong), more - 1, prior)
    for place, mass in enumerate([*wrong, prior.gamma]):
        after = [*wrong, 0]
        after[place] += 1
        after = after if after[-1] else after[:-1]
        p_wrong = (1 - p_right) * mass / (prior.gamma + sum(wrong))
        total += p_wrong * winning((right, *after), more - 1, prior)
    return total


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("votes", VOTES)
@pytest.mark.parametrize("more", [1, 2, 4, 5])
def test_the_chance_of_a_right_vote_is_the_sum_over_all_futures(votes, more, prior):
    expected = probability_right_by_enumeration(votes, more, prior)
    got = probability_right(grouped(votes), more=more, prior=prior)
    assert math.isclose(got, expected, abs_tol=2e-6)


def test_the_best_gain_is_the_best_over_doubling_horizons():
    votes, prior = (3, 2, 1), AnswerPrior(1, 1, 2)
    now = prior.posterior(votes)[0][0]
    gains = [
        (probability_right(grouped(votes), more=more, prior=prior) - now) / more
        for more in (1, 2, 4, 8)
    ]
    assert math.isclose(
        best_gain_per_sample(grouped(votes), horizon=8, prior=prior), max(gains), abs_tol=1e-12
    )
    assert gains[0] < max(gains)  # one vote alone cannot change this winner
