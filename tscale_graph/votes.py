"""Choosing among candidates: votes and selections, pure functions of the candidates.

Ties are broken by the higher summed score, then by the earlier sample, never by the order of a
dictionary; so the choice does not depend on which call came back first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.answers import AnswerKind
from tscale_graph.candidates import Candidate, Tally

Selection = Literal["majority", "max", "weighted"]
SELECTIONS: tuple[Selection, ...] = ("majority", "max", "weighted")
"""The names of the ways to choose."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome of a vote or selection.

    Attributes:
        winner: the chosen candidate, or None when there was nothing to choose from.
        tallies: every answer in the running, best first.
        agreement: share of the candidates with an answer that gave the winner's, or None.
    """

    winner: Candidate | None
    tallies: tuple[Tally, ...]
    agreement: float | None


def read_answers(candidates: Sequence[Candidate], kind: AnswerKind) -> list[Candidate]:
    """The candidates with `answer` filled in from their text; failed ones stay without."""
    return [
        candidate
        if candidate.error
        else candidate.model_copy(
            update={"answer": kind.extract(candidate.text, truncated=candidate.truncated)}
        )
        for candidate in candidates
    ]


def choose(candidates: Sequence[Candidate], kind: AnswerKind, *, select: Selection) -> Choice:
    """Pick one candidate whose answer stands for the run.

    * `majority`: the answer with the most votes (Wang et al. 2022, arXiv:2203.11171); its
      best-scored, then earliest sample.
    * `max`: the best-scored candidate; equal scores go to the answer with more votes.
    * `weighted`: the answer with the largest sum of scores (Li et al. 2022, arXiv:2206.02336),
      and of its samples the best-scored.

    A candidate that a verifier passed beats any that none passed, however many those are.

    Args:
        candidates: with `answer` filled in; those without one neither vote nor win.
        kind: says which answers are the same.
        select: "majority", "max" or "weighted".
    """
    running = [candidate for candidate in candidates if candidate.answer is not None]
    groups = _group(running, kind)
    if not groups:
        return Choice(None, (), None)
    weigh = {"majority": _votes, "max": _best_score, "weighted": _summed_score}[select]
    ranked = sorted(
        groups,
        key=lambda group: (
            not _passed(group),
            -weigh(group),
            -_summed_score(group),
            -len(group),
            group[0].index,
        ),
    )
    winner = min(
        ranked[0],
        key=lambda candidate: (
            not _has_passed(candidate),
            -_score(candidate),
            candidate.truncated,
            candidate.index,
        ),
    )
    tallies = tuple(
        Tally(answer=group[0].answer or "", count=len(group), weight=weigh(group))
        for group in ranked
    )
    return Choice(winner, tallies, len(ranked[0]) / len(running))


def count_votes(candidates: Sequence[Candidate], kind: AnswerKind) -> tuple[int, ...]:
    """How many candidates gave each distinct answer, most first."""
    running = [candidate for candidate in candidates if candidate.answer is not None]
    return tuple(sorted((len(group) for group in _group(running, kind)), reverse=True))


def _group(candidates: Sequence[Candidate], kind: AnswerKind) -> list[list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.index):
        groups.setdefault(kind.key(candidate.answer or ""), []).append(candidate)
    return list(groups.values())


def _score(candidate: Candidate) -> float:
    return candidate.verdict.score if candidate.verdict else 0.0


def _has_passed(candidate: Candidate) -> bool:
    return bool(candidate.verdict and candidate.verdict.passed)


def _passed(group: Sequence[Candidate]) -> bool:
    return any(_has_passed(candidate) for candidate in group)


def _votes(group: Sequence[Candidate]) -> float:
    return float(len(group))


def _best_score(group: Sequence[Candidate]) -> float:
    return max(_score(candidate) for candidate in group)


def _summed_score(group: Sequence[Candidate]) -> float:
    # Summed exactly, or the winner of a near tie would hang on the order of addition.
    return math.fsum(_score(candidate) for candidate in group)
