"""The one entrance: which candidate stands for the run."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tscale_graph.answers import AnswerKind
from tscale_graph.answers.tool_calls import OrToolCalls
from tscale_graph.candidates import Candidate, Tally
from tscale_graph.votes.naming import selection
from tscale_graph.votes.selection import (
    Group,
    Selection,
    Weighing,
    any_decided,
    has_passed,
    score,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome of a vote or selection.

    Attributes:
        winner: the chosen candidate, or None when there was nothing to choose from.
        tallies: every answer in the running, best first.
        agreement: share of the candidates with an answer that gave the winner's, or None.
        lead: by how much the winning answer leads, where one more sample adds at most 1 to one
            answer; None where a single sample can always change the winner.
        notes: what was decided on the user's behalf.
    """

    winner: Candidate | None
    tallies: tuple[Tally, ...]
    agreement: float | None
    lead: float | None = None
    notes: tuple[str, ...] = ()


def read_answers(
    candidates: Sequence[Candidate], kind: AnswerKind, known: Mapping[int, str] | None = None
) -> list[Candidate]:
    """The candidates with `answer` filled in from their text; failed ones stay without.

    So do those that the kind, which may be a function of the user's, raises on: with a note.

    Args:
        candidates: in any order.
        kind: how to read them.
        known: answers that were read before, by the index of their candidates.
    """
    known = known or {}
    return [
        candidate if candidate.error else _read(candidate, kind, known.get(candidate.index))
        for candidate in candidates
    ]


def _read(candidate: Candidate, kind: AnswerKind, known: str | None) -> Candidate:
    if known is not None:
        return candidate.model_copy(update={"answer": known})
    if candidate.tool_calls and isinstance(kind, OrToolCalls):
        return _read_calls(candidate, kind)
    try:
        answer = kind.extract(candidate.text, truncated=candidate.truncated)
    except Exception as error:  # noqa: BLE001 - one text that cannot be read is one sample
        note = f"its answer could not be read: {type(error).__name__}: {error}"
        return candidate.model_copy(update={"notes": [*candidate.notes, note]})
    return candidate.model_copy(update={"answer": answer})


def _read_calls(candidate: Candidate, kind: OrToolCalls) -> Candidate:
    """Of calls that were cut short nobody knows how they would have gone on."""
    answer = None if candidate.truncated else kind.calls(candidate.tool_calls)
    if answer is None:
        note = "its tool calls could not be read"
        return candidate.model_copy(update={"notes": [*candidate.notes, note]})
    return candidate.model_copy(update={"answer": answer})


def choose(
    candidates: Sequence[Candidate],
    kind: AnswerKind,
    *,
    select: str | Selection,
    seed: int | None = None,
) -> Choice:
    """Pick one candidate whose answer stands for the run.

    A candidate that failed, was discarded or has no answer neither votes nor wins. Answers of
    equal weight go by what the selection says of ties, then to the higher summed score, then to
    more votes, then to a draw or to the earlier sample. Of the samples that gave the winning
    answer, one that passed comes first, then the one that the selection weighs most, the
    best-scored, one that is whole, the earliest.

    Args:
        candidates: with `answer` filled in, in any order.
        kind: says which answers are the same.
        select: a selection, or the name of one.
        seed: draws among answers that are still tied, by a generator seeded with it and with
            those answers; None takes the earliest.

    Raises:
        ValueError: for an unknown selection; the message lists the names.
    """
    rule = selection(select)
    groups = _group(candidates, kind)
    if not groups:
        return Choice(None, (), None)
    weighing = rule.weigh(groups)
    order = _ranked(groups, weighing, seed)
    first = order[0]
    within = weighing.within[first] if weighing.within else None
    tallies = tuple(
        Tally(
            answer=groups[place].candidates[0].answer or "",
            count=groups[place].votes,
            weight=weighing.weights[place],
        )
        for place in order
    )
    return Choice(
        winner=_winner(groups[first], within),
        tallies=tallies,
        agreement=groups[first].votes / sum(group.votes for group in groups),
        lead=_lead(groups, weighing, first),
        notes=weighing.notes,
    )


def count_votes(candidates: Sequence[Candidate], kind: AnswerKind) -> tuple[int, ...]:
    """How many candidates gave each distinct answer, most first."""
    return tuple(sorted((group.votes for group in _group(candidates, kind)), reverse=True))


def finalists(
    candidates: Sequence[Candidate], kind: AnswerKind, *, at_most: int
) -> list[Candidate]:
    """One candidate for each of the answers that most samples gave, best first.

    Args:
        candidates: with `answer` filled in, in any order.
        kind: says which answers are the same.
        at_most: how many, at least 1.
    """
    groups = sorted(
        _group(candidates, kind), key=lambda g: (not g.passed, -g.votes, -g.summed_score)
    )
    return [_winner(group, None) for group in groups[:at_most]]


def _group(candidates: Sequence[Candidate], kind: AnswerKind) -> list[Group]:
    groups: dict[str, list[Candidate]] = {}
    keys: dict[str, str] = {}  # to read an answer costs more than all the rest
    for candidate in sorted(candidates, key=lambda c: c.index):
        answer = candidate.answer
        if answer is None or candidate.error or candidate.discarded is not None:
            continue
        if answer not in keys:
            keys[answer] = kind.key(answer)
        groups.setdefault(keys[answer], []).append(candidate)
    return [Group(key, tuple(members)) for key, members in groups.items()]


def _ranked(groups: Sequence[Group], weighing: Weighing, seed: int | None) -> list[int]:
    """The places of the groups, best first."""

    def merit(place: int) -> tuple[bool, bool, float, float, float, int]:
        group = groups[place]
        return (
            weighing.passed_first and not group.passed,
            weighing.kept is not None and not weighing.kept[place],
            -weighing.weights[place],
            -weighing.ties[place] if weighing.ties else 0.0,
            -group.summed_score,
            -group.votes,
        )

    merits = [merit(place) for place in range(len(groups))]
    order = sorted(range(len(groups)), key=lambda place: merits[place])  # stable: earliest first
    tied = [place for place in order if merits[place] == merits[order[0]]]
    if seed is None or len(tied) == 1:
        return order
    # With the answers in the seed, and in an order of their own, the draw depends neither on
    # when they were given nor, from one question to the next, on the place in that order.
    keys = sorted(groups[place].key for place in tied)
    drawn = random.Random(repr((seed, keys))).choice(keys)
    first = next(place for place in tied if groups[place].key == drawn)
    return [first, *(place for place in order if place != first)]


def _winner(group: Group, within: Sequence[float] | None) -> Candidate:
    weights = within or (0.0,) * group.votes
    _, winner = min(
        zip(weights, group.candidates, strict=True),
        key=lambda weighed: (
            not has_passed(weighed[1]),
            -weighed[0],
            -score(weighed[1]),
            weighed[1].truncated,
            not weighed[1].tool_calls,
            weighed[1].index,
        ),
    )
    return winner


def _lead(groups: Sequence[Group], weighing: Weighing, first: int) -> float | None:
    counted = weighing.counted
    if counted is None:
        return None
    others = (counted[place] for place in range(len(groups)) if place != first)
    lead = max(0.0, counted[first] - max(others, default=0.0))
    if not (weighing.passed_first and any_decided(groups)):
        return lead
    # One sample of another answer may pass; and so many of this one may yet be failed.
    return min(lead, groups[first].passes_ahead + 1) if groups[first].passed else None
