"""What `refine` would have made of recorded chains: for every number of chains and of revisions.

The decisions are the library's own: chains go on side by side, a version that a verifier passes
ends them all, and `BestVersion` chooses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.answers import answer_kind
from tscale_graph.candidates import Candidate, Verdict
from tscale_graph.recordings.chains import RecordedChains, RecordedVersion
from tscale_graph.recordings.simulating import KnownKeys
from tscale_graph.votes import BestVersion, choose


class Ratio(BaseModel):
    """How much in parallel, and how much in sequence.

    Attributes:
        chains: answers that are begun side by side: `chains` of `refine`.
        revisions: the most of each of them: `max_revisions` of `refine`; 0 is no refining but
            `best_of_n`, or a vote without a verifier.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chains: int = Field(ge=1)
    revisions: int = Field(ge=0)

    def __str__(self) -> str:
        return f"{self.chains} × {self.revisions}"


class Expected(BaseModel):
    """What one question comes to, in the mean over the chains that might have been taken.

    Attributes:
        accuracy: how often the version that stands is right, in [0, 1].
        tokens: prompts, versions and critiques together.
        calls: completions asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float
    tokens: float
    calls: float


def every_ratio(
    question: RecordedChains,
    *,
    but_first: int = 0,
    shared_prompt: bool = True,
    max_subsets: int = 256,
    seed: int = 0,
) -> dict[Ratio, Expected]:
    """What each ratio would have come to on one question.

    The mean over all subsets of so many of the recorded chains, or over `max_subsets` seeded draws
    of them where there are more: unbiased either way, for the chains know nothing of each other.

    Args:
        question: with its chains.
        but_first: so many chains from the first on are left out.
        shared_prompt: answers to the bare question that are asked for together pay for its
            prompt once.
        max_subsets: the most subsets of one size that are played.
        seed: of the draws, together with the question's id.

    Raises:
        ValueError: when no chain is left, max_subsets is below 1, or for a kind of answer that
            the recording names and this version does not know.
    """
    if max_subsets < 1:
        raise ValueError(f"max_subsets must be at least 1, got {max_subsets}")
    if not 0 <= but_first < len(question.chains):
        raise ValueError(
            f"but_first must be between 0 and {len(question.chains) - 1} for question "
            f"{question.id!r}, got {but_first}"
        )
    players = range(but_first, len(question.chains))
    table = _Table(question, shared_prompt=shared_prompt)
    found: dict[Ratio, Expected] = {}
    for count in range(1, len(players) + 1):
        rng = random.Random(f"{seed}/{question.id}/{count}")
        played = [table.play(chains) for chains in _subsets(players, count, max_subsets, rng)]
        for revisions in range(1 + question.max_revisions):
            at = [one[revisions] for one in played]
            found[Ratio(chains=count, revisions=revisions)] = Expected(
                accuracy=fmean(one.accuracy for one in at),
                tokens=fmean(one.tokens for one in at),
                calls=fmean(one.calls for one in at),
            )
    return found


def _subsets(
    players: Sequence[int], count: int, most: int, rng: random.Random
) -> list[tuple[int, ...]]:
    if math.comb(len(players), count) <= most:
        return list(combinations(players, count))
    return [tuple(sorted(rng.sample(players, count))) for _ in range(most)]


class _Table:
    """One question, its versions as candidates."""

    def __init__(self, question: RecordedChains, *, shared_prompt: bool) -> None:
        kind = answer_kind(question.kind)
        if kind is None:
            raise ValueError(f"question {question.id!r} does not say how its answers were read")
        self._question, self._shared_prompt = question, shared_prompt
        said = {one.answer for chain in question.chains for one in chain}
        self._kind = KnownKeys(kind.name, {one: kind.key(one) for one in said if one is not None})
        self._select = BestVersion(verified=question.verifier is not None)
        self._candidates = [
            [
                _candidate(version, self._index(number, place, version))
                for place, version in enumerate(chain)
            ]
            for number, chain in enumerate(question.chains)
        ]
        self._right = {
            candidate.index: version.correct
            for versions, candidates in zip(question.chains, self._candidates, strict=True)
            for version, candidate in zip(versions, candidates, strict=True)
        }

    def play(self, chains: Sequence[int]) -> list[Expected]:
        """What these chains come to, for every number of revisions from 0 on."""
        taken: list[Candidate] = []
        reached: list[Expected] = []
        tokens = calls = 0
        going_on = True
        for place in range(1 + self._question.max_revisions):
            on = [one for one in chains if place < len(self._candidates[one])] if going_on else []
            if not on:
                reached.append(reached[-1])
                continue
            wave = [self._question.chains[chain][place] for chain in on]
            taken += [self._candidates[chain][place] for chain in on]
            tokens += self._tokens(wave)
            calls += sum(one.calls for one in wave)
            winner = choose(taken, self._kind, select=self._select).winner
            right = winner is not None and self._right[winner.index]
            reached.append(Expected(accuracy=float(right), tokens=tokens, calls=calls))
            verified = self._question.verifier is not None
            going_on = not (verified and any(one.passed for one in wave))
        return reached

    def _index(self, chain: int, place: int, version: RecordedVersion) -> int:
        """Its place among all: round by round, in each the answers to the bare question first."""
        return (2 * place + (version.base is not None)) * len(self._question.chains) + chain

    def _tokens(self, wave: Sequence[RecordedVersion]) -> int:
        total = sum(one.tokens for one in wave)
        fresh = [one.prompt_tokens for one in wave if one.base is None]
        return total - sum(fresh) + max(fresh) if self._shared_prompt and fresh else total


def _candidate(version: RecordedVersion, index: int) -> Candidate:
    score = version.verdict_score
    verdict = None if score is None else Verdict(score=score, passed=version.passed)
    return Candidate(index=index, answer=version.answer, verdict=verdict)
