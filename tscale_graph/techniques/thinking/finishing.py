"""The last node: the answer, the thought that it came of, and what both cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate, Result, SamplingError
from tscale_graph.techniques.choosing import (
    answer_message,
    budget_exceeded,
    limit_that_was_passed,
    told_once,
    unpriced_note,
)
from tscale_graph.techniques.restarts import LOST
from tscale_graph.techniques.thinking.settings import ThinkingSettings
from tscale_graph.techniques.thinking.state import ThinkingRun, ThinkingState, Turn
from tscale_graph.votes import read_answers

TECHNIQUE = "extended_thinking"


@dataclass(frozen=True)
class ThinkingFinisher:
    """Writes the answer and the result."""

    settings: ThinkingSettings

    async def finish(self, state: ThinkingState) -> dict[str, Any]:
        """Write the answer to `messages`, its thought beside it, and the whole story to `result`.

        Raises:
            SamplingError: when the calls failed.
            BudgetExceeded: when the budget ended before there was an answer.
        """
        run = ThinkingRun.model_validate(state)
        candidate = self._candidate(run)
        result = self._result(run, candidate)
        if result.answer is None:
            self._raise_if_hopeless(run, candidate, result)
        return {"messages": [answer_message(result, candidate)], "result": result}

    def _candidate(self, run: ThinkingRun) -> Candidate:
        """The calls of the run as one: what was thought, what was said, what that cost."""
        said = [t for t in run.turns if t.candidate.text or t.candidate.tool_calls]
        last = [turn for turn in run.turns if not turn.lost] or run.turns
        turn = run.answer or next(iter(said[-1:] + last[-1:]), None)
        if turn is None:
            return Candidate(index=0)
        overshoot = sum(one.candidate.overshoot_tokens for one in run.turns)
        notes = told_once(note for one in run.turns for note in one.candidate.notes)
        candidate = turn.candidate.model_copy(
            update={
                "reasoning": run.thought,
                "usage": Usage.total(one.candidate.usage for one in run.turns),
                "overshoot_tokens": overshoot,
                "notes": notes,
            }
        )
        kind = self.settings.kind_for(run.question, candidate.text)
        return read_answers([candidate], kind, {})[0]

    def _result(self, run: ThinkingRun, candidate: Candidate) -> Result:
        passed = limit_that_was_passed(run.admission, run.usage)
        cut_off_by = run.cut_off_by or candidate.cut_off_by or passed
        return Result(
            answer=candidate.answer,
            text=candidate.text,
            status="cut_off" if cut_off_by else "complete",
            cut_off_by=cut_off_by,
            usage=run.usage,
            technique=TECHNIQUE,
            candidates=[candidate] if run.turns else [],
            notes=[*run.remarks, *self._notes(run, candidate)],
        )

    def _notes(self, run: ThinkingRun, candidate: Candidate) -> list[str]:
        endpoint, notes = self.settings.endpoint, list[str]()
        refused = [turn for turn in run.turns if turn.refused]
        notes += (_refusal(endpoint.name, turn, run) for turn in refused)
        notes += (
            f"a thought failed: {t.candidate.error}" for t in run.thoughts if t.candidate.error
        )
        notes += candidate.notes
        if candidate.overshoot_tokens:
            over = candidate.overshoot_tokens
            notes.append(f"{endpoint.name} went {over} tokens over its output limit")
        if candidate.text and candidate.answer is None:
            notes.append("no answer could be read from what the model said")
        if self.settings.remark and run.thoughts and not refused:
            notes.append(self.settings.remark)
        if run.turns and endpoint.prices.ceiling is None:
            notes.append(unpriced_note(endpoint.name))
        return notes

    def _raise_if_hopeless(self, run: ThinkingRun, candidate: Candidate, result: Result) -> None:
        limit = result.cut_off_by
        failed = candidate.error if candidate.error != LOST else None
        if failed and not candidate.cut_off_by:
            raise SamplingError(f"the call failed with {failed}", result.usage, result)
        unsaid = not candidate.text or (candidate.truncated and candidate.cut_off_by is not None)
        if limit is not None and unsaid and self.settings.on_exceeded == "raise":
            started = None if run.turns else "a call"
            raise budget_exceeded(limit, run.admission, result.usage, started=started)


def _refusal(name: str, turn: Turn, run: ThinkingRun) -> str:
    """What a provider did not take; a way that it took once is one that it knows."""
    error = turn.candidate.error
    if turn.phase == "answer":
        return f"{name} did not take the call that asks it to answer: {error}"
    if any(thought.way == turn.way for thought in run.thoughts):
        return f"{name} did not take the call that goes on with its thought: {error}"
    return _REFUSALS[turn.way].format(name=name, error=error)


_REFUSALS = {
    "native": "{name} does not think natively: {error}",
    "prefill": "{name} does not go on from an assistant message: {error}",
    "prompt": "{name} does not take the words that ask it to think: {error}",
}
