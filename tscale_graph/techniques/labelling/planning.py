"""The nodes that decide: what to complete next, what that may spend, and what it all came to."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Overwrite, Send

from tscale_graph.budget import BudgetExceeded, Limit, Remaining, Usage
from tscale_graph.leases import SampleSize, all_of, grant
from tscale_graph.models.threads import in_thread
from tscale_graph.recordings.checking import check_judgeable
from tscale_graph.techniques.admission import let_in
from tscale_graph.techniques.labelling.settings import LabellingSettings
from tscale_graph.techniques.labelling.state import (
    LabelledSteps,
    LabellingRun,
    LabellingState,
    Labels,
    Roll,
    RollTask,
)
from tscale_graph.techniques.restarts import LOST, new_grant, saved
from tscale_graph.techniques.state import Admission
from tscale_graph.verifiers.process.labels import next_rollouts, outcomes_of

_GOES_ON_TOKENS = 64
"""More than a template and the words that ask to go on add to a prompt."""
_IN_VAIN = 4
"""Completions of one beginning that nothing could be made of, after which it is given up."""


@dataclass(frozen=True)
class Planner:
    """Asks the labelling what to complete, and grants what the budget pays for."""

    settings: LabellingSettings

    async def admit(self, state: LabellingState, config: RunnableConfig) -> dict[str, Any]:
        """Let a question in; nothing of an earlier one on the same thread is left.

        Raises:
            ValueError: when there is no question, no budget, no price to keep to it by, or
                nothing to judge by.
        """
        settings, now = self.settings, time.time()
        run = LabellingRun.model_validate(state)

        def sized(bare: Admission) -> Admission:
            bound = settings.endpoint.counter.prompt_bound(settings.conversation(run.messages))
            return bare.model_copy(update={"prompt_bound": bound})

        admission = await let_in(
            state,
            config,
            now,
            default=settings.budget,
            seed=settings.seed,
            unpriced=settings.endpoint.unpriced,
            sized=sized,
            asks_servers=settings.endpoint.counter.asks_server,
        )
        check_judgeable(run.question, gold=run.gold, verifier=settings.verifier)
        return {
            "admission": admission.model_dump(),
            "right": run.gold,
            "before": [sample.model_dump() for sample in run.known or ()],
            "rollouts": Overwrite([]),
            "wave": [],
            "cut_off_by": None,
            "error": None,
            "clock": time.time(),
        }

    async def plan(self, state: LabellingState) -> dict[str, Any]:
        """Choose the completions of the next wave; none ends the run."""
        run = LabellingRun.model_validate(state)
        if run.admission is None:
            raise ValueError("a question must be admitted before it is labelled")
        saved(run.delivery, *(roll.granted_by for roll in run.wave))
        error, cut_off_by = _ended(run)
        if error is not None or cut_off_by is not None:
            return {"wave": [], "error": error, "cut_off_by": cut_off_by}
        wave, limit = await in_thread(lambda: self._granted(run))
        return {
            "wave": [roll.model_dump() for roll in wave],
            "cut_off_by": limit if not wave else None,
            "clock": time.time(),
        }

    async def fan_out(self, state: LabellingState) -> list[Send] | str:
        """Send each request on its way, or finish when there is none."""
        run = LabellingRun.model_validate(state)
        if not run.wave or run.admission is None:
            return "finish"
        deadline = run.admission.deadline
        tasks = (
            RollTask(roll=roll, messages=run.messages, gold=run.right, deadline=deadline)
            for roll in run.wave
        )
        return [Send("roll", dict(task)) for task in tasks]

    async def finish(self, state: LabellingState) -> dict[str, Any]:
        """Label the steps of every solution.

        Raises:
            BudgetExceeded: when the budget did not buy a single completion.
        """
        run = LabellingRun.model_validate(state)
        if run.cut_off_by is not None and not run.samples and run.admission is not None:
            limit, budget = run.cut_off_by, run.admission.budget
            message = f"the budget's {limit} ended before there was a solution"
            raise BudgetExceeded(message, limit=limit, budget=budget, usage=run.usage)
        completions = self.settings.completions(run.samples)
        known = outcomes_of(completions)
        solutions: list[LabelledSteps] = []
        for one in completions:
            if not one.given:
                labels = self.settings.labelling.labels(one, known)
                values = tuple(label.value for label in labels)
                weights = tuple(label.weight for label in labels)
                solutions.append(
                    LabelledSteps(steps=one.steps, right=one.right, values=values, weights=weights)
                )
        useless = run.useless
        status = "failed" if run.error else "cut_off" if run.cut_off_by else "complete"
        if status == "complete" and self._given_up(run):
            status = "incomplete"
        labels = Labels(
            solutions=tuple(solutions),
            samples=tuple(run.samples),
            status=status,
            cut_off_by=run.cut_off_by,
            error=run.error,
            notes=(f"{len(useless)} completions: {useless[-1].error}",) if useless else (),
            usage=run.usage,
        )
        return {"labels": labels.model_dump()}

    def _wanted(self, run: LabellingRun) -> list[tuple[tuple[str, ...], int]]:
        """What is missing: solutions of the question, and completions of their beginnings."""
        settings, samples = self.settings, run.samples
        missing = settings.solutions - sum(not sample.given for sample in samples)
        completions = settings.completions(samples)
        asked: list[tuple[tuple[str, ...], int]] = [((), missing)] if missing > 0 else []
        solutions = [one for one in completions if not one.given]
        wanted = next_rollouts(settings.labelling, solutions, outcomes_of(completions))
        return [*asked, *((prefix.steps, count) for prefix, count in wanted)]

    def _given_up(self, run: LabellingRun) -> set[tuple[str, ...]]:
        """Beginnings of which nothing could be made so often that it is in vain."""
        times = Counter(one.steps for one in run.useless)
        return {steps for steps, count in self._wanted(run) if times[steps] >= max(count, _IN_VAIN)}

    def _asked(self, run: LabellingRun) -> list[tuple[tuple[str, ...], int]]:
        """What is missing and not given up."""
        given_up = self._given_up(run) if run.useless else set[tuple[str, ...]]()
        return [(steps, count) for steps, count in self._wanted(run) if steps not in given_up]

    def _granted(self, run: LabellingRun) -> tuple[list[Roll], Limit | None]:
        """Leases for as many as may be in flight and as the budget pays for.

        With the limit that kept it from more, if there is one.
        """
        settings, admission = self.settings, run.admission
        if admission is None:
            return [], None
        asked = self._asked(run)
        taken, wave = run.usage, list[Roll]()
        wanted = sum(count for _, count in asked)
        room = settings.max_parallel or wanted
        beginnings = settings.beginnings(run.samples)
        first = len(run.before) + len(run.rollouts)
        for steps, count in asked:
            count = min(count, room)
            if count < 1:
                break
            left = admission.budget.remaining(taken)
            bare = Roll(steps=steps, so_far=beginnings[steps], first=first, count=count)
            rolls, limit = self._grant(run, admission, left, bare, wanted=wanted)
            wave += rolls
            granted = sum(roll.count for roll in rolls)
            first += granted
            room -= granted
            wanted -= granted
            taken += Usage.total(all_of(roll.lease) for roll in rolls)
            if granted < count:
                return wave, limit
        return wave, None

    def _grant(
        self,
        run: LabellingRun,
        admission: Admission,
        left: Remaining,
        asked: Roll,
        *,
        wanted: int,
    ) -> tuple[list[Roll], Limit | None]:
        """One request for all, where the provider has that; else one for each."""
        settings, endpoint = self.settings, self.settings.endpoint
        so_far, count = asked.so_far, asked.count
        if endpoint.shares_prompt and endpoint.most_at_once is not None:
            count = min(count, endpoint.most_at_once)
        together = count > 1 and endpoint.shares_prompt and not (run.separate or run.distrusted)
        together = together and (
            bool(run.rollouts) or endpoint.may_risk_refusal(count, calls=left.calls)
        )
        beyond = endpoint.counter.text_bound(so_far) + _GOES_ON_TOKENS if so_far else 0
        size = SampleSize(
            prompt_tokens=admission.prompt_bound + beyond,
            output_tokens=min(
                settings.max_output_tokens, endpoint.own_output_limit or settings.max_output_tokens
            ),
            price=endpoint.prices.ceiling,
            shared_prompt=together,
        )
        granted = grant(left, size, wanted=count, still_wanted=wanted, nothing_yet=False)
        if granted.lease is None:
            return [], granted.limited_by
        whole = asked.model_copy(
            update={
                "count": granted.samples if together else 1,
                "lease": granted.lease,
                "together": together and granted.samples > 1,
                "prompt_tokens": size.prompt_tokens,
                "granted_by": new_grant(),
                "distrusted": run.distrusted,
            }
        )
        places = range(1 if together else granted.samples)
        rolls = [whole.model_copy(update={"first": asked.first + place}) for place in places]
        return rolls, granted.limited_by


def _ended(run: LabellingRun) -> tuple[str | None, Limit | None]:
    """Why there is no further wave: the error of a model that would fail again, or a limit."""
    if not run.wave:
        return None, None
    begun = run.wave[0].first
    last = [one for one in run.rollouts if one.index >= begun]
    cuts: list[Limit] = [one.cut_off_by for one in last if one.cut_off_by is not None]
    cut = cuts[0] if cuts else None
    came_back = [one for one in last if one.sample is not None or one.useless]
    failed = [one.error for one in last if one.error is not None and one.error != LOST]
    if came_back or cut is not None or len(failed) < len(last):
        return None, cut
    return failed[-1] if failed else None, None
