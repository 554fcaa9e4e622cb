"""The last node: whose answer stands, why the ladder was climbed, and what all of it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tscale_graph.budget import Limit
from tscale_graph.candidates import Candidate, Result, SamplingError
from tscale_graph.rating import Rating
from tscale_graph.techniques.cascading.choosing import (
    climbed,
    good_enough,
    ratings_of,
    standing,
    why_not,
)
from tscale_graph.techniques.cascading.settings import CascadeSettings
from tscale_graph.techniques.cascading.state import CascadeRun, CascadeState, Outcome
from tscale_graph.techniques.choosing import (
    UNLEASED,
    answer_message,
    budget_exceeded,
    limit_that_was_passed,
    unpriced_note,
)
from tscale_graph.techniques.restarts import LOST
from tscale_graph.verifiers import asks_unleased

TECHNIQUE = "cascade"


@dataclass(frozen=True)
class CascadeFinisher:
    """Writes the answer and the result."""

    settings: CascadeSettings

    async def finish(self, state: CascadeState) -> dict[str, Any]:
        """Write the answer to `messages` and the whole story to `result`.

        Raises:
            SamplingError: when no rung has an answer and the last one failed, or none can hold
                the prompt.
            BudgetExceeded: when the budget ended before there was any answer.
        """
        run = CascadeRun.model_validate(state)
        verified = self.settings.verifier is not None
        ratings = ratings_of(run, verified=verified)
        stands = standing(
            run.outcomes,
            ratings,
            self.settings.rungs,
            last=self._climbed_out(run, ratings),
            verified=verified,
        )
        result = self._result(run, ratings, stands)
        if result.answer is None:
            self._raise_if_hopeless(run, result)
        return {
            "messages": [answer_message(result, stands.candidate if stands else None)],
            "result": result,
        }

    def _result(
        self, run: CascadeRun, ratings: list[Rating | None], stands: Outcome | None
    ) -> Result:
        cut_off_by = self._cut_off_by(run, ratings)
        candidates = [self._candidate(run, outcome) for outcome in run.outcomes]
        winner = candidates[stands.candidate.index] if stands else None
        unreadable = next((c for c in reversed(candidates) if c.text), Candidate(index=0))
        return Result(
            answer=winner.answer if winner else None,
            text=(winner or unreadable).text,
            status="cut_off" if cut_off_by else "complete",
            cut_off_by=cut_off_by,
            usage=run.usage,
            technique=TECHNIQUE,
            agreement=stands.agreement if stands else None,
            verdict=winner.verdict if winner else None,
            votes=stands.votes if stands else [],
            candidates=candidates,
            notes=self._notes(run, ratings, stands),
        )

    def _candidate(self, run: CascadeRun, outcome: Outcome) -> Candidate:
        """A rung's answer, with what the cascade's own verifier said of it."""
        check = run.check_of(outcome)
        if check is None:
            return outcome.candidate
        return outcome.candidate.model_copy(update={"verdict": check.verdict})

    def _cut_off_by(self, run: CascadeRun, ratings: list[Rating | None]) -> Limit | None:
        """The limit that kept a better answer from being found, or cut off the one that stands."""
        passed = limit_that_was_passed(run.admission, run.usage)
        if not run.outcomes or run.admission is None:
            return run.cut_off_by
        last = run.outcomes[-1]
        check = run.check_of(last)
        ended = run.cut_off_by or last.candidate.cut_off_by
        if not good_enough(ratings[-1], self.settings.rungs[last.rung].accept):
            ended = ended or (check and check.cut_off_by)
        # What a rung's own budget cut off was not cut off by this one.
        ours = ended if ended and getattr(run.admission.budget, ended) is not None else None
        return ours or passed

    def _notes(
        self, run: CascadeRun, ratings: list[Rating | None], stands: Outcome | None
    ) -> list[str]:
        notes = list(run.admission.notes) if run.admission else []
        ended = self._climbed_out(run, ratings)
        for outcome, rating in zip(run.outcomes, ratings, strict=True):
            accept = self.settings.rungs[outcome.rung].accept
            asked_last = ended and outcome is run.outcomes[-1]
            if good_enough(rating, accept) or (asked_last and outcome is stands):
                continue
            above = ratings[run.outcomes.index(stands)] if asked_last and stands else None
            bar = above.value if above else accept
            reason = why_not(rating, outcome, bar, run.check_of(outcome))
            notes.append(f"{self._named(outcome)}: {reason}")
        if run.outcomes and run.cut_off_by:
            notes.append(f"the limit on {run.cut_off_by} left nothing for the next rung")
        if stands is not None:
            notes.append(f"{self._named(stands)} answered")
        for outcome in run.outcomes:
            notes += (f"{self._named(outcome)}: {note}" for note in outcome.candidate.notes)
        verifier = self.settings.verifier
        if verifier is not None and asks_unleased(verifier):
            notes.append(UNLEASED)
        asked = (self.settings.rungs[outcome.rung].endpoint for outcome in run.outcomes)
        unpriced = next((name for one in asked if (name := one.unpriced)), None)
        return [*notes, unpriced_note(unpriced)] if unpriced else notes

    def _climbed_out(self, run: CascadeRun, ratings: list[Rating | None]) -> bool:
        """Whether every rung of the ladder is done with."""
        ladder = run.admission.ladder if run.admission else ()
        return climbed(run, ratings, self.settings.rungs) >= len(ladder)

    def _named(self, outcome: Outcome) -> str:
        """A rung as notes call it: by its place from 1, and its name."""
        return f"rung {outcome.rung + 1} ({self.settings.rungs[outcome.rung].name})"

    def _raise_if_hopeless(self, run: CascadeRun, result: Result) -> None:
        if run.admission is not None and run.admission.prompt_bounds and not run.admission.ladder:
            told = f"no rung can be asked: {'; '.join(run.admission.notes)}"
            raise SamplingError(told, result.usage, result)
        errors = [
            None if one.candidate.cut_off_by or one.candidate.error == LOST else one.candidate.error
            for one in run.outcomes
        ]
        if errors and all(errors):
            told = f"all {len(errors)} rungs failed, the last with {errors[-1]}"
            raise SamplingError(told, result.usage, result)
        limit = result.cut_off_by
        if limit is not None and self.settings.on_exceeded == "raise":
            started = None if result.usage.calls else "a rung"
            raise budget_exceeded(limit, run.admission, result.usage, started=started)
        if limit is None and errors and errors[-1]:
            told = f"none of {len(errors)} rungs has an answer: the last failed with {errors[-1]}"
            raise SamplingError(told, result.usage, result)
