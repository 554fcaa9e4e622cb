"""One benchmark while it runs: requests side by side, each outcome kept as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tscale_graph.bench.building import Builder
from tscale_graph.bench.judging import Judge
from tscale_graph.bench.purse import Purse, Share
from tscale_graph.bench.starting import ALL, Job, begin, key_of
from tscale_graph.budget import Budget, BudgetExceeded, Limit, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.leases import all_of
from tscale_graph.models.failures import one_line
from tscale_graph.policy import Policy
from tscale_graph.recordings.outcomes import Contender, Outcome, append_outcome
from tscale_graph.recordings.questions import Question
from tscale_graph.verifiers import Verifier

_FAILURES_IN_A_ROW = 10


@dataclass(frozen=True, slots=True)
class Benched:
    """How a benchmark stands.

    Attributes:
        done: runs whose outcomes are in the file, those of earlier times included.
        wanted: runs that there are.
        failed: runs that failed this time: they are not in the file, and are tried again.
        error: why the last of them did, or None.
        usage: what was spent this time; its seconds are the wall clock.
        cut_off_by: the limit of the budget that ended it, or None.
    """

    done: int
    wanted: int
    failed: int = 0
    error: str | None = None
    usage: Usage = field(default_factory=Usage)
    cut_off_by: Limit | None = None


@dataclass
class Running:
    """One benchmark, while it runs."""

    purse: Purse
    requests: Mapping[str, Budget]
    keep_their_own: bool
    builder: Builder
    judge: Judge
    verifier: Verifier | str | None
    told: bool
    prompt: Callable[[str], list[tuple[str, str]]]
    out: Path
    on_progress: Callable[[Benched], None] | None
    state: Benched = field(default_factory=lambda: Benched(0, 0))
    _in_a_row: int = 0

    async def all(self, jobs: Sequence[Job], who: Sequence[Contender]) -> Benched:
        """Run what is not there yet."""
        for question, setting, _ in jobs[: len(who)]:
            self.builder.graph(setting, self._verifier(question), 0)  # fails before any call
        there = begin(self.out, who)
        open_jobs = [job for job in jobs if key_of(job) not in there]
        self.state = Benched(len(jobs) - len(open_jobs), len(jobs))
        self._tell()
        waiting = iter(open_jobs)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.purse.at_once, len(open_jobs))):
                group.create_task(self._work(waiting))
        self._tell()
        if self._in_a_row >= _FAILURES_IN_A_ROW:
            told = f"{self._in_a_row} runs in a row failed, the last: {self.state.error}"
            raise SamplingError(told, self.purse.account.usage)
        return self.state

    async def _work(self, jobs: Iterator[Job]) -> None:
        for job in jobs:
            if self._in_a_row >= _FAILURES_IN_A_ROW:
                return
            share = await self.purse.take(self.requests[job[1]])
            if share is None:
                return
            spent = Usage()
            try:
                outcome = await self._outcome(job, share)
                spent = outcome.usage
            except _Failed as failed:
                spent = failed.usage
                self._in_a_row += 1
                failures = self.state.failed + 1
                self.state = replace(self.state, failed=failures, error=str(failed))
                continue
            finally:
                await self.purse.give_back(share, spent)
                self._tell()
            if (limit := share.cut_short_by(outcome.cut_off_by)) is not None:
                await self.purse.end(limit)
                return
            self._in_a_row = 0
            await asyncio.to_thread(append_outcome, self.out, outcome)
            self.state = replace(self.state, done=self.state.done + 1)
            self._tell()

    async def _outcome(self, job: Job, share: Share) -> Outcome:
        question, setting, repetition = job
        result: Result | None = None
        answer: str | None = None
        correct = False
        limit: Limit | None = None
        try:
            graph = self.builder.graph(setting, self._verifier(question), repetition)
            given = self._input(question, share, setting)
            async with asyncio.timeout(share.lease.seconds if self.keep_their_own else None):
                out = await graph.ainvoke(given)
            result = Result.model_validate(out["result"])
            answer = result.answer
            correct = await self.judge.is_right(question, answer)
            spent = result.usage
        except BudgetExceeded as exceeded:
            spent, limit = exceeded.usage, exceeded.limit
        except TimeoutError:
            # The time of the whole is up; what the run had cost by then nobody knows.
            spent, limit = all_of(share.lease), "seconds"
        except SamplingError as failed:
            raise _Failed(f"{setting}: {failed}", failed.usage) from failed
        except Exception as error:
            # A user's graph, tool or provider: the run is tried again when this is run again.
            told = f"{setting} on question {question.id!r}: {one_line(error)}"
            raise _Failed(told, all_of(share.lease)) from error
        return Outcome(
            id=question.id,
            task_class=question.task_class or ALL,
            setting=setting,
            run=repetition,
            question=question.question,
            gold=question.gold,
            answer=answer,
            correct=correct,
            status=result.status if result else "cut_off",
            cut_off_by=result.cut_off_by if result else limit,
            usage=spent,
            route=result.task_class if result else None,
            votes={one.answer: one.count for one in result.votes} if result else {},
            notes=tuple(result.notes) if result else (),
        )

    def _input(self, question: Question, share: Share, setting: str) -> dict[str, Any]:
        """What the graph is given: the caller's word on the class, and a budget if it has none."""
        known: dict[str, Any] = {"messages": self.prompt(question.question)}
        what = self.builder.contenders[setting]
        if self.told and isinstance(what, Policy) and question.task_class in what.classes:
            known["task_class"] = question.task_class
        if not self.keep_their_own:
            known["budget"] = share.lease
        return known

    def _verifier(self, question: Question) -> Verifier | str | None:
        return question.verifier or self.verifier

    def _tell(self) -> None:
        self.state = replace(
            self.state, usage=self.purse.account.usage, cut_off_by=self.purse.ended_by
        )
        if self.on_progress is not None:
            self.on_progress(self.state)


class _Failed(Exception):
    """A run that came to nothing for another reason than its budget.

    Attributes:
        usage: what it has cost.
    """

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage
