"""What a selection is, and those that go by votes, scores and given rankings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from tscale_graph.candidates import Candidate


@dataclass(frozen=True, slots=True)
class Group:
    """The candidates that gave the same answer.

    Attributes:
        key: what their answers have in common.
        candidates: at least one, by index.
    """

    key: str
    candidates: tuple[Candidate, ...]

    @property
    def votes(self) -> int:
        """How many candidates gave this answer."""
        return len(self.candidates)

    @property
    def passed(self) -> bool:
        """Whether a verifier passed them: where it contradicts itself, at least half of them."""
        return self.passes_ahead >= 0 and any(map(has_passed, self.candidates))

    @property
    def passes_ahead(self) -> int:
        """How many more of them a verifier passed than it failed."""
        decided = [c.verdict.passed for c in self.candidates if c.verdict]
        return decided.count(True) - decided.count(False)

    @property
    def best_score(self) -> float:
        """The highest score of any of them."""
        return max(score(candidate) for candidate in self.candidates)

    @property
    def summed_score(self) -> float:
        """The sum of their scores."""
        # Summed exactly, or the winner of a near tie would hang on the order of addition.
        return math.fsum(score(candidate) for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Weighing:
    """What a selection makes of the answers; sequences run beside the groups that it was given.

    Attributes:
        weights: the higher, the better; finite.
        kept: whether the answer is in the running; one that is not ranks after all that are.
        within: a weight for each candidate of each group, or None to go by scores alone.
        passed_first: an answer that a verifier passed beats any that none passed.
        counted: what the lead is counted in, where one more sample adds at most 1 to one answer
            and takes nothing from another; None where a single sample can change the winner.
        ties: what decides between answers of equal weight before their scores do, higher first.
        notes: what was decided on the user's behalf.
    """

    weights: tuple[float, ...]
    kept: tuple[bool, ...] | None = None
    within: tuple[tuple[float, ...], ...] | None = None
    passed_first: bool = True
    counted: tuple[float, ...] | None = None
    ties: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()


@runtime_checkable
class Selection(Protocol):
    """A way to choose among answers."""

    @property
    def name(self) -> str:
        """The selection's name, as users write it."""
        ...

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """Weigh the answers.

        Args:
            groups: at least one, by the index of their first candidates.
        """
        ...


@dataclass(frozen=True, slots=True)
class Majority:
    """The answer with the most votes (Wang et al. 2022, arXiv:2203.11171).

    Attributes:
        ties: which of the answers with equally many votes wins: "earliest" goes by their scores
            and then by which was given first, "shortest" takes that of the shortest sample, in
            output tokens, its reasoning included (Hassid et al. 2025, arXiv:2505.17813).
    """

    ties: Literal["earliest", "shortest"] = "earliest"
    name: str = "majority"

    def __post_init__(self) -> None:
        if self.ties not in ("earliest", "shortest"):
            raise ValueError(f'ties must be "earliest" or "shortest", got {self.ties!r}')

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By votes."""
        votes = tuple(float(group.votes) for group in groups)
        shortest = tuple(-min(_length(c) for c in group.candidates) for group in groups)
        return Weighing(votes, counted=votes, ties=shortest if self.ties == "shortest" else None)


@dataclass(frozen=True, slots=True)
class Max:
    """The best-scored candidate: plain best-of-N.

    With an imperfect scorer its accuracy falls again as N grows: more samples find more of the
    scorer's mistakes (Gao et al. 2022, arXiv:2210.10760).
    """

    name: str = "max"

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the best score; where that is a full 1, more samples can only break the tie."""
        best = tuple(group.best_score for group in groups)
        decides = any_decided(groups)
        full = any(group.best_score == 1 and (group.passed or not decides) for group in groups)
        summed = tuple(group.summed_score for group in groups)
        return Weighing(best, counted=summed if full else None)


@dataclass(frozen=True, slots=True)
class Weighted:
    """The answer with the largest sum of scores (Li et al. 2022, arXiv:2206.02336).

    A verifier that decides is believed by default: what it passed beats what it failed, however
    many samples gave that. So an exact verifier never loses to a crowd, and of several answers
    that passed, by mistake or not, the one with more samples wins. Equal answers share one
    verdict, so its mistakes don't average out over samples: where the verifier is known to
    be wrong at times, say how often it is right, and a failed answer that many samples
    gave can beat a passed one that few did.

    Attributes:
        trust: how often a verdict is right, in (0.5, 1]. A score s counts as
            trust × s + (1 - trust) × (1 - s), its chance of being right; below 1, nothing
            beats votes for having passed alone.
    """

    trust: float = 1.0
    name: str = "weighted"

    def __post_init__(self) -> None:
        if not 0.5 < self.trust <= 1:
            raise ValueError(f"trust must be above 0.5 and at most 1, got {self.trust}")

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the sum of scores."""
        summed = tuple(
            math.fsum(self._chance(score(c)) for c in group.candidates) for group in groups
        )
        return Weighing(summed, passed_first=self.trust == 1, counted=summed)

    def _chance(self, said: float) -> float:
        return said if self.trust == 1 else self.trust * said + (1 - self.trust) * (1 - said)


@dataclass(frozen=True, slots=True)
class BestOfMajority:
    """The best score among the answers that are frequent enough.

    Best-of-Majority (arXiv:2510.03199). A rare answer can't win by one mistake of the scorer;
    for the same reason none wins for having passed alone.

    Attributes:
        threshold: share of the most frequent answer's votes that an answer needs, in [0, 1]:
            0 is `max`, 1 the majority with ties broken by score.
    """

    threshold: float = 0.5
    name: str = "best_of_majority"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must be between 0 and 1, got {self.threshold}")

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the best score, of those with enough votes."""
        needed = self.threshold * max(group.votes for group in groups)
        return Weighing(
            tuple(group.best_score for group in groups),
            kept=tuple(group.votes >= needed for group in groups),
            passed_first=False,
        )


@dataclass(frozen=True, slots=True)
class Ranked:
    """The candidate that a ranking puts first, whatever made it.

    For what a model says of the candidates beside each other: universal self-consistency (Chen
    et al. 2023, arXiv:2311.17311), a listwise judge, a tournament. Candidates of equal weight
    are told apart as in every selection.

    Attributes:
        weights: one for each candidate by its index, higher is better; a candidate beyond its
            end ranks after all others.
    """

    weights: tuple[float, ...]
    name: str = "ranked"

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))
        wrong = [weight for weight in self.weights if not math.isfinite(weight)]
        if wrong:
            raise ValueError(f"weights must be finite, got {wrong[0]}")

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """An answer weighs what the best of its candidates does."""
        lowest = min(self.weights, default=0.0)
        within = tuple(
            tuple(
                self.weights[c.index] if c.index < len(self.weights) else lowest
                for c in group.candidates
            )
            for group in groups
        )
        return Weighing(
            tuple(max(weights) for weights in within),
            kept=tuple(
                any(c.index < len(self.weights) for c in group.candidates) for group in groups
            ),
            within=within,
            passed_first=False,
        )


def regroup(values: Sequence[float], groups: Sequence[Group]) -> tuple[tuple[float, ...], ...]:
    """Values of all candidates, group after group, as one row for each group."""
    following = iter(values)
    return tuple(tuple(next(following) for _ in group.candidates) for group in groups)


def score(candidate: Candidate) -> float:
    """What the verifier gave the candidate; 0 without a verdict."""
    return candidate.verdict.score if candidate.verdict else 0.0


def _length(candidate: Candidate) -> float:
    """In tokens, or in characters where they were not counted."""
    written = len(candidate.text) + len(candidate.reasoning)
    return float(candidate.usage.output_tokens or written)


def has_passed(candidate: Candidate) -> bool:
    """Whether a verifier that decides passed the candidate."""
    return bool(candidate.verdict and candidate.verdict.passed)


def any_decided(groups: Sequence[Group]) -> bool:
    """Whether a verifier decided about any of the candidates."""
    return any(
        candidate.verdict is not None and candidate.verdict.passed is not None
        for group in groups
        for candidate in group.candidates
    )
