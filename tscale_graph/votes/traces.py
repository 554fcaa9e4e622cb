"""How sure a model was along one completion, as a whole and as it is written.

The confidence of a group of tokens is the mean over a sliding window (Fu et al. 2025,
arXiv:2508.15260). A token's own confidence is made where log-probabilities are read.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import accumulate

from tscale_graph.candidates import TraceConfidence

DEFAULT_WINDOW = 2048
"""Tokens in a group, in the paper; short completions take a quarter of their length."""


def trace_confidence(
    token_confidences: Sequence[float], *, window: int = DEFAULT_WINDOW
) -> TraceConfidence:
    """How sure a model was in one completion.

    >>> trace_confidence([2.0, 4.0, 1.0, 1.0], window=2).lowest_group
    1.0

    Args:
        token_confidences: one for each token, in order; finite, at least one.
        window: tokens in a group, at least 1; never more than a quarter of the completion,
            rounded up.

    Raises:
        ValueError: for no tokens, one whose confidence is not finite, or a window below 1.
    """
    count = len(token_confidences)
    if not count:
        raise ValueError("token_confidences must have at least one token, got none")
    for confidence in token_confidences:
        _check_finite(confidence)
    size = group_size(count, window=window)
    sums = (0.0, *accumulate(token_confidences))
    groups = [(sums[end] - sums[end - size]) / size for end in range(size, count + 1)]
    least_sure = sorted(groups)[: math.ceil(len(groups) / 10)]
    return TraceConfidence(
        mean=sums[-1] / count,
        lowest_group=least_sure[0],
        bottom_groups=math.fsum(least_sure) / len(least_sure),
        tail=groups[-1],
    )


def group_size(tokens: int, *, window: int = DEFAULT_WINDOW) -> int:
    """Tokens in a group of a completion of so many tokens, both at least 1."""
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    return min(window, math.ceil(tokens / 4))


def warm_up_threshold(confidences: Sequence[float], *, keep: float) -> float:
    """The confidence below which a sample would not have been among the surest `keep`.

    The (1 - keep) quantile of the lowest group confidences of samples that were let run to
    their ends, between two of them in proportion; the paper takes 16.

    >>> warm_up_threshold([1.0, 2.0, 3.0, 4.0, 5.0], keep=0.75)
    2.0

    Raises:
        ValueError: for no confidences, or `keep` outside (0, 1].
    """
    if not confidences:
        raise ValueError("confidences must have at least one sample, got none")
    if not 0 < keep <= 1:
        raise ValueError(f"keep must be above 0 and at most 1, got {keep}")
    ordered = sorted(confidences)
    place = (1 - keep) * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


class RunningConfidence:
    """The confidence of the last group of a completion as it is written.

    Feeding a token costs O(1) on average, whatever the window.

    >>> running = RunningConfidence(threshold=1.5, window=2)
    >>> [running.feed(confidence) for confidence in (1.0, 3.0, 1.0, 1.0)]
    [False, False, False, True]
    """

    def __init__(self, *, threshold: float, window: int = DEFAULT_WINDOW) -> None:
        """Start with no tokens.

        Args:
            threshold: the confidence that no group may fall below; finite.
            window: tokens in a group, at least 1: where completions are short, `group_size` of
                how long they may become.

        Raises:
            ValueError: for a threshold that is not finite, or a window below 1.
        """
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        _check_finite(threshold)
        self._threshold, self._window = threshold, window
        self._group: deque[float] = deque()
        self._sum, self._since_summed = 0.0, 0
        self._fell = False

    @property
    def group(self) -> float | None:
        """The confidence of the last group; None until a whole one has been fed."""
        return self._sum / self._window if len(self._group) == self._window else None

    def feed(self, confidence: float) -> bool:
        """Take one more token in; whether any whole group so far fell below the threshold.

        Raises:
            ValueError: for a confidence that is not finite.
        """
        _check_finite(confidence)
        self._group.append(confidence)
        self._sum += confidence
        if len(self._group) > self._window:
            self._sum -= self._group.popleft()
        self._since_summed += 1
        if self._since_summed >= self._window:  # or rounding errors would add up
            self._sum, self._since_summed = math.fsum(self._group), 0
        group = self.group
        self._fell = self._fell or (group is not None and group < self._threshold)
        return self._fell


def _check_finite(confidence: float) -> None:
    if not math.isfinite(confidence):
        raise ValueError(f"a confidence must be finite, got {confidence}")
