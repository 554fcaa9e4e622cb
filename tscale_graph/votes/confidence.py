"""Votes weighted by how sure the model was of each sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tscale_graph.candidates import Candidate
from tscale_graph.votes.selection import Group, Weighing

TraceMeasure = Literal["lowest_group", "bottom_groups", "tail", "mean"]


@dataclass(frozen=True, slots=True)
class LogprobVote:
    """A vote weighted by the mean log-probability of each sample's tokens.

    Confidence-informed self-consistency (Taubenfeld et al. 2025, arXiv:2502.06233): weights are
    softmax(confidence / temperature) over the samples of one question, so only how samples of
    the same question compare matters. A sample without log-probabilities weighs what the others
    do on average; when all are without, every vote counts the same, and a note says so.

    Attributes:
        temperature: above 0. At 1 a sample weighs as the geometric mean of its tokens'
            probabilities; towards 0 the surest sample decides alone; large, votes are equal.
    """

    temperature: float = 1.0
    name: str = "logprob"

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the sum of the weights of an answer's samples."""
        return _softmax_vote(
            groups, lambda c: c.mean_logprob, self.temperature, lacking="log-probabilities"
        )


@dataclass(frozen=True, slots=True)
class StatedConfidenceVote:
    """A vote weighted by how sure the model says it is of each sample.

    As `LogprobVote`, with the confidence in [0, 1] that the model was asked for.

    Attributes:
        temperature: above 0. At 0.5 a sample stated as certain weighs e² = 7.4 times one
            stated as impossible. Best fitted on questions whose answers are known.
    """

    temperature: float = 0.5
    name: str = "stated_confidence"

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the sum of the weights of an answer's samples."""
        return _softmax_vote(
            groups, lambda c: c.stated_confidence, self.temperature, lacking="a stated confidence"
        )


@dataclass(frozen=True, slots=True)
class DeepConf:
    """A vote among the surest samples, weighted by how sure they are.

    Deep Think with Confidence (Fu et al. 2025, arXiv:2508.15260). Samples whose
    confidence is not known are kept, and weigh what the kept ones do on average; when none is
    known, every vote counts the same, and a note says so.

    Attributes:
        keep: share of the samples that vote, the surest, in (0, 1]; the paper's two settings
            are 0.9 and 0.1. As many as that rounds up to, and all that are as sure as the last.
        measure: of a sample, which confidence: that of its least sure group of tokens, the mean
            over the least sure tenth of groups, that of the last group, or the mean of all.
        online: whether samples after the warm-up are cut off as soon as a group of their tokens
            is less sure than the warm-up's `keep` quantile; those that are take no part.
        warm_up: samples that are let run to their ends first, at least 1.
    """

    keep: float = 0.9
    measure: TraceMeasure = "lowest_group"
    online: bool = False
    warm_up: int = 16
    name: str = "deepconf"

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep must be above 0 and at most 1, got {self.keep}")
        if self.measure not in get_args(TraceMeasure):
            names = ", ".join(get_args(TraceMeasure))
            raise ValueError(f"measure must be one of {names}, got {self.measure!r}")
        if self.warm_up < 1:
            raise ValueError(f"warm_up must be at least 1, got {self.warm_up}")

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the sum of the confidences of an answer's samples that are kept."""
        confidences = [[self._confidence(c) for c in group.candidates] for group in groups]
        known = sorted((x for row in confidences for x in row if x is not None), reverse=True)
        if not known:
            return _equal_votes(groups, lacking="log-probabilities of likely tokens")
        last = known[math.ceil(self.keep * len(known)) - 1]
        kept = [x for x in known if x >= last]
        mean = math.fsum(kept) / len(kept)
        within = tuple(
            tuple(mean if x is None else x if x >= last else 0.0 for x in row)
            for row in confidences
        )
        return Weighing(
            tuple(math.fsum(row) for row in within),
            kept=tuple(any(x is None or x >= last for x in row) for row in confidences),
            within=within,
        )

    def _confidence(self, candidate: Candidate) -> float | None:
        return candidate.confidence and getattr(candidate.confidence, self.measure)


def _softmax_vote(
    groups: Sequence[Group],
    confidence: Callable[[Candidate], float | None],
    temperature: float,
    *,
    lacking: str,
) -> Weighing:
    confidences = [[confidence(c) for c in group.candidates] for group in groups]
    known = [x for row in confidences for x in row if x is not None]
    if not known:
        return _equal_votes(groups, lacking=lacking)
    highest = max(known)

    def unscaled(x: float) -> float:
        return math.exp((x - highest) / temperature)

    mean = math.fsum(map(unscaled, known)) / len(known)
    total = mean * sum(len(row) for row in confidences)
    within = tuple(
        tuple((mean if x is None else unscaled(x)) / total for x in row) for row in confidences
    )
    return Weighing(tuple(math.fsum(row) for row in within), within=within)


def _equal_votes(groups: Sequence[Group], *, lacking: str) -> Weighing:
    votes = tuple(float(group.votes) for group in groups)
    note = f"no sample has {lacking}: every vote counted the same"
    return Weighing(votes, counted=votes, notes=(note,))


def _check_temperature(temperature: float) -> None:
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be above 0, got {temperature}")
