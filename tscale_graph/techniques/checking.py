"""The verifier node: what is known of each answer, asked once for equal answers."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from langgraph.errors import GraphBubbleUp

from tscale_graph.answers import AnswerKind
from tscale_graph.answers.tool_calls import stated_calls
from tscale_graph.budget import LIMITS, Budget, Limit, Remaining, Usage
from tscale_graph.candidates import Candidate, Checked, VerifierError
from tscale_graph.leases import all_of
from tscale_graph.models.failures import one_line
from tscale_graph.techniques.restarts import once
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SamplingState, Snapshot, newly_read
from tscale_graph.verifiers import Verifier, parameters, reads_solutions, verify
from tscale_graph.votes import read_answers

_LONGEST_KEY = 80
_KINDS_OF_VALUES = frozenset({"number", "math", "json", "solution"})
VERIFY = "verify"
"""The task of verifying, among those that a stopped run may have begun."""
_GRACE_SECONDS = 0.2
"""What a verifier that knows the deadline gets to say what it had spent by then."""


@dataclass(frozen=True)
class Checker:
    """Runs a verifier on every answer that it has not seen."""

    settings: SamplingSettings
    verifier: Verifier

    async def verify(self, state: SamplingState) -> dict[str, Any]:
        """Verify new answers, side by side; one that cannot be verified costs only itself."""
        run = Snapshot.model_validate(state)
        verify = partial(self._verify, run)
        return await once(run.delivery, VERIFY, verify, verify)

    async def _verify(self, run: Snapshot, begun: int = 0) -> dict[str, Any]:
        kind = self.settings.kind_for(run.question, run.candidates, run.answer_kind)
        candidates = read_answers(run.candidates, kind, run.answers)
        unseen: dict[str, str] = {}
        for candidate in candidates:
            key, shown = self._shown(candidate, kind)
            if key is not None and candidate.discarded is None and key not in run.checks:
                unseen.setdefault(key, shown)
        beside = run.admission.beside if run.admission else Usage()
        lost = Usage.total([beside] * begun)
        leases = self._leases(run, len(unseen), lost=Usage.total([lost] * len(unseen)))
        checks = await asyncio.gather(
            *(
                self.check(run, answer, lease)
                for answer, lease in zip(unseen.values(), leases, strict=True)
            )
        )
        if begun:
            checks = recharged(checks, lost)
        return {
            "checks": {key: check.model_dump() for key, check in zip(unseen, checks, strict=True)},
            "answers": newly_read(run, candidates),
            "answer_kind": kind.name if any(c.text for c in run.candidates) else None,
            "clock": time.time(),
        }

    def unseen(self, candidate: Candidate, run: Snapshot) -> tuple[str, str] | tuple[None, None]:
        """The key and what is shown of one candidate, unless one like it was verified before."""
        kind = self.settings.kind_for(run.question, [candidate], run.answer_kind)
        key, shown = self._shown(read_answers([candidate], kind)[0], kind)
        return (None, None) if key is None or key in run.checks else (key, shown)

    def _shown(self, candidate: Candidate, kind: AnswerKind) -> tuple[str | None, str]:
        """What the verifier is shown of a candidate, under its key; no key for no answer."""
        if candidate.answer is None:
            return None, ""
        if candidate.tool_calls:
            return check_key(candidate.answer, kind), candidate.answer
        if reads_solutions(self.verifier):
            return solution_key(candidate.text), candidate.text
        return check_key(candidate.answer, kind), candidate.answer

    def judge(self, run: Snapshot) -> Verifier:
        """Who verifies the answers of a run."""
        return self.verifier

    async def check(self, run: Snapshot, answer: str, lease: Budget | None) -> Checked:
        """Verify one answer. Whatever goes wrong is in what comes back."""
        return await check_answer(
            self.judge(run),
            run.question,
            answer,
            lease=lease,
            deadline=run.admission.deadline if run.admission else None,
            short_of=None if lease is not None else _short_of(run),
        )

    def _leases(self, run: Snapshot, count: int, *, lost: Usage) -> Sequence[Budget | None]:
        """What is left of the budget, in equal parts; None where nothing is left to give."""
        if run.admission is None or count == 0:
            return [None] * count
        taken = run.usage + run.admission.reserved + lost
        return share_out(run.admission.budget.remaining(taken), count)


async def check_answer(
    verifier: Verifier,
    question: str,
    answer: str,
    *,
    lease: Budget | None,
    deadline: float | None,
    short_of: Limit | None,
) -> Checked:
    """Verify one answer. Whatever goes wrong is in what comes back.

    Args:
        verifier: anybody's.
        question: what was asked.
        answer: what to verify.
        lease: what the verifier may spend on models, or None where nothing is left to give.
        deadline: when to give up, in seconds since the epoch, or None.
        short_of: the limit of which nothing is left to give, or None.
    """
    names = parameters(verifier)
    if "lease" in names and lease is None and short_of is not None:
        told = "nothing was left of the budget for the verifier"
        return Checked(error=told, cut_off_by=short_of)
    left = None if deadline is None else max(0.0, deadline - time.time())
    if left is not None and "deadline" in names:
        left += _GRACE_SECONDS
    limit = asyncio.timeout(left)
    try:
        async with limit:
            verdict = await verify(verifier, question, answer, lease=lease, deadline=deadline)
    except TimeoutError as error:
        # Nobody knows what it had spent of a lease, so all of it is charged.
        usage = all_of(lease) if "lease" in names else Usage()
        if not limit.expired():  # the verifier's own
            return Checked(error=one_line(error), usage=usage)
        told = "the deadline came before the verdict"
        return Checked(error=told, cut_off_by="seconds", usage=usage)
    except VerifierError as error:
        cut = error.cut_off_by or (None if lease else short_of)
        return Checked(error=one_line(error), cut_off_by=cut, usage=error.usage)
    except GraphBubbleUp:  # an interrupt is for whoever runs the graph
        raise
    except Exception as error:  # noqa: BLE001 - anybody's verifier, and one answer is not all
        # What a verifier of the user's had spent of its lease by then, nobody knows.
        usage = all_of(lease) if "lease" in names else Usage()
        return Checked(error=one_line(error), usage=usage)
    return Checked(verdict=verdict)


def recharged(checks: Sequence[Checked], lost: Usage) -> list[Checked]:
    """The checks, each with what it may have cost when it was begun before and not saved."""
    return [check.model_copy(update={"usage": check.usage + lost}) for check in checks]


def _short_of(run: Snapshot) -> Limit | None:
    if run.admission is None:
        return None
    return scarcest(run.admission.budget.remaining(run.usage + run.admission.reserved))


def scarcest(left: Remaining) -> Limit | None:
    """The limit of which too little is left to give a verifier any."""
    return left.spent_limit or next((n for n in LIMITS if getattr(left, n) is not None), None)


def share_out(remaining: Remaining, count: int) -> list[Budget | None]:
    """What is left, in equal parts; None where nothing is left to give."""
    if remaining.spent_limit is not None:
        return [None] * count
    left = Budget.model_validate(remaining.model_dump())
    try:
        return list(left.split(count))
    except ValueError:  # too little for all of them
        return [left, *[None] * (count - 1)]


def check_key(answer: str, kind: AnswerKind) -> str:
    """What answers have in common that share a verdict, short enough to keep.

    Notations of one value do. Of words nobody knows what a verifier makes of their case and
    punctuation, so only equal texts do, though they may count as the same answer in a vote.
    """
    text = answer.strip()
    value = kind.name in _KINDS_OF_VALUES or stated_calls(answer) is not None
    key = kind.key(answer) if value else text
    # What is no value has its own text for a key, without its case.
    return short_key(text if key == " ".join(text.casefold().split()) else key)


def solution_key(text: str) -> str:
    """What equal solutions have in common, for a verifier that is shown all of them."""
    return short_key(f"solution: {text.strip()}")


def short_key(key: str) -> str:
    """The key itself, or its digest where it is too long to keep."""
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def with_verdicts(
    candidates: Sequence[Candidate], checks: Mapping[str, Checked], kind: AnswerKind
) -> list[Candidate]:
    """The candidates, each with what the verifier said of its answer, or of its whole text."""
    judged: list[Candidate] = []
    for candidate in candidates:
        check = None
        if candidate.answer is not None:
            by_answer = checks.get(check_key(candidate.answer, kind))
            check = by_answer or checks.get(solution_key(candidate.text))
        if check is None:
            judged.append(candidate)
            continue
        notes = [*candidate.notes, f"not verified: {check.error}"] if check.error else None
        update = {"verdict": check.verdict, **({"notes": notes} if notes else {})}
        judged.append(candidate.model_copy(update=update))
    return judged
