"""The nodes that ask a rung, and a verifier about its answer; a failure is an outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Candidate, Checked
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.replies import Completion
from tscale_graph.rating import rate_result
from tscale_graph.techniques.cascading.settings import CascadeSettings
from tscale_graph.techniques.cascading.state import CascadeRun, CascadeState, Outcome, Step
from tscale_graph.techniques.checking import (
    VERIFY,
    check_answer,
    recharged,
    scarcest,
    share_out,
)
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.requesting import candidate_of
from tscale_graph.techniques.restarts import (
    LOST,
    goes_on_by_itself,
    lost_usages,
    new_grant,
    once,
)
from tscale_graph.verifiers import Verifier, reads_solutions


@dataclass(frozen=True)
class Climber:
    """Asks one rung under its lease, and tells the custom stream as `{"rung": …}`."""

    settings: CascadeSettings

    async def ask(self, state: CascadeState) -> dict[str, Any]:
        """Run the rung; one that fails is an outcome with an error, and its usage counts.

        Under a checkpointer a run that was stopped goes on inside the rung.
        """
        run = CascadeRun.model_validate(state)
        step = run.step
        if step is None:
            raise ValueError("a rung must be granted a lease before it is asked")

        async def ask(*, begun: bool = False) -> dict[str, Any]:
            return self._came_back(step, await self._completion(run, step, begun=begun))

        async def lost(times: int) -> dict[str, Any]:
            if goes_on_by_itself():
                return await ask(begun=True)
            return self._came_back(step, self._lost(step))

        return await once(step.granted_by, "ask", ask, lost)

    async def _completion(self, run: CascadeRun, step: Step, *, begun: bool) -> Completion:
        request = Request(
            messages=run.messages,
            max_output_tokens=self.settings.max_output_tokens,
            seed=step.seed,
            prompt_tokens=step.prompt_tokens,
            goes_on=True,
            begun=begun,
        )
        endpoint = self.settings.rungs[step.rung].endpoint
        return (await complete(endpoint, request, step.lease, deadline=step.deadline))[0]

    def _lost(self, step: Step) -> Completion:
        """A rung that nobody knows the end of: it is charged all that it could have spent."""
        endpoint = self.settings.rungs[step.rung].endpoint
        size = endpoint.size(
            prompt_tokens=step.prompt_tokens, output_tokens=self.settings.max_output_tokens
        )
        [usage] = lost_usages(step.lease, 1, size)
        return Completion(error=LOST, usage=usage)

    def _came_back(self, step: Step, completion: Completion) -> dict[str, Any]:
        """What came of a rung, as an update of the state."""
        outcome = outcome_of(completion, step)
        told = {"name": self.settings.rungs[step.rung].name, "answer": outcome.candidate.answer}
        rating = outcome.rating
        announce({"rung": {"index": step.index, **told, "rating": rating and rating.value}})
        return {
            "outcomes": [outcome.model_dump()],
            "delivery": new_grant(),
            "clock": time.time(),
        }


def outcome_of(completion: Completion, step: Step) -> Outcome:
    """What a rung's completion comes to: its answer, and what its own result says of that."""
    candidate, result = candidate_of(completion, index=step.index), completion.result
    if result is None:
        return Outcome(rung=step.rung, candidate=candidate, lost=int(completion.error == LOST))
    candidate = candidate.model_copy(update={"answer": result.answer, "verdict": result.verdict})
    return Outcome(
        rung=step.rung,
        candidate=candidate,
        rating=rate_result(result),
        agreement=result.agreement,
        votes=result.votes,
        lost=sum(1 for sample in result.candidates if sample.error == LOST),
    )


@dataclass(frozen=True)
class RungChecker:
    """Runs the cascade's verifier on the answer of the rung that was asked last."""

    verifier: Verifier

    async def verify(self, state: CascadeState) -> dict[str, Any]:
        """Verify the answer, unless a rung below gave the same; it takes what is left."""
        run = CascadeRun.model_validate(state)
        verify = partial(self._verify, run)
        return await once(run.delivery, VERIFY, verify, verify)

    async def _verify(self, run: CascadeRun, begun: int = 0) -> dict[str, Any]:
        candidate = run.outcomes[-1].candidate
        if candidate.answer is None:
            return {"clock": time.time()}
        checked = self._known(run, candidate) or await self._checked(run, candidate, begun)
        return {"checks": {str(candidate.index): checked.model_dump()}, "clock": time.time()}

    def _known(self, run: CascadeRun, candidate: Candidate) -> Checked | None:
        """The verdict on an answer that a rung below gave too, which cost nothing this time."""
        for outcome in run.outcomes[:-1]:
            check = run.check_of(outcome)
            if check and check.verdict and self._shown(outcome.candidate) == self._shown(candidate):
                free = check.verdict.model_copy(update={"usage": Usage()})
                return Checked(verdict=free)
        return None

    async def _checked(self, run: CascadeRun, candidate: Candidate, begun: int) -> Checked:
        admission = run.admission
        if admission is None:
            raise ValueError("a request must be let in before its answer is verified")
        lost = Usage.total([admission.beside] * begun)
        left = admission.budget.remaining(run.usage + lost)
        lease: Budget | None = share_out(left, 1)[0]
        checked = await check_answer(
            self.verifier,
            run.question,
            self._shown(candidate),
            lease=lease,
            deadline=admission.deadline,
            short_of=None if lease is not None else scarcest(left),
        )
        return recharged([checked], lost)[0] if begun else checked

    def _shown(self, candidate: Candidate) -> str:
        """What the verifier is shown of an answer."""
        whole = reads_solutions(self.verifier) and not candidate.tool_calls
        return candidate.text if whole else str(candidate.answer)
