"""The versions of a run as a tree to look at: each below the one that it revises."""

from __future__ import annotations

from collections.abc import Sequence

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate
from tscale_graph.search_trees import SearchTree, TreeNode
from tscale_graph.search_trees.record import Status


def tree_of_versions(
    candidates: Sequence[Candidate],
    *,
    bases: Sequence[int | None],
    question: str,
    winner: int | None,
    usage: Usage,
) -> SearchTree:
    """A tree of versions, the question at its root.

    Args:
        candidates: every version, by index.
        bases: of each index, that of the version which it revises, or None.
        question: what was asked.
        winner: the index of the version that stands, or None.
        usage: of the whole run, verdicts included.
    """
    rows = {candidate.index: row for row, candidate in enumerate(candidates, start=1)}
    parents = [0] + [_row(rows, bases[candidate.index]) for candidate in candidates]
    scores = [None] + [c.verdict.score if c.verdict else None for c in candidates]
    depths, visits, sums = [0] * len(parents), [0] * len(parents), [0.0] * len(parents)
    for row in range(1, len(parents)):
        depths[row] = depths[parents[row]] + 1
    for row in range(len(parents) - 1, -1, -1):
        score = scores[row]
        if score is not None:
            visits[row] += 1
            sums[row] += score
        if row:
            visits[parents[row]] += visits[row]
            sums[parents[row]] += sums[row]
    made = [
        TreeNode(
            index=row,
            parent=parents[row],
            depth=depths[row],
            status=_status(candidate),
            score=scores[row],
            visits=visits[row],
            value=_mean(sums[row], visits[row]),
            text=candidate.text,
            note=_note(candidate),
            usage=candidate.usage,
        )
        for row, candidate in enumerate(candidates, start=1)
    ]
    root = TreeNode(
        index=0,
        parent=None,
        depth=0,
        status="open",
        visits=visits[0],
        value=_mean(sums[0], visits[0]),
        text=question,
    )
    best = None if winner is None else rows[winner]
    return SearchTree(
        technique="refine", question=question, nodes=[root, *made], best=best, usage=usage
    )


def _row(rows: dict[int, int], base: int | None) -> int:
    return 0 if base is None else rows[base]


def _status(candidate: Candidate) -> Status:
    return "failed" if candidate.error or candidate.answer is None else "open"


def _note(candidate: Candidate) -> str:
    if candidate.error:
        return candidate.error
    if candidate.answer is None:
        return "there is no answer in the text"
    return candidate.verdict.feedback if candidate.verdict else "; ".join(candidate.notes)


def _mean(total: float, count: int) -> float | None:
    return min(1.0, total / count) if count else None
