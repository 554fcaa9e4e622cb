"""Many requests, one budget: who gets the next samples.

Greedy in what a sample is expected to gain for its tokens (Damani et al. 2024, arXiv:2410.04707):
a settled request and a hopeless one both gain next to nothing, and get nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tscale_graph.stopping import AnswerPrior
from tscale_graph.stopping.foresight import best_gain_per_sample, probability_right

_HORIZON = 16


@dataclass(frozen=True, slots=True)
class Request:
    """Where one request of a batch stands.

    Attributes:
        counts: votes for each distinct answer, most first; without a verifier.
        samples: taken so far, unreadable ones and those that a verifier failed included.
        tokens: what one more sample is expected to cost, positive.
        most_tokens: the most that it can cost, where a budget must hold for certain; else as
            expected.
        prior: what is believed of its class.
        max_samples: it takes no more than so many.
        verified: an exact verifier checks each sample, so one that passes ends the request.
        passed: one has passed.
        value: of a right answer, positive; requests that matter more are worth more samples.
    """

    counts: tuple[int, ...] = ()
    samples: int = 0
    tokens: float = 1.0
    most_tokens: float | None = None
    prior: AnswerPrior = field(default_factory=AnswerPrior)
    max_samples: int = 40
    verified: bool = False
    passed: bool = False
    value: float = 1.0

    def __post_init__(self) -> None:
        if not self.tokens > 0:
            raise ValueError(f"tokens must be positive, got {self.tokens}")
        if self.most_tokens is not None and self.most_tokens < self.tokens:
            raise ValueError(
                f"most_tokens must be at least tokens, {self.tokens}, got {self.most_tokens}"
            )
        if not self.value > 0:
            raise ValueError(f"value must be positive, got {self.value}")
        if self.samples < sum(self.counts):
            raise ValueError(
                f"samples must be at least the {sum(self.counts)} votes, got {self.samples}"
            )

    @property
    def lease(self) -> float:
        """What a sample is granted, in tokens."""
        return self.tokens if self.most_tokens is None else self.most_tokens

    @property
    def gain(self) -> float:
        """What a further sample is worth: value times P(right), for each expected token.

        Without a verifier the best rate over 1, 2, 4, … further samples counts, because a single
        vote rarely changes the winner. With one, after f failures the next passes with chance
        a / (a + b + f).
        """
        left = self.max_samples - self.samples
        if left <= 0 or self.passed:
            return 0.0
        if self.verified:
            prior = self.prior
            gain = prior.a / (prior.a + prior.b + self.samples)
        else:
            first, second, *_ = (*self.counts[:2], 0, 0)
            if first - second > left:
                return 0.0
            votes = sum(self.counts)
            readable = (votes + 1) / (self.samples + 1)
            horizon = 1 << (min(left, _HORIZON).bit_length() - 1)
            gain = readable * best_gain_per_sample(
                groups_of(self.counts), horizon=horizon, prior=self.prior
            )
        return self.value * gain / self.tokens

    def best_wave(self, *, prompt: float) -> tuple[int, float]:
        """How many samples to ask for in one request, and what that gains for each token.

        A request for several pays for its prompt once, so a few at a time gain more for their
        tokens than one; too many are taken in vain. `tokens` are those of one sample, without the
        prompt.

        Args:
            prompt: tokens of the prompt, at least 0.
        """
        left = self.max_samples - self.samples
        if left <= 0 or self.passed:
            return 0, 0.0
        now, readable = 0.0, 1.0
        if not self.verified:
            first, second, *_ = (*self.counts[:2], 0, 0)
            if first - second > left:
                return 0, 0.0
            votes = sum(self.counts)
            readable = (votes + 1) / (self.samples + 1)
            groups = groups_of(self.counts)
            now = probability_right(groups, more=0, prior=self.prior) if groups else 0.0
        best, rate, wave = 0, 0.0, 1
        while wave <= min(left, _HORIZON):
            gain = self._gain_of(wave) - now
            here = self.value * readable * gain / (prompt + wave * self.tokens)
            if here > rate:
                best, rate = wave, here
            wave *= 2
        return best, rate

    def _gain_of(self, wave: int) -> float:
        """P(right) after so many more samples; with a verifier, P(one of them passes)."""
        if self.verified:
            return 1 - self._all_fail(wave)
        return probability_right(groups_of(self.counts), more=wave, prior=self.prior)

    def gain_after(self, granted: int) -> float:
        """The same for a sample beyond so many that are granted and have not come back."""
        if not granted:
            return self.gain
        if self.samples + granted >= self.max_samples or self.passed:
            return 0.0
        if self.verified:
            # The next one matters only where those granted all fail.
            return replace(self, samples=self.samples + granted).gain * self._all_fail(granted)
        more = granted + 1
        groups = groups_of(self.counts)
        now = probability_right(groups, more=granted, prior=self.prior)
        then = probability_right(groups, more=more, prior=self.prior)
        # A single vote breaks ties or makes them, so the step is taken over two.
        if self.samples + more < self.max_samples:
            then = max(then, (now + probability_right(groups, more=more + 1, prior=self.prior)) / 2)
        return self.value * max(0.0, then - now) / self.tokens

    def _all_fail(self, granted: int) -> float:
        chance = 1.0
        for more in range(granted):
            failures = self.samples + more
            chance *= (self.prior.b + failures) / (self.prior.a + self.prior.b + failures)
        return chance


def allocate(
    requests: Sequence[Request], *, tokens: float, parallel: int | None = None
) -> tuple[int, ...]:
    """How many samples each request gets next.

    Asked again when samples have come back, it sends the next ones where they are worth most by
    then; the fewer at a time, the better it knows. What is granted never costs more than
    `tokens`, as long as no sample costs more than its lease.

    Args:
        requests: where they stand.
        tokens: what is left of the shared budget, at least 0.
        parallel: the most samples to grant at once, at least 1; None grants until the budget is
            gone or nothing gains any more.

    Raises:
        ValueError: for numbers out of range.
    """
    _check(tokens, parallel)
    granted = [0] * len(requests)
    heap = [(-request.gain, place) for place, request in enumerate(requests)]
    heapq.heapify(heap)
    total = 0
    while heap and (parallel is None or total < parallel):
        gain, place = heapq.heappop(heap)
        request = requests[place]
        if gain == 0:
            break
        if request.lease > tokens:
            continue
        granted[place] += 1
        total += 1
        tokens -= request.lease
        heapq.heappush(heap, (-request.gain_after(granted[place]), place))
    return tuple(granted)


def allocate_waves(
    requests: Sequence[tuple[Request, float]], *, tokens: float, parallel: int
) -> tuple[int, ...]:
    """How many samples each request gets next, in one request to the provider.

    Args:
        requests: where they stand, and the tokens of their prompts.
        tokens: what is left of the shared budget, as it is expected to be spent.
        parallel: the most samples to grant at once, at least 1.

    Raises:
        ValueError: for numbers out of range.
    """
    _check(tokens, parallel)
    granted = [0] * len(requests)
    waves = [request.best_wave(prompt=prompt) for request, prompt in requests]
    order = sorted(range(len(requests)), key=lambda place: -waves[place][1])
    for place in order:
        samples, rate = waves[place]
        request, prompt = requests[place]
        cost = prompt + samples * request.tokens
        if not rate or parallel <= 0:
            break
        if cost <= tokens:
            granted[place] = min(samples, parallel)
            parallel -= granted[place]
            tokens -= cost
    return tuple(granted)


def _check(tokens: float, parallel: int | None) -> None:
    if not tokens >= 0:
        raise ValueError(f"tokens must be at least 0, got {tokens}")
    if parallel is not None and parallel < 1:
        raise ValueError(f"parallel must be at least 1, got {parallel}")


def groups_of(counts: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(votes, how many answers have so many), most votes first.

    >>> groups_of((3, 1, 1))
    ((3, 1), (1, 2))
    """
    return tuple(Counter(counts).items())
