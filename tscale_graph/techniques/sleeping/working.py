"""The nodes that let a run in, ask for what is wanted next, and keep it at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig

from tscale_graph.budget import Limit, Usage
from tscale_graph.models.pricing import unknown_price
from tscale_graph.sleep_store import SleepStore, owner_of
from tscale_graph.sleeping.books import Books, least_earning
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Page, folded
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.sleeping.asking import Asking
from tscale_graph.techniques.sleeping.planning import applied, next_jobs
from tscale_graph.techniques.sleeping.settings import SleepSettings
from tscale_graph.techniques.sleeping.state import Outcome, SleepRun, SleepState, Slept


@dataclass(frozen=True)
class Sleeper:
    """Works through a context, one round of jobs after the other."""

    settings: SleepSettings

    async def admit(self, state: SleepState, config: RunnableConfig) -> dict[str, Any]:
        """Find the budget, what was prepared before, and whether anybody still asks.

        Raises:
            ValueError: when there is no context, no store, no budget, or no price to keep to it by.
        """
        now, settings, context = time.time(), self.settings, _context(state)
        owner, expected = owner_of(state.get("owner")), _texts(state.get("questions"))
        budget = find_budget(state, config, settings.budget)
        if budget.usd is not None and (unpriced := self._unpriced()) is not None:
            raise ValueError(unknown_price(unpriced))
        store = settings.kept(owner)
        books, uses = await store.books(context.known_as)
        there = await store.prepared(context)
        page = there.page or await _carried_over(store, books, context)
        asked = [use.matched or use.question for use in uses]
        page = page.with_wanted(asked, asked=True).with_wanted(expected, asked=False)
        page = page.at_most(settings.questions, earned=books.earned, first=expected)
        no_room = len({folded(one) for one in expected}) - settings.questions
        books = books.holding(context.key, context.keys().values())
        books = books.begun(context.key, questions=[folded(one.question) for one in page.questions])
        # The books first, which know of all that is kept; the uses go once both say what they did.
        await store.keep([books, page])
        await store.forget_uses(context.known_as, uses)
        run = SleepRun(
            id=uuid.uuid4().hex,
            owner=owner,
            budget=budget,
            opened_at=now,
            clock=now,
            page=page,
            dense=there.dense,
            earned=books.earned,
            ended="given_up" if books.given_up(after=settings.patience) else "",
            notes=[f"{no_room} expected questions have no room"] if no_room > 0 else [],
        )
        return {"run": run.model_dump()}

    async def plan(self, state: SleepState) -> dict[str, Any]:
        """Decide what is asked for next."""
        run = _parsed(state)
        jobs = [] if run.ended else next_jobs(self.settings, _context(state), run)
        ended = run.ended or ("" if jobs else "complete")
        update = {"jobs": jobs, "outcomes": [], "ended": ended}
        return {"run": run.model_copy(update=update).model_dump()}

    async def route(self, state: SleepState) -> str:
        """Work, or finish when there is nothing left to do."""
        return "work" if _parsed(state).jobs else "finish"

    async def work(self, state: SleepState) -> dict[str, Any]:
        """Ask for the jobs of a round side by side, and give way at once when somebody asks."""
        run, idle = _parsed(state), self.settings.idle
        listening = nullcontext(None) if idle is None else idle.told()
        with listening as halt:
            asking = Asking(self.settings, _context(state), run, halt)
            begun = halt is None or not halt.is_set()
            outcomes = await asking.outcomes() if begun else []
            gave_way = halt is not None and halt.is_set()
        limit = None if gave_way else _limit(outcomes)
        update = {
            "outcomes": outcomes,
            "spent": Usage.total([run.spent, *(one.usage for one in outcomes)]),
            "clock": max(run.clock, time.time()),
            "ended": "gave_way" if gave_way else "cut_off" if limit else "",
            "cut_off_by": limit,
        }
        return {"run": run.model_copy(update=update).model_dump()}

    async def keep(self, state: SleepState) -> dict[str, Any]:
        """Write what came of it, each entry whole, with what other runs wrote meanwhile."""
        run, settings, context = _parsed(state), self.settings, _context(state)
        store = settings.kept(run.owner)
        there = await store.prepared(context)
        now = applied(settings, context, run.with_prepared(there.page, there.dense), run.outcomes)
        page = now.page.at_most(settings.questions, earned=run.earned)
        changed = [one for name, one in now.dense.items() if there.dense.get(name) != one]
        books = await store.account(context.known_as)
        books = books.holding(context.key, context.keys().values())
        if run.spent.calls:
            books = books.with_run(run.id, run.usage, at=run.clock)
        await store.keep([books, *changed, page])
        update = {
            "page": page,
            "jobs": [],
            "outcomes": [],
            "tried": [*run.tried, *(o.job.key for o in run.outcomes if o.fate != "not asked")],
            "failed": run.failed or any(o.fate == "failed" for o in run.outcomes),
            "notes": [*run.notes, *(o.note for o in run.outcomes if o.note)],
        }
        return {"run": now.model_copy(update=update).model_dump()}

    async def finish(self, state: SleepState) -> dict[str, Any]:
        """Let go of what only an earlier version needed and of what earns least, and report."""
        run, context = _parsed(state), _context(state)
        store = self.settings.kept(run.owner)
        books = await store.account(context.known_as)
        if run.ended == "complete" and run.spent.calls and not run.failed:
            books = books.worked_through(run.id)
            await store.keep([books])
        if books.current == context.key:  # and no later version is being worked on
            await self._tidy(store, books)
        slept = Slept(
            context=context.known_as,
            key=context.key,
            status=run.ended or "complete",
            cut_off_by=run.cut_off_by,
            usage=run.usage,
            rewritten=len(run.dense),
            documents=len(context.documents),
            anticipated=len(run.page.questions),
            answered=len(run.page.answered),
            notes=run.notes,
        )
        return {"slept": slept, "run": None}

    def _unpriced(self) -> str | None:
        settings = self.settings
        return settings.endpoint.unpriced or settings.answerer.unpriced or settings.tester.unpriced

    async def _tidy(self, store: SleepStore, books: Books) -> None:
        """Keep to the number of contexts, and to what they need."""
        others = {one.name: one for one in await store.contexts() if one.name != books.name}
        gone = set(least_earning(others, keep=self.settings.contexts - 1))
        shared = {key for name, one in others.items() if name not in gone for key in one.keys}
        for name in sorted(gone):
            await store.let_go(others[name], keep=shared | books.keys)
        books = await store.only_current(books, keep=shared)
        await store.sweep(keep=shared | books.keys)


async def _carried_over(store: SleepStore, books: Books, context: StandingContext) -> Page:
    """The questions of the version before, whose answers count for nothing any more."""
    before = await store.page(books.current) if books.current else None
    if before is None:
        return Page(source=context.key, name=context.known_as)
    return before.of_context(context.key, name=context.known_as)


def _limit(outcomes: list[Outcome]) -> Limit | None:
    """The limit that ends the run, if one does.

    What got no lease beside the others has another chance when those have said their say; but
    time that is up is up.
    """
    if any(one.cut_off_by == "seconds" for one in outcomes):
        return "seconds"
    asked = any(one.fate != "not asked" for one in outcomes)
    return None if asked or not outcomes else outcomes[0].cut_off_by


def _texts(given: object) -> tuple[str, ...]:
    """The questions that a user expects.

    Raises:
        ValueError: in one line, when they are no texts.
    """
    texts = () if given is None else given
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"questions must be a list of texts, got {given!r:.60}")
    return tuple(str(one) for one in texts)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _context(state: SleepState) -> StandingContext:
    return StandingContext.of(state.get("context", ""), name=state.get("name", ""))


def _parsed(state: Mapping[str, Any]) -> SleepRun:
    return SleepRun.model_validate(state.get("run"))
