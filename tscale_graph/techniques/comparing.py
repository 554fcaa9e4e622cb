"""Closing calls that compare answers two at a time: a knock-out, or everyone against everyone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.techniques.closing import Closed
from tscale_graph.verifiers.judges import Comparison, PairwiseJudge
from tscale_graph.votes import Bracket, Match, bradley_terry


@dataclass(frozen=True, slots=True)
class Tournament:
    """A knock-out of pairwise comparisons (Chen et al. 2024, arXiv:2411.19477).

    n finalists take n - 1 matches in about log2(n) rounds.

    Attributes:
        judge: compares two answers, in both orders.
        at_most: finalists, at least 2.
        comparisons: how often each pair is compared, at least 1.
    """

    judge: PairwiseJudge
    at_most: int = 8
    comparisons: int = 1
    distinct: bool = True
    name: str = "tournament"

    def __post_init__(self) -> None:
        _check_counts(at_most=self.at_most, comparisons=self.comparisons)

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """Two calls for each comparison."""
        calls = 2 * self.comparisons * (finalists - 1)
        size = self.judge.call_size(question, "", "")
        return size.cost(calls=calls, more_prompt_tokens=2 * answer_tokens)

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        priors: Sequence[float],
        lease: Budget,
        rng: random.Random,
        deadline: float | None,
    ) -> Closed:
        """By the rounds that each was in; a match that could not be judged goes by the priors."""
        bracket = Bracket.of(
            range(len(answers)),
            priors=dict(enumerate(priors)),
            comparisons=self.comparisons,
            seed=rng.getrandbits(32),
        )
        spent, notes = Usage(), list[str]()
        while bracket.winner is None:
            outcomes = await _compare(
                self.judge,
                question,
                answers,
                [m for m in bracket.pending() for _ in range(self.comparisons)],
                lease=lease,
                spent=spent,
                deadline=deadline,
            )
            spent += outcomes.usage
            notes += outcomes.notes
            bracket = bracket.told(outcomes.wins)
        won = bracket.rounds_won
        weights = tuple(float(won[place]) for place in range(len(answers)))
        return Closed(weights, spent, _once(self.name, notes))


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Every finalist against every other, ranked by Bradley–Terry strengths.

    n finalists take n (n - 1) / 2 matches, all side by side (Bradley and Terry 1952,
    Biometrika 39(3/4)).

    Attributes:
        judge: compares two answers, in both orders.
        at_most: finalists, at least 2.
    """

    judge: PairwiseJudge
    at_most: int = 6
    distinct: bool = True
    name: str = "bradley_terry"

    def __post_init__(self) -> None:
        _check_counts(at_most=self.at_most)

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """Two calls for each pair."""
        size = self.judge.call_size(question, "", "")
        calls = finalists * (finalists - 1)
        return size.cost(calls=calls, more_prompt_tokens=2 * answer_tokens)

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        priors: Sequence[float],
        lease: Budget,
        rng: random.Random,
        deadline: float | None,
    ) -> Closed:
        """By strength; a comparison that could not be made counts one half for each."""
        matches = [Match(first, second) for first, second in combinations(range(len(answers)), 2)]
        outcomes = await _compare(
            self.judge,
            question,
            answers,
            matches,
            lease=lease,
            spent=Usage(),
            deadline=deadline,
        )
        wins: dict[tuple[int, int], float] = {}
        for match, won in outcomes.wins.items():
            wins[match.first, match.second] = won
            wins[match.second, match.first] = 1 - won
        strengths = bradley_terry(wins, count=len(answers))
        weights = tuple(round(strength, _DIGITS) for strength in strengths)
        return Closed(weights, outcomes.usage, _once(self.name, outcomes.notes))


_DIGITS = 6
"""Strengths that differ by less are equal: they come from an iteration."""


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Of each match how many comparisons its first entrant won, a tie counting one half."""

    wins: Mapping[Match, float]
    usage: Usage
    notes: Sequence[str]


async def _compare(
    judge: PairwiseJudge,
    question: str,
    answers: Sequence[str],
    matches: Sequence[Match],
    *,
    lease: Budget,
    spent: Usage,
    deadline: float | None,
) -> _Outcomes:
    """Make all comparisons side by side, each with an equal part of what is left."""
    remaining = lease.remaining(spent)
    wins = dict.fromkeys(matches, 0.0)
    try:
        leases = Budget.model_validate(remaining.model_dump()).split(len(matches))
    except ValueError:
        for match in matches:
            wins[match] += 0.5
        return _Outcomes(wins, Usage(), ["too little was left of the budget to compare"])
    outcomes = await asyncio.gather(
        *(
            judge.compare(
                question, answers[match.first], answers[match.second], lease=part, deadline=deadline
            )
            for match, part in zip(matches, leases, strict=True)
        ),
        return_exceptions=True,
    )
    usage, notes = Usage(), list[str]()
    for match, outcome in zip(matches, outcomes, strict=True):
        if isinstance(outcome, Comparison):
            wins[match] += {0: 1.0, 1: 0.0, None: 0.5}[outcome.winner]
            usage += outcome.usage
        elif isinstance(outcome, VerifierError):
            wins[match] += 0.5
            usage += outcome.usage
            notes.append(str(outcome))
        else:
            raise outcome
    return _Outcomes(wins, usage, notes)


def _once(name: str, notes: Sequence[str]) -> tuple[str, ...]:
    if not notes:
        return ()
    several = f" ({len(notes)} times)" if len(notes) > 1 else ""
    return (f"{name}: {notes[-1]}{several}",)


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        least = 2 if name == "at_most" else 1
        if isinstance(count, bool) or count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
