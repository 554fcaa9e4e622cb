"""The nodes that let a run in, ask for what is wanted next, and keep it at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from tscale_graph.budget import Usage
from tscale_graph.candidates import Result
from tscale_graph.leases import Grant, all_of, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete, count_prompt
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.replies import Completion
from tscale_graph.models.threads import in_thread
from tscale_graph.sleep_store import SleepStore
from tscale_graph.sleeping.books import Books, Use, least_earning
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Page
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.sleeping.planning import applied, next_jobs
from tscale_graph.techniques.sleeping.prompts import reading, rewriting, thinking_of
from tscale_graph.techniques.sleeping.settings import SleepSettings, owner_of, texts_of
from tscale_graph.techniques.sleeping.state import Done, Job, SleepRun, SleepState, Slept

_Leased = tuple[Job, list[BaseMessage], int, Grant]


@dataclass(frozen=True)
class Sleeper:
    """Works through a context, one round of jobs after the other."""

    settings: SleepSettings

    async def admit(self, state: SleepState, config: RunnableConfig) -> dict[str, Any]:
        """Find the budget, what was prepared before, and whether anybody still asks.

        Raises:
            ValueError: when there is no context, no store, no budget, or no price to keep to it by.
        """
        now, settings = time.time(), self.settings
        context = StandingContext.of(state.get("context", ""), name=state.get("name", ""))
        owner = owner_of(state.get("owner"))
        budget = find_budget(state, config, settings.budget)
        if budget.usd is not None and (unpriced := self._unpriced()) is not None:
            raise ValueError(unknown_price(unpriced))
        store = settings.kept(owner)
        books, uses = await store.books(context.known_as)
        if uses:
            await store.keep([books])
            await store.forget_uses(context.known_as, uses)
        there = await store.prepared(context)
        page = there.page or await self._carried_over(store, books, context, now)
        page = page.with_wanted(texts_of(state.get("questions")), asked=False, at=now)
        page = page.with_wanted(_asked(uses), asked=True, at=now)
        run = SleepRun(
            context=context,
            owner=owner,
            budget=budget,
            opened_at=now,
            clock=now,
            before=books,
            page=page.at_most(settings.questions, earned=books.earned),
            dense=there.dense,
            ended="given_up" if books.given_up(after=settings.patience) else "",
        )
        return {"run": run.model_dump()}

    async def plan(self, state: SleepState) -> dict[str, Any]:
        """Decide what is asked for next."""
        run = _parsed(state)
        jobs = [] if run.ended else next_jobs(self.settings, run)
        ended = run.ended or ("" if jobs else "complete")
        update = {"jobs": jobs, "done": [], "ended": ended}
        return {"run": run.model_copy(update=update).model_dump()}

    async def route(self, state: SleepState) -> str:
        """Work, or finish when there is nothing left to do."""
        return "work" if _parsed(state).jobs else "finish"

    async def work(self, state: SleepState) -> dict[str, Any]:
        """Ask for the jobs of a round side by side, each under a lease of its own."""
        run, settings = _parsed(state), self.settings
        listening = nullcontext(None) if settings.idle is None else settings.idle.told()
        with listening as halt:
            if halt is not None and halt.is_set():
                ended = run.model_copy(update={"jobs": [], "done": [], "ended": "gave_way"})
                return {"run": ended.model_dump()}
            leased = await self._leased(run)
            asks = (self._ask(run, *one, halt=halt) for one in leased)
            done = await asyncio.gather(*asks)
            gave_way = halt is not None and halt.is_set()
        # What got no lease beside the others has another chance when those have said their say.
        limit = None if any(granted.lease for *_, granted in leased) else done[0].cut_off_by
        update = {
            "done": done,
            "spent": Usage.total([run.spent, *(one.usage for one in done)]),
            "clock": max(run.clock, time.time()),
            "ended": "gave_way" if gave_way else "cut_off" if limit else "",
            "cut_off_by": None if gave_way else limit,
        }
        return {"run": run.model_copy(update=update).model_dump()}

    async def keep(self, state: SleepState) -> dict[str, Any]:
        """Write what came of it, each entry whole, and then the books."""
        before, now = _parsed(state), time.time()
        # In a thread, because counting tokens may ask a server.
        run = await in_thread(lambda: applied(self.settings, before, before.done, at=now))
        notes = [*run.notes, *(one.note for one in run.done if one.note)]
        tried = [*run.tried, *(one.job.key for one in run.done if one.came)]
        run = run.model_copy(update={"notes": notes, "tried": tried, "clock": max(run.clock, now)})
        store = self.settings.kept(run.owner)
        changed = [one for name, one in run.dense.items() if before.dense.get(name) != one]
        await store.keep([*changed, run.page, _books(run)])
        return {"run": run.model_copy(update={"jobs": [], "done": []}).model_dump()}

    async def finish(self, state: SleepState) -> dict[str, Any]:
        """Let go of what only an earlier version needed and of what earns least, and report."""
        run, settings = _parsed(state), self.settings
        if run.ended != "given_up":
            store = settings.kept(run.owner)
            books = _books(run)
            await self._bound(store, run.before, books)
        slept = Slept(
            context=run.context.known_as,
            version=run.context.key,
            status=run.ended or "complete",
            cut_off_by=run.cut_off_by,
            usage=run.usage,
            rewritten=len(run.dense),
            documents=len(run.context.documents),
            anticipated=len(run.page.questions),
            answered=len(run.page.answered),
            notes=run.notes,
        )
        return {"slept": slept, "run": None}

    def _unpriced(self) -> str | None:
        settings = self.settings
        return settings.endpoint.unpriced or settings.answerer.unpriced or settings.tester.unpriced

    async def _carried_over(
        self, store: SleepStore, books: Books, context: StandingContext, now: float
    ) -> Page:
        """The questions of the version before, whose answers count for nothing any more."""
        before = await store.page(books.current) if books.current else None
        if before is None:
            return Page(source=context.key, name=context.known_as, written_at=now)
        page = before.of_context(context.key, at=now)
        return page.model_copy(update={"name": context.known_as})

    async def _bound(self, store: SleepStore, before: Books, books: Books) -> None:
        """Keep to the number of contexts."""
        there = {one.name: one for one in await store.contexts()}
        others = {name: one for name, one in there.items() if name != books.name}
        gone = set(least_earning(others, keep=self.settings.contexts - 1))
        stay = [one for name, one in others.items() if name not in gone]
        shared = {key for one in stay for key in (one.current, *one.documents)}
        for name in gone:
            await store.let_go(others[name], keep={*shared, books.current, *books.documents})
        await store.replace_version(before, books, keep=shared)

    async def _leased(self, run: SleepRun) -> list[_Leased]:
        """Each job with its prompt, the most tokens of that, and what is granted for it."""
        taken, found = run.usage, list[_Leased]()
        for job in run.jobs:
            endpoint, prompt = self._endpoint(job), self._prompt(run, job)
            left = None if run.deadline is None else run.deadline - time.time()
            tokens = await count_prompt(endpoint, prompt, seconds=left)
            if tokens is None:
                found.append((job, prompt, 0, Grant(0, None, "seconds")))
                continue
            size = endpoint.size(
                prompt_tokens=tokens, output_tokens=self.settings.max_output_tokens
            )
            remaining = run.budget.remaining(taken)
            granted = grant(remaining, size, wanted=1, still_wanted=1, nothing_yet=False)
            taken += all_of(granted.lease)
            found.append((job, prompt, tokens, granted))
        return found

    async def _ask(
        self,
        run: SleepRun,
        job: Job,
        prompt: list[BaseMessage],
        tokens: int,
        granted: Grant,
        *,
        halt: asyncio.Event | None,
    ) -> Done:
        settings, endpoint = self.settings, self._endpoint(job)
        if granted.lease is None:
            return Done(job=job, came=False, cut_off_by=granted.limited_by)
        request = Request(
            messages=prompt,
            max_output_tokens=settings.max_output_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
            prompt_tokens=tokens,
        )
        [said] = await complete(endpoint, request, granted.lease, deadline=run.deadline, halt=halt)
        if said.discarded is not None:
            return Done(job=job, came=False, usage=said.usage)
        if said.error is not None:
            told = f"{job.kind} {job.about:.60}".strip()
            note = f"{told}: {said.error}"
            return Done(job=job, usage=said.usage, note=note, cut_off_by=said.cut_off_by)
        if job.kind in ("answer", "test"):
            return self._judged(job, said)
        # The last line of what was cut short says something else than it would have said.
        text = said.text.rpartition("\n")[0] if said.truncated else said.text
        return Done(job=job, text=text, usage=said.usage)

    def _judged(self, job: Job, said: Completion) -> Done:
        """An answer, and whether it is verified."""
        result = said.result
        if result is None:
            return Done(job=job, text=said.text, usage=said.usage)
        support = _support(result)
        verified = result.status == "complete" and support >= self.settings.support
        return Done(
            job=job,
            text=result.text,
            answer=result.answer if verified else None,
            read=result.answer,
            support=support,
            each=said.usage.tokens // max(1, said.usage.calls),
            usage=said.usage,
        )

    def _endpoint(self, job: Job) -> Endpoint:
        settings = self.settings
        return {"answer": settings.answerer, "test": settings.tester}.get(
            job.kind, settings.endpoint
        )

    def _prompt(self, run: SleepRun, job: Job) -> list[BaseMessage]:
        context = run.context
        if job.kind == "rewrite":
            before = run.dense.get(job.about)
            return rewriting(context.documents[job.about], before and before.text)
        if job.kind == "think_of":
            known = [one.question for one in run.page.questions]
            count = self.settings.questions - len(known)
            return thinking_of(context.text(), count=count, known=known)
        asked, tests = [HumanMessage(job.about)], job.kind == "test"
        instead = {name: one.text for name, one in run.dense.items()} if tests else {}
        return reading(context.text(instead), asked, shortened=tests)


def _support(result: Result) -> float:
    """1 where a verifier passed the answer, else the share of samples that gave it."""
    if result.answer is None:
        return 0.0
    if result.verdict is not None and result.verdict.passed is not None:
        return float(result.verdict.passed)
    usable = [one for one in result.candidates if not one.error]
    return result.agreement or 0.0 if len(usable) > 1 else 0.0


def _asked(uses: list[Use]) -> list[str]:
    """Questions that were asked and not anticipated."""
    return [use.question for use in uses if use.served != "answer"]


def _books(run: SleepRun) -> Books:
    """The account after what was done so far; giving way before any call counts for no run."""
    if not run.spent.calls:
        return run.before
    return run.before.with_sleep(
        run.usage,
        at=run.clock,
        version=run.context.key,
        documents=tuple(run.context.keys().values()),
    )


def _parsed(state: Mapping[str, Any]) -> SleepRun:
    return SleepRun.model_validate(state.get("run"))
