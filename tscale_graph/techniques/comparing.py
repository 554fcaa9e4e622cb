"""Closing calls that compare answers two at a time: a knock-out, or everyone against everyone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
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

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.judge.asker.unpriced

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
        shown = _that_fit(
            self.judge,
            question,
            answers,
            lease,
            at_once=lambda count: self.comparisons * (count // 2),
            in_all=lambda count: self.comparisons * (count - 1),
        )
        if shown < 2:
            return Closed((), Usage(), (f"{self.name}: {_TOO_LITTLE}",))
        bracket = Bracket.of(
            range(shown),
            priors=dict(enumerate(priors)),
            comparisons=self.comparisons,
            seed=rng.getrandbits(32),
        )
        spent, notes, made = Usage(), list[str](), 0
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
            made += outcomes.made
            bracket = bracket.told(outcomes.wins)
        won = bracket.rounds_won
        weights = tuple(float(won.get(place, -1)) for place in range(len(answers)))
        notes = (*_once(self.name, notes), *_left_out(self.name, len(answers) - shown))
        return Closed(weights if made else (), spent, notes)


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

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.judge.asker.unpriced

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

        def pairs(count: int) -> int:
            return count * (count - 1) // 2

        shown = _that_fit(self.judge, question, answers, lease, at_once=pairs, in_all=pairs)
        if shown < 2:
            return Closed((), Usage(), (f"{self.name}: {_TOO_LITTLE}",))
        matches = [Match(first, second) for first, second in combinations(range(shown), 2)]
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
        strengths = [round(strength, _DIGITS) for strength in bradley_terry(wins, count=shown)]
        left_out = len(answers) - shown
        weights = (*strengths, *[min(strengths) - 1] * left_out)
        notes = (*_once(self.name, outcomes.notes), *_left_out(self.name, left_out))
        return Closed(weights if outcomes.made else (), outcomes.usage, notes)


_DIGITS = 6
"""Strengths that differ by less are equal: they come from an iteration."""


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """What came of comparing.

    Attributes:
        wins: of each match how many comparisons its first entrant won, a tie counting one half.
        made: comparisons that came to something.
        usage: what all of them spent.
        notes: what could not be done.
    """

    wins: Mapping[Match, float]
    made: int
    usage: Usage
    notes: Sequence[str]


_TOO_LITTLE = "too little was left of the budget"


def _that_fit(
    judge: PairwiseJudge,
    question: str,
    answers: Sequence[str],
    lease: Budget,
    *,
    at_once: Callable[[int], int],
    in_all: Callable[[int], int],
) -> int:
    """How many of the answers the lease has room to compare; below 2, none of them.

    Comparisons seldom take what they may, so its tokens need only be enough for those that are
    made at once.

    Args:
        judge: compares.
        question: what was asked.
        answers: best first.
        lease: what may be spent.
        at_once: for a number of answers, comparisons that run side by side.
        in_all: for a number of answers, comparisons altogether.
    """
    first, second = sorted(answers, key=len)[-2:]
    size = judge.call_size(question, first, second)
    for count in range(len(answers), 1, -1):
        once = size.cost(calls=2 * at_once(count))
        enough = lease.calls is None or 2 * in_all(count) <= lease.calls
        if enough and lease.exceeded_by(once.model_copy(update={"calls": 0})) is None:
            return count
    return 0


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
        return _Outcomes(wins, 0, Usage(), [_TOO_LITTLE])
    outcomes = await asyncio.gather(
        *(
            judge.compare(
                question, answers[match.first], answers[match.second], lease=part, deadline=deadline
            )
            for match, part in zip(matches, leases, strict=True)
        ),
        return_exceptions=True,
    )
    made, usage, notes = 0, Usage(), list[str]()
    for match, outcome in zip(matches, outcomes, strict=True):
        if isinstance(outcome, Comparison):
            wins[match] += {0: 1.0, 1: 0.0, None: 0.5}[outcome.winner]
            usage += outcome.usage
            made += 1
        elif isinstance(outcome, VerifierError):
            wins[match] += 0.5
            usage += outcome.usage
            notes.append(str(outcome))
        else:
            raise outcome
    return _Outcomes(wins, made, usage, notes)


def _once(name: str, notes: Sequence[str]) -> tuple[str, ...]:
    if not notes:
        return ()
    several = f" ({len(notes)} times)" if len(notes) > 1 else ""
    return (f"{name}: {notes[-1]}{several}",)


def _left_out(name: str, count: int) -> tuple[str, ...]:
    return (f"{name}: {count} answers did not fit",) if count else ()


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        least = 2 if name == "at_most" else 1
        if isinstance(count, bool) or count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
