"""Asking for the jobs of a round side by side, each under a lease of its own."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage

from tscale_graph.candidates import Result
from tscale_graph.leases import Grant, all_of, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete, count_prompt
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion
from tscale_graph.models.threads import in_thread
from tscale_graph.models.waiting import abandon, until
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.techniques.sleeping.prompts import reading, rewriting, thinking_of
from tscale_graph.techniques.sleeping.settings import SleepSettings
from tscale_graph.techniques.sleeping.state import Job, Outcome, SleepRun
from tscale_graph.verifiers.provenance import traced


@dataclass(frozen=True)
class _Leased:
    """A job with its prompt, the most tokens of that, and what is granted for it."""

    job: Job
    prompt: list[BaseMessage]
    tokens: int
    granted: Grant


@dataclass(frozen=True)
class Asking:
    """One round of jobs.

    Attributes:
        settings: of the run.
        context: what it is about.
        run: as it stands, with its jobs.
        halt: is set when somebody asks, or None.
    """

    settings: SleepSettings
    context: StandingContext
    run: SleepRun
    halt: asyncio.Event | None

    async def outcomes(self) -> list[Outcome]:
        """What comes of the jobs; never raises for one that fails."""
        halts = () if self.halt is None else (self.halt,)
        leasing = asyncio.ensure_future(self._leases())  # counting may ask a server
        await until(leasing, seconds=None, halts=halts)
        if not leasing.done():
            await abandon(leasing)
            return [Outcome(job=job, fate="not asked") for job in self.run.jobs]
        return await asyncio.gather(*map(self._ask, leasing.result()))

    async def _leases(self) -> list[_Leased]:
        run, taken, found = self.run, self.run.usage, list[_Leased]()
        for job in run.jobs:
            endpoint, prompt = self._endpoint(job), self._prompt(job)
            left = None if run.deadline is None else run.deadline - time.time()
            tokens = await count_prompt(endpoint, prompt, seconds=left)
            if tokens is None:
                found.append(_Leased(job, prompt, 0, Grant(0, None, "seconds")))
                continue
            output = self.settings.max_output_tokens
            size = endpoint.size(prompt_tokens=tokens, output_tokens=output)
            remaining = run.budget.remaining(taken)
            granted = grant(remaining, size, wanted=1, still_wanted=1, nothing_yet=False)
            taken += all_of(granted.lease)
            found.append(_Leased(job, prompt, tokens, granted))
        return found

    async def _ask(self, leased: _Leased) -> Outcome:
        settings, job, lease = self.settings, leased.job, leased.granted.lease
        if lease is None:
            return Outcome(job=job, fate="not asked", cut_off_by=leased.granted.limited_by)
        request = Request(
            messages=leased.prompt,
            max_output_tokens=settings.max_output_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
            prompt_tokens=leased.tokens,
        )
        endpoint, deadline = self._endpoint(job), self.run.deadline
        [said] = await complete(endpoint, request, lease, deadline=deadline, halt=self.halt)
        if said.discarded is not None:
            return Outcome(job=job, fate="not asked", usage=said.usage)
        if said.error is not None or said.cut_off_by is not None:
            told = said.error or f"cut off by {said.cut_off_by}"
            note = f"{job.kind} {job.about:.60}".strip() + f": {told}"
            limit = said.cut_off_by
            return Outcome(job=job, fate="failed", usage=said.usage, note=note, cut_off_by=limit)
        if job.kind in ("answer", "test"):
            return _judged(job, said, support=settings.support)
        if job.kind == "rewrite":
            return await self._traced(job, said)
        return Outcome(job=job, text=_whole_lines(said), usage=said.usage)

    async def _traced(self, job: Job, said: Completion) -> Outcome:
        """A rewriting without the lines that come from nowhere, and how long it is."""
        source, dense = self.context.documents[job.about], self.run.dense.get(job.about)
        if said.truncated and dense is not None:
            note = f"{job.about}: a rewriting was cut short, and what there is stays"
            return Outcome(job=job, usage=said.usage, note=note)
        text = _whole_lines(said)
        if dense is not None and dense.latest.dropped:  # the lines that were lost are wanted now
            lines = [*dense.latest.text.splitlines(), *text.splitlines()]
            text = "\n".join(dict.fromkeys(lines))
        found, count = traced(text, source), self.settings.endpoint.counter.text_bound
        tokens, source_tokens = await in_thread(lambda: (count(found.text), count(source)))
        note = ""
        if found.dropped:
            lines = "a line" if len(found.dropped) == 1 else f"{len(found.dropped)} lines"
            note = f"{job.about}: {lines} left out, with numbers that come from nowhere"
        return Outcome(
            job=job,
            text=found.text,
            dropped=len(found.dropped),
            tokens=tokens,
            source_tokens=source_tokens,
            usage=said.usage,
            note=note,
        )

    def _endpoint(self, job: Job) -> Endpoint:
        settings = self.settings
        if job.kind == "answer":
            return settings.answerer
        return settings.tester if job.kind == "test" else settings.endpoint

    def _prompt(self, job: Job) -> list[BaseMessage]:
        run, context = self.run, self.context
        if job.kind == "rewrite":
            before = run.dense.get(job.about)
            return rewriting(context.documents[job.about], before and before.latest.text)
        if job.kind == "think_of":
            known = [one.question for one in run.page.questions]
            count = self.settings.questions - len(known)
            return thinking_of(context.text(), count=count, known=known)
        asked = [HumanMessage(job.about)]
        if job.kind == "answer":
            return reading(context.text(), asked)
        instead = {
            name: dense.latest.text
            for name, dense in run.dense.items()
            if dense.shortens(dense.latest)
        }
        return reading(context.text(instead), asked, shortened=True)


def _whole_lines(said: Completion) -> str:
    """Without the last line of what was cut short, which says something else than it would have."""
    return said.text.rpartition("\n")[0] if said.truncated else said.text


def _judged(job: Job, said: Completion, *, support: float) -> Outcome:
    """An answer, and whether it is verified."""
    result = said.result
    if result is None:
        return Outcome(job=job, fate="failed", usage=said.usage, note=f"{job.kind}: no result")
    found = _support(result)
    return Outcome(
        job=job,
        text=result.text,
        answer=result.answer if result.status == "complete" and found >= support else None,
        read=result.answer,
        support=found,
        each=said.usage.tokens // max(1, said.usage.calls),
        usage=said.usage,
    )


def _support(result: Result) -> float:
    """1 where a verifier passed the answer, else the share of samples that gave it."""
    if result.answer is None:
        return 0.0
    if result.verdict is not None and result.verdict.passed is not None:
        return float(result.verdict.passed)
    usable = [one for one in result.candidates if not one.error]
    return result.agreement or 0.0 if len(usable) > 1 else 0.0
