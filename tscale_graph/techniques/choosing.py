"""The deciding and the last node: whether there are enough samples, and which answer stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata

from tscale_graph.answers import AnswerKind
from tscale_graph.budget import Budget, BudgetExceeded, Limit, Usage
from tscale_graph.candidates import Candidate, Checked, Result, SamplingError
from tscale_graph.stopping import Standing, can_still_change
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.reading import (
    decided,
    next_wave,
    read,
    samples_left,
    standing_of,
    taken,
)
from tscale_graph.techniques.restarts import LOST, saved
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, SamplingState, Snapshot, newly_read
from tscale_graph.verifiers import asks_unleased
from tscale_graph.votes import Choice, Ranked, choose


@dataclass(frozen=True)
class Decider:
    """Asks the stopping rule whether another wave is worth it."""

    settings: SamplingSettings

    async def decide(self, state: SamplingState) -> dict[str, Any]:
        """Set the size of the next wave; 0 ends the run."""
        run = Snapshot.model_validate(state)
        settings = self.settings
        saved(run.delivery, run.wave.granted_by if run.wave else "")
        kind, candidates = read(settings, run)
        left, limited_by = samples_left(settings, run)
        standing = standing_of(settings, candidates, kind, left=left)
        wanted = next_wave(settings, candidates, standing)
        # Cut short by the budget where what it has no room for could have changed the winner.
        whole = replace(standing, left=settings.max_samples - taken(settings, candidates))
        matters = can_still_change(whole)
        over = wanted or settings.rule.settled(standing)
        ended_by = cut_by([*candidates, *run.checks.values()])
        cut = None if over else ended_by or (limited_by if matters else None)
        if nothing_can_be_verified(run):
            wanted = 0
        announce({"progress": _progress(run, standing, wanted=wanted)})
        return {
            "wanted": wanted,
            "answer_kind": decided(run, kind),
            "answers": newly_read(run, candidates),
            "cut_off_by": cut,
        }

    async def another(self, state: SamplingState) -> str:
        """Back to the gate for another wave, or on to the answer."""
        if Snapshot.model_validate(state).wanted:
            return "admit"
        return "rank" if self.settings.closing else "finish"


def _progress(run: Snapshot, standing: Standing, *, wanted: int) -> dict[str, Any]:
    """How far a run is, as plain data, for those who watch it."""
    budget = run.admission and run.admission.budget.model_dump(exclude_none=True)
    return {
        "samples": standing.samples,
        "votes": list(standing.counts),
        "wanted": wanted,
        "usage": run.usage.model_dump(),
        "budget": budget,
    }


@dataclass(frozen=True)
class Aggregator:
    """Chooses the answer and writes the result.

    Attributes:
        settings: say how.
        technique: the name that the result bears.
        needs_verdicts: a run in which no answer could be verified has failed.
        voters: the indexes of the candidates that the choice is among; None for all of them.
    """

    settings: SamplingSettings
    technique: str
    needs_verdicts: bool = True
    voters: frozenset[int] | None = None

    async def finish(self, state: SamplingState) -> dict[str, Any]:
        """Write the answer to `messages` and the whole story to `result`.

        Raises:
            SamplingError: when every sample failed, or the verifier failed on every answer.
            BudgetExceeded: when the budget ended before there was any answer.
        """
        run = Snapshot.model_validate(state)
        kind, candidates, choice = self.chosen(run)
        result = self._result(run, kind, candidates, choice)
        if result.answer is None:
            self._raise_if_hopeless(run, result)
        unverified = [check.error for check in run.checks.values()]
        if self.needs_verdicts and unverified and all(unverified) and not run.cut_off_by:
            raise SamplingError(f"no answer could be verified: {unverified[-1]}", result.usage)
        shown = choice.winner or _unread(candidates)
        return {"messages": [answer_message(result, shown)], "result": result}

    def chosen(self, run: Snapshot) -> tuple[AnswerKind, list[Candidate], Choice]:
        """How answers are read, every candidate with its answer, and the choice among them."""
        kind, candidates = read(self.settings, run)
        ranked = Ranked(run.ranking.weights) if run.ranking and run.ranking.weights else None
        select = ranked or self.settings.select
        voting = [c for c in candidates if self.voters is None or c.index in self.voters]
        seed = run.admission.seed if run.admission else None
        return kind, candidates, choose(voting, kind, select=select, seed=seed)

    def _result(
        self, run: Snapshot, kind: AnswerKind, candidates: list[Candidate], choice: Choice
    ) -> Result:
        winner = choice.winner
        cut_off_by = run.cut_off_by or limit_that_was_passed(run.admission, run.usage)
        return Result(
            answer=winner.answer if winner else None,
            text=(winner or _unread(candidates) or Candidate(index=0)).text,
            status="cut_off" if cut_off_by else "complete",
            cut_off_by=cut_off_by,
            usage=run.usage,
            technique=self.technique,
            agreement=choice.agreement,
            verdict=winner.verdict if winner else None,
            votes=list(choice.tallies),
            candidates=candidates,
            notes=[*self._notes(run, kind, candidates), *choice.notes],
        )

    def _notes(self, run: Snapshot, kind: AnswerKind, candidates: list[Candidate]) -> list[str]:
        notes: list[str] = []
        if self.settings.auto and candidates:
            notes.append(f'answer="auto" read the answers as {kind.name}')
        failed = [candidate.error for candidate in candidates if candidate.error]
        if failed:
            notes.append(f"{len(failed)} of {len(candidates)} samples failed: {failed[-1]}")
        silent = sum(1 for c in candidates if not (c.error or c.discarded or c.answer))
        if silent:
            notes.append(f"{silent} of {len(candidates)} samples had no answer to read")
        notes += told_once(f"discarded: {c.discarded}" for c in candidates if c.discarded)
        notes += told_once(run.cluster_notes)
        notes += run.ranking.notes if run.ranking else ()
        overshoot = sum(candidate.overshoot_tokens for candidate in candidates)
        if overshoot:
            name = self.settings.endpoint.name
            notes.append(f"{name} went {overshoot} tokens over its output limit")
        notes += told_once(note for candidate in candidates for note in candidate.notes)
        verifier = self.settings.verifier
        if verifier is not None and asks_unleased(verifier):
            notes.append(UNLEASED)
        notes += self._size_notes(run)
        unpriced = self.settings.endpoint.unpriced
        if candidates and unpriced:
            notes.append(unpriced_note(unpriced))
        return notes

    def _size_notes(self, run: Snapshot) -> list[str]:
        """What a run of a technique in the model's place may take, where the budget was short."""
        endpoint = self.settings.endpoint
        if endpoint.nested is None or run.admission is None or run.cut_off_by in (None, "seconds"):
            return []
        whole = endpoint.nested.whole(run.admission.prompt_bound)
        return [
            f"a run of {endpoint.name} may take {whole.calls} calls and {whole.tokens} tokens: "
            "lower its limits, or give it a budget of its own, to have more runs"
        ]

    def _raise_if_hopeless(self, run: Snapshot, result: Result) -> None:
        limit = run.cut_off_by
        errors = [None if c.cut_off_by or c.error == LOST else c.error for c in result.candidates]
        if errors and all(errors):
            raise SamplingError(
                f"all {len(errors)} samples failed, the last with {errors[-1]}", result.usage
            )
        if limit is not None:
            if self.settings.on_exceeded == "return":
                return
            started = None if run.candidates else "a sample"
            raise budget_exceeded(limit, run.admission, result.usage, started=started)


_IN_VAIN = 3
"""Answers that a verifier fails on in the same way before it is given up on."""


def nothing_can_be_verified(run: Snapshot) -> bool:
    """Whether the verifier has failed on every answer, for one and the same reason."""
    errors = [None if check.cut_off_by else check.error for check in run.checks.values()]
    return len(errors) >= _IN_VAIN and all(errors) and len(set(errors)) == 1


def cut_by(done: Sequence[Candidate | Checked]) -> Limit | None:
    """The limit that cut the last of these off, or None."""
    return next((one.cut_off_by for one in reversed(done) if one.cut_off_by), None)


def limit_that_was_passed(admission: Admission | None, usage: Usage) -> Limit | None:
    """A limit that a model went over which does not keep to its own; None as a rule."""
    if admission is None:
        return None
    return admission.budget.exceeded_by(usage.model_copy(update={"seconds": 0.0}))


def budget_exceeded(
    limit: Limit, admission: Admission | None, usage: Usage, *, started: str | None
) -> BudgetExceeded:
    """The error of a run that the budget ended before there was any answer.

    Args:
        limit: which limit.
        admission: what was let in.
        usage: what was spent.
        started: None once anything was; else what it would have been, such as "a sample".
    """
    budget = admission.budget if admission else Budget(calls=1)
    allowed = getattr(budget, limit)
    if started is None:
        told = f"was used up before there was an answer ({usage.tokens} tokens spent)"
    elif limit == "seconds":
        told = f"were over before {started} could start"
    else:
        bound = admission.prompt_bound if admission else 0
        judged = admission is not None and admission.beside.calls > 0
        told = f"is too little for the question alone: its prompt is up to {bound} tokens"
        told += ", and judging takes more" if judged else ""
    return BudgetExceeded(f"{limit}={allowed} {told}", limit=limit, budget=budget, usage=usage)


UNLEASED = "what the verifier spends on models is not counted: it takes no lease"


def unpriced_note(name: str) -> str:
    """That a model's price is not known."""
    return f"usd is not counted: the price of {name} is not known"


def told_once(notes: Iterable[str]) -> list[str]:
    """Each note once, with how often it was told.

    >>> told_once(["cut off", "cut off (2 times)", "late"])
    ['cut off (3 times)', 'late']
    """
    counts = Counter[str]()
    for note in notes:
        repeated = _REPEATED.fullmatch(note)
        counts[repeated[1] if repeated else note] += int(repeated[2]) if repeated else 1
    return [note if count == 1 else f"{note} ({count} times)" for note, count in counts.items()]


_REPEATED = re.compile(r"(.*) \((\d+) times\)", re.DOTALL)


def _unread(candidates: Sequence[Candidate]) -> Candidate | None:
    """What is shown of a run without an answer: the first that said or called something."""
    whole = [c.model_copy(update={"tool_calls": []}) if c.truncated else c for c in candidates]
    return next((c for c in whole if c.text or c.tool_calls), None)


def answer_message(result: Result, winner: Candidate | None) -> AIMessage:
    """The answer as a message, with what the whole run cost.

    Where the model thought first, `content_blocks` has the reasoning before the text; the content
    stays plain text, so that any provider takes it back as a part of the conversation.
    """
    usage: Usage = result.usage
    thought = winner.reasoning if winner else ""
    return AIMessage(
        content=result.text,
        additional_kwargs={"reasoning_content": thought} if thought else {},
        tool_calls=winner.tool_calls if winner else [],  # pyright: ignore[reportArgumentType]
        usage_metadata=UsageMetadata(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.tokens,
            output_token_details=OutputTokenDetails(reasoning=usage.reasoning_tokens),
        ),
        response_metadata={"technique": result.technique, "status": result.status},
    )
