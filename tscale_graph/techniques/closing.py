"""Choosing among the last candidates in calls of its own, once sampling is over.

What a vote or a score cannot tell, a model may tell by looking at answers side by side: which is
most consistent with the others, which ranks first, which wins when two are compared. What
these calls may need is reserved before any sample is granted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol, runtime_checkable

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import Comparison, PairwiseJudge, Ranker
from tscale_graph.votes import Bracket, Match, bradley_terry


@dataclass(frozen=True, slots=True)
class Closed:
    """How the finalists stand.

    Attributes:
        weights: one for each finalist, higher is better; empty when there is no ranking.
        usage: what was spent.
        notes: what could not be done.
    """

    weights: tuple[float, ...]
    usage: Usage
    notes: tuple[str, ...] = ()


@runtime_checkable
class Closing(Protocol):
    """Ranks finalists by asking a model."""

    @property
    def name(self) -> str:
        """The name, as users write it."""
        ...

    @property
    def at_most(self) -> int:
        """The most finalists."""
        ...

    @property
    def distinct(self) -> bool:
        """Whether one finalist stands for all samples with its answer."""
        ...

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """An estimate from above of what ranking takes, to be reserved.

        Args:
            question: what was asked.
            finalists: how many there will be at most.
            answer_tokens: the most tokens of one of them.
        """
        ...

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
        """Rank the finalists within the lease. Never raises for a model that fails.

        Args:
            question: what was asked.
            answers: two or more, at most `at_most`.
            priors: what is known of each, such as its votes; decides what the model leaves tied.
            lease: the most that may be spent.
            rng: for orders.
            deadline: when to give up, in seconds since the epoch.
        """
        ...


@dataclass(frozen=True, slots=True)
class ByRanker:
    """One look at all finalists: a listwise judge, or universal self-consistency.

    Attributes:
        ranker: ranks answers.
        calls: how many calls it makes.
        distinct: whether equal answers are shown once.
        name: as users write it.
    """

    ranker: Ranker
    calls: int
    distinct: bool
    name: str

    @property
    def at_most(self) -> int:
        """As many as the ranker takes."""
        return self.ranker.at_most

    def needs(self, question: str, *, finalists: int, answer_tokens: int) -> Usage:
        """All finalists in every call."""
        size = self.ranker.call_size(question, [""] * finalists)
        return size.cost(calls=self.calls, more_prompt_tokens=finalists * answer_tokens)

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
        """As many of the first finalists as the lease has room for."""
        shown = self._that_fit(question, answers, lease)
        if shown < 2:
            return Closed((), Usage(), (f"{self.name}: too little was left of the budget",))
        try:
            ranking = await self.ranker.rank(
                question, answers[:shown], lease=lease, rng=rng, deadline=deadline
            )
        except VerifierError as error:
            return Closed((), error.usage, (f"{self.name}: {error}",))
        left_out = len(answers) - shown
        notes = (f"{self.name}: {left_out} answers did not fit",) if left_out else ()
        return Closed((*ranking.scores, *[-1.0] * left_out), ranking.usage, notes)

    def _that_fit(self, question: str, answers: Sequence[str], lease: Budget) -> int:
        """How many of the answers one call has room for in its part of the lease."""
        if lease.calls is not None and lease.calls < self.calls:
            return 0
        if lease.tokens is None:
            return len(answers)
        each = lease.tokens // self.calls
        fits = range(len(answers), 1, -1)
        sizes = ((n, self.ranker.call_size(question, answers[:n])) for n in fits)
        return next((n for n, size in sizes if size.prompt_tokens < each), 0)


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
        wins = [[0.0] * len(answers) for _ in answers]
        for match, won in outcomes.wins.items():
            wins[match.first][match.second] = won
            wins[match.second][match.first] = 1 - won
        strengths = bradley_terry(wins)
        return Closed(tuple(strengths), outcomes.usage, _once(self.name, outcomes.notes))


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
