"""Selection that believes high scores only as far as enough samples bear them out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tscale_graph.votes.selection import Group, Weighing, regroup, score


@dataclass(frozen=True, slots=True)
class Pessimistic:
    """A vote weighted by scores that are cut down where only few samples reach them.

    Inference-time pessimism (Huang et al. 2025, arXiv:2503.21878): samples are accepted in
    proportion to relu((score - level) / beta), with the level set so that the mean is 1. There
    one sample is drawn; here those weights are summed for each answer and the heaviest answer
    wins, which needs no chance. What few samples score highly gains little, so
    mistakes of the scorer don't take over as samples grow; nothing wins for having passed
    alone, so with an exact verifier prefer "weighted".

    Attributes:
        beta: above 0. Towards 0 it is `max`; the larger, the nearer to the majority. Scores
            lie in [0, 1]: from 1 on no sample is left out. Best fitted on questions whose answers
            are known.
    """

    beta: float = 0.5
    name: str = "pessimistic"

    def __post_init__(self) -> None:
        if not (self.beta > 0 and math.isfinite(self.beta)):
            raise ValueError(f"beta must be above 0, got {self.beta}")

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the sum of the weights of an answer's samples."""
        scores = [score(candidate) for group in groups for candidate in group.candidates]
        within = regroup(pessimistic_weights(scores, beta=self.beta), groups)
        return Weighing(
            tuple(math.fsum(members) for members in within), within=within, passed_first=False
        )


def pessimistic_weights(rewards: Sequence[float], *, beta: float) -> tuple[float, ...]:
    """relu((reward - level) / beta) for each reward, with the level at which the mean is 1.

    The mean falls from beyond 1 to 0 as the level rises from the lowest reward less beta to the
    highest reward, so the level is found exactly: among the k highest rewards that stand above
    it, it is (their sum - n × beta) / k.

    >>> pessimistic_weights([1.0, 0.0, 0.0, 0.0], beta=0.25)
    (4.0, 0.0, 0.0, 0.0)

    Args:
        rewards: finite; none gives no weights.
        beta: above 0.
    """
    if not rewards:
        return ()
    ordered, total, level = sorted(rewards, reverse=True), 0.0, 0.0
    for count, reward in enumerate(ordered, start=1):
        total += reward
        level = (total - len(rewards) * beta) / count
        if count == len(ordered) or level >= ordered[count]:
            break
    return tuple(max(0.0, reward - level) / beta for reward in rewards)
