"""Which of several versions of an answer stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tscale_graph.candidates import Candidate
from tscale_graph.votes.selection import Group, Weighing


@dataclass(frozen=True, slots=True)
class BestVersion:
    """The best-scored version, the earliest among equals.

    By the scores of a verifier, whatever it passed: no answer is chosen that it scored below
    another one. Where the model was its own critic, a version that it found nothing wrong with
    comes first; then the answer that most versions gave, so that a revision displaces the first
    answer only where more of them came to it.

    Attributes:
        verified: scores are a verifier's, not the model's own.
        name: as users would write it.
    """

    verified: bool
    name: str = "best_version"

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By scores or by votes; only the best version's answer is kept."""
        best = max(
            ((place, c) for place, group in enumerate(groups) for c in group.candidates),
            key=lambda one: self._merit(groups[one[0]], one[1]),
        )[0]
        return Weighing(
            tuple(g.best_score if self.verified else float(g.votes) for g in groups),
            kept=tuple(place == best for place in range(len(groups))),
            within=tuple(
                tuple(c.verdict.score if c.verdict else -1.0 for c in group.candidates)
                for group in groups
            ),
            passed_first=False,
        )

    def _merit(self, group: Group, candidate: Candidate) -> tuple[float, float, int]:
        verdict = candidate.verdict
        passed = verdict is not None and verdict.passed is True
        if not self.verified:
            return float(passed), float(group.votes), -candidate.index
        return verdict.score if verdict else -1.0, float(passed), -candidate.index
