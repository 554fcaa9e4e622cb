"""How right and wrong answers spread over samples, and which answer is right given the votes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_LEAST, _MOST = 0.02, 50.0
"""Fitted parameters stay between these, which a few hundred questions cannot tell from beyond."""
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class AnswerPrior:
    """What is believed of a class of questions before any sample is seen.

    The share of right samples differs between questions as Beta(a, b); the wrong ones of a
    question follow a Chinese restaurant process (Blackwell and MacQueen 1973, Annals of
    Statistics 1(2)): one more wrong sample repeats a wrong answer in proportion to its votes,
    and is a new one in proportion to `gamma`. So with a small gamma one wrong answer draws most
    of the errors and votes may mislead; with a large one errors scatter and votes are strong
    evidence.

    Attributes:
        a: of the Beta distribution, positive.
        b: of the Beta distribution, positive.
        gamma: concentration of the wrong answers, positive.
    """

    a: float = 1.0
    b: float = 1.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("a", self.a), ("b", self.b), ("gamma", self.gamma)):
            if not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")

    def coarse(self) -> AnswerPrior:
        """The same, each parameter rounded to a power of the square root of 2.

        What was worked out for one prior then serves the next; and a hundred questions tell a
        parameter to about a third.
        """
        return AnswerPrior(
            *(2 ** (round(2 * math.log2(p)) / 2) for p in (self.a, self.b, self.gamma))
        )

    def log_weight(self, count: int, votes: int) -> float:
        """How likely the votes are, up to a constant, if an answer with `count` of them is right.

        `count` 0 stands for "the right answer has not been seen".
        """
        wrong = votes - count
        weight = _log_beta(self.a + count, self.b + wrong) - math.lgamma(self.gamma + wrong)
        if count:
            weight -= math.log(self.gamma) + math.lgamma(count)
        return weight

    def posterior(self, counts: Sequence[int]) -> tuple[list[float], float]:
        """P(right) of each answer with these votes, and of an answer that was not seen yet.

        >>> AnswerPrior(1, 1, 1).posterior([1])
        ([0.5], 0.5)
        """
        votes = sum(counts)
        logs = [self.log_weight(count, votes) for count in (*counts, 0)]
        highest = max(logs)
        weights = [math.exp(log - highest) for log in logs]
        total = math.fsum(weights)
        *seen, unseen = (weight / total for weight in weights)
        return seen, unseen

    def log_chance(self, right: int, samples: int) -> float:
        """Log of the chance that so many of some samples are right, in one order of them.

        >>> round(math.exp(AnswerPrior(1, 1, 1).log_chance(1, 2)), 3)
        0.167
        """
        wrong = samples - right
        return _log_beta(self.a + right, self.b + wrong) - _log_beta(self.a, self.b)

    @classmethod
    def fit(cls, recordings: Iterable[tuple[int, Sequence[int]]]) -> AnswerPrior:
        """The prior under which recorded questions are most likely (maximum likelihood).

        The likelihood is a product of one factor in (a, b) and one in gamma, which are fitted
        apart. A parameter that the recordings say nothing about keeps its default, and none
        leaves 0.02 to 50.

        Args:
            recordings: for each question, how many samples were right, and the counts of the
                distinct wrong answers; unreadable samples left out.

        Raises:
            ValueError: when there is no recording with a sample.
        """
        questions = [(right, tuple(wrong)) for right, wrong in recordings if right + sum(wrong)]
        if not questions:
            raise ValueError("recordings must hold at least one question with an answer, got none")
        a, b = _fit_beta(Counter((right, sum(wrong)) for right, wrong in questions))
        return cls(a, b, _fit_gamma([wrong for _, wrong in questions if sum(wrong) > 1]))


def _fit_beta(questions: Counter[tuple[int, int]]) -> tuple[float, float]:
    """Maximise the beta-binomial likelihood over mean and weight in turn.

    The two are nearly independent, so that a few rounds of one-dimensional searches converge.
    """

    def log_likelihood(log_odds: float, log_weight: float) -> float:
        a, b = _beta_parameters(log_odds, log_weight)
        prior = _log_beta(a, b)
        return math.fsum(
            times * (_log_beta(a + right, b + wrong) - prior)
            for (right, wrong), times in questions.items()
        )

    log_odds = log_weight = 0.0
    for _ in range(8):
        before = log_weight
        log_odds = _maximise(lambda value, at=log_weight: log_likelihood(value, at), -6, 6)
        log_weight = _maximise(lambda value, at=log_odds: log_likelihood(at, value), -4, 5)
        if abs(log_weight - before) < 1e-3:
            break
    return _beta_parameters(log_odds, log_weight)


def _beta_parameters(log_odds: float, log_weight: float) -> tuple[float, float]:
    mean, weight = 1 / (1 + math.exp(-log_odds)), math.exp(log_weight)
    return _bounded(mean * weight), _bounded((1 - mean) * weight)


def _fit_gamma(partitions: Sequence[Sequence[int]]) -> float:
    """Where as many distinct wrong answers are expected as were seen, by bisection of log gamma."""
    if not partitions:
        return AnswerPrior().gamma
    seen = sum(sum(1 for count in counts if count) for counts in partitions)
    at_least = Counter(draw for counts in partitions for draw in range(sum(counts)))
    low, high = math.log(_LEAST), math.log(_MOST)
    for _ in range(40):
        middle = (low + high) / 2
        gamma = math.exp(middle)
        expected = math.fsum(times * gamma / (gamma + draw) for draw, times in at_least.items())
        low, high = (middle, high) if expected < seen else (low, middle)
    return _bounded(math.exp((low + high) / 2))


def _maximise(function: Callable[[float], float], low: float, high: float) -> float:
    """Golden-section search for the maximum of a function with one peak, to 1e-4."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-4:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _bounded(value: float) -> float:
    return min(max(value, _LEAST), _MOST)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
