"""How likely a vote is to be right after further samples, as a sum over what they may be."""

from __future__ import annotations

import math
from functools import lru_cache, reduce
from itertools import accumulate
from operator import mul

from tscale_graph.stopping.answer_prior import AnswerPrior

Groups = tuple[tuple[int, int], ...]
"""(votes, how many answers have so many), most votes first."""

_NEGLIGIBLE = 1e-5
_CANDIDATES = 6
"""Different numbers of votes whose answers may be right, from the top; below that none wins."""
_RIVALS = 3
"""Different numbers of votes that a winner is compared with, from the top."""
_NEARLY_CERTAIN = 1 - 1e-5


@lru_cache(maxsize=65536)
def best_gain_per_sample(groups: Groups, *, horizon: int, prior: AnswerPrior) -> float:
    """The largest gain in P(the vote is right) per further sample, over 1, 2, 4, … `horizon`.

    The gain is S-shaped in the number of samples ("Paradoxes in learning and the marginal value
    of information", Frazier and Powell 2010), so the search ends where the gain per sample
    starts to fall.
    """
    beliefs = _beliefs(groups, prior)
    now = beliefs[0][1] / groups[0][1] if groups else 0.0
    best, more = 0.0, 1
    while more <= horizon and (1 - now) / more > best:
        rate = (probability_right(groups, more=more, prior=prior) - now) / more
        if rate < best and best > _NEGLIGIBLE:
            break
        best = max(best, rate)
        more *= 2
    return best


@lru_cache(maxsize=65536)
def probability_right(groups: Groups, *, more: int, prior: AnswerPrior) -> float:
    """P(the right answer has the most votes after `more` further ones); a tie counts one half."""
    votes = sum(count * times for count, times in groups)
    leader = groups[0][0] if groups else 0
    return math.fsum(
        believed * _probability_of_winning(groups, count, votes=votes, more=more, prior=prior)
        for count, believed in _beliefs(groups, prior)
        if count + more >= leader and believed > _NEGLIGIBLE
    )


def _beliefs(groups: Groups, prior: AnswerPrior) -> list[tuple[int, float]]:
    """Votes of an answer, 0 for one not seen yet, and P(right) of all answers with so many."""
    votes = sum(count * times for count, times in groups)
    counts = (*groups, (0, 1))
    logs = [prior.log_weight(count, votes) for count, _ in counts]
    highest = max(logs)
    weights = [
        times * math.exp(log - highest) for log, (_, times) in zip(logs, counts, strict=True)
    ]
    total = math.fsum(weights)
    beliefs = [(count, w / total) for w, (count, _) in zip(weights, counts, strict=True)]
    return [*beliefs[:-1][:_CANDIDATES], beliefs[-1]]


def _probability_of_winning(
    groups: Groups, count: int, *, votes: int, more: int, prior: AnswerPrior
) -> float:
    """P(an answer with `count` votes has the most after `more` further ones), if it is right.

    The number of further votes for it is beta-binomial; the rest go to wrong answers.
    """
    rivals = [
        (other, times - (other == count)) for other, times in groups if (other, times) != (count, 1)
    ]
    leader = rivals[0][0] if rivals else 0
    chances = _beta_binomial(more, prior.a + count, prior.b + votes - count)
    winning = 0.0
    for gained in range(max(leader - count, 1 - count, 0), more + 1):
        if chances[gained] < _NEGLIGIBLE:
            continue
        behind = _all_stay_behind(
            rivals[:_RIVALS],
            count + gained,
            draws=more - gained,
            wrong=votes - count,
            gamma=prior.gamma,
        )
        if behind > _NEARLY_CERTAIN:  # and all the more with every further vote
            return winning + sum(chances[gained:])
        winning += chances[gained] * behind
    return winning


def _beta_binomial(draws: int, a: float, b: float) -> list[float]:
    """The probabilities of 0, 1, …, `draws` successes when their rate is Beta(a, b)."""
    start = math.exp(
        math.lgamma(b + draws) - math.lgamma(b) + math.lgamma(a + b) - math.lgamma(a + b + draws)
    )
    ratios = ((draws - k) * (a + k) / ((k + 1) * (b + draws - k - 1)) for k in range(draws))
    return list(accumulate(ratios, mul, initial=start))


def _all_stay_behind(
    rivals: list[tuple[int, int]], mine: int, *, draws: int, wrong: int, gamma: float
) -> float:
    """P(no wrong answer gets `mine` votes when so many further ones go to wrong answers).

    A coefficient of a product of generating functions, one factor for each answer. An answer
    with c votes that gets x more contributes c(c+1)…(c+x-1)/x! z^x, and all answers yet unseen
    together exp(gamma Σ z^s/s), over sizes s. Each is cut where the answer would win, and its
    last term halved for the tie. Answers that cannot win are one factor (1 - z)^-(their votes).
    """
    harmless: float = wrong
    factors: list[list[float]] = []
    if mine <= draws:
        factors.append(_unseen(gamma, mine, draws))
    else:
        harmless += gamma
    for rival, times in rivals:
        room = mine - rival
        if room > draws:
            break
        *factor, tie = _rising(rival, room)
        factors.append(_power([*factor, tie / 2, *(0.0,) * (draws - room)], times))
        harmless -= rival * times
    if not factors:
        return 1.0
    coefficient = sum(map(mul, reduce(_times, factors), reversed(_rising(harmless, draws))))
    seated = gamma + wrong
    log_total = math.lgamma(seated + draws) - math.lgamma(seated) - math.lgamma(draws + 1)
    return min(1.0, coefficient * math.exp(-log_total))


def _unseen(gamma: float, mine: int, draws: int) -> list[float]:
    """Coefficients of exp(gamma (z + z²/2 + … + z^m/m)), m = `mine`, the last term halved."""
    coefficients = [1.0]
    for power in range(1, draws + 1):
        total = sum(coefficients[max(0, power - mine + 1) :])
        if power >= mine:
            total += coefficients[power - mine] / 2
        coefficients.append(gamma * total / power)
    return coefficients


@lru_cache(maxsize=4096)
def _rising(start: float, degree: int) -> tuple[float, ...]:
    """Coefficients of (1 - z)^-start up to that degree."""
    ratios = ((start + k) / (k + 1) for k in range(degree))
    return tuple(accumulate(ratios, mul, initial=1.0))


def _power(factor: list[float], exponent: int) -> list[float]:
    """A polynomial to a positive power, cut to the same degree, by repeated squaring."""
    if exponent == 1:
        return factor
    root = _power(factor, exponent // 2)
    square = _times(root, root)
    return _times(square, factor) if exponent % 2 else square


def _times(left: list[float], right: list[float]) -> list[float]:
    """The product of two polynomials with as many coefficients, cut to the same degree."""
    backwards = right[::-1]
    return [sum(map(mul, left, backwards[start:])) for start in range(len(left) - 1, -1, -1)]
