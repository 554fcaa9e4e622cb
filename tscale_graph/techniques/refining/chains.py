"""Where the chains of versions stand: which has ended and why, and what each revises next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_core.messages import BaseMessage

from tscale_graph.candidates import Candidate
from tscale_graph.techniques.choosing import nothing_can_be_verified
from tscale_graph.techniques.feedback import to_answer_at_last, to_better
from tscale_graph.techniques.reading import read
from tscale_graph.techniques.refining.settings import RefiningSettings
from tscale_graph.techniques.refining.state import RefiningRun
from tscale_graph.techniques.restarts import LOST
from tscale_graph.votes.selection import has_passed

Ending = Literal["passed", "unchanged", "failing", "not verified", "revised"]
"""Why a chain has ended: a version passed or the model found nothing wrong with it, revisions
came to nothing new, calls or verdicts failed, or all its revisions were made."""

IN_VAIN = 3
"""Calls that fail one after the other before a chain ends."""
_TOLD_CHARACTERS = 60
_MOST_TOLD = 8
"""Of other answers, so many are told, where they are so short."""


@dataclass(frozen=True, slots=True)
class Version:
    """One answer of a chain.

    Attributes:
        candidate: with its answer read and its verdict attached.
        base: the index of the version that it revises, or None.
        key: what equal answers have in common; None without an answer.
    """

    candidate: Candidate
    base: int | None
    key: str | None

    @property
    def score(self) -> float | None:
        """What its verdict says, or None without one."""
        verdict = self.candidate.verdict
        return verdict.score if verdict else None


@dataclass(frozen=True, slots=True)
class Chains:
    """All versions of a run, chain by chain, in the order of their making.

    Attributes:
        settings: what the run was told.
        versions: those of each chain that was begun. What was lost with a stopped run is none.
        hopeless: the verifier fails on every answer.
    """

    settings: RefiningSettings
    versions: tuple[tuple[Version, ...], ...]
    hopeless: bool

    def ended(self, chain: int) -> Ending | None:
        """Why a chain has ended; None while it goes on, or has not begun."""
        versions = self.versions[chain]
        if any(has_passed(one.candidate) for one in versions):
            return "passed"
        last = versions[-1].candidate if versions else None
        unjudged = last is not None and last.answer is not None and last.verdict is None
        if self.hopeless or (unjudged and self.settings.critic is not None):
            return "not verified"
        failing = [one.candidate.error is not None for one in versions[-IN_VAIN:]]
        if len(failing) == IN_VAIN and all(failing):
            return "failing"
        if self._repeats(versions) >= self.settings.repeats:
            return "unchanged"
        return "revised" if len(versions) > self.settings.max_revisions else None

    @property
    def open(self) -> list[int]:
        """The chains that go on, those with the fewest versions first.

        None once a verifier passed any answer. Where the model is its own critic, each chain
        goes on until that is content with it.
        """
        endings = [self.ended(chain) for chain in range(len(self.versions))]
        if self.settings.critic is None and "passed" in endings:
            return []
        going_on = [chain for chain, ending in enumerate(endings) if ending is None]
        return sorted(going_on, key=lambda chain: len(self.versions[chain]))

    def base(self, chain: int) -> Version | None:
        """The version that a chain revises next; None to answer the question afresh.

        With a verifier the best-scored one, the first among equals; without one the last that
        was criticised. Before there is any, one that holds no answer.
        """
        versions = [one for one in self.versions[chain] if one.candidate.text.strip()]
        judged = [one for one in versions if one.score is not None]
        if judged and self.settings.critic is None:
            return max(judged, key=lambda one: (one.score or 0.0, -one.candidate.index))
        if judged:
            return judged[-1]
        silent = [one for one in versions if one.key is None]
        return silent[-1] if silent else None

    def prompt(
        self, messages: Sequence[BaseMessage], chain: int, base: Version | None
    ) -> list[BaseMessage]:
        """What the model is asked, to go on with a chain.

        Args:
            messages: the conversation as the model gets it.
            chain: which chain.
            base: the version to revise, or None.
        """
        if base is None:
            return list(messages)
        candidate, verdict = base.candidate, base.candidate.verdict
        if verdict is None:
            asked = to_answer_at_last(candidate.text, truncated=candidate.truncated)
        elif self.settings.critic is not None:
            asked = to_better(candidate.text, score=None, feedback=verdict.feedback)
        else:
            asked = to_better(
                candidate.text,
                score=verdict.score,
                feedback=verdict.feedback,
                tried=self._tried(chain, base),
            )
        return [*messages, *asked]

    def _repeats(self, versions: Sequence[Version]) -> int:
        """How many of the last revisions came to an answer that the chain had had before."""
        count = 0
        for place in range(len(versions) - 1, 0, -1):
            key = versions[place].key
            if key is None or all(one.key != key for one in versions[:place]):
                break
            count += 1
        return count

    def _tried(self, chain: int, base: Version) -> list[str]:
        """Other answers of the chain, with their scores, where they are short."""
        others: dict[str, str] = {}
        for one in self.versions[chain]:
            answer = one.candidate.answer
            if one.key in (None, base.key) or one.score is None or answer is None:
                continue
            if len(answer) <= _TOLD_CHARACTERS and "\n" not in answer:
                others.setdefault(one.key or "", f"{answer} ({one.score:.2f})")
        return list(others.values())[-_MOST_TOLD:]


def chains_of(settings: RefiningSettings, run: RefiningRun) -> Chains:
    """The chains of a run, as far as they have come."""
    kind, candidates = read(settings.sampling, run)
    found: list[list[Version]] = [[] for _ in range(settings.chains)]
    for candidate in candidates:
        if candidate.error == LOST:
            continue
        step = run.steps[candidate.index]
        key = None if candidate.answer is None else kind.key(candidate.answer)
        found[step.chain].append(Version(candidate, step.base, key))
    hopeless = settings.critic is None and nothing_can_be_verified(run)
    return Chains(settings, tuple(map(tuple, found)), hopeless)
