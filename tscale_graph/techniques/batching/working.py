"""The nodes of a batch: letting it in, granting, sampling and judging, choosing the answers."""

from __future__ import annotations

import time
from asyncio import Semaphore, gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from tscale_graph.budget import Budget, BudgetExceeded, Limit, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.nested import Technique
from tscale_graph.models.pricing import unknown_price
from tscale_graph.policy import Policy
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.batching.granting import Granted, Place, Prior, grants
from tscale_graph.techniques.batching.standing import Standings
from tscale_graph.techniques.batching.state import (
    OF_ONE_BATCH,
    BatchRequest,
    BatchRun,
    BatchState,
    BatchTask,
    Seen,
)
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.choosing import Aggregator
from tscale_graph.techniques.loop import SamplingGraph
from tscale_graph.techniques.policies import Served
from tscale_graph.techniques.reading import decided
from tscale_graph.techniques.restarts import new_grant
from tscale_graph.techniques.routing.choosing import choose_route, estimated_tokens
from tscale_graph.techniques.routing.classifiers import Classifier, tell_class
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.state import Admission, SampleTask, Snapshot, Wave, question_of


@dataclass(frozen=True)
class BatchWork:
    """Serves the requests of a batch, each by the technique of its class.

    Attributes:
        policy: says what is done for each class.
        served: the graphs of the classes.
        budget: of batches that bring none.
        max_parallel: the most samples in flight.
        prior: what to believe of a question, its votes apart.
        classifier: who tells the classes of requests that name none; it asks no model.
        seed: of all samples, or None.
    """

    policy: Policy
    served: Served
    budget: Budget | None
    max_parallel: int
    prior: Prior | None
    classifier: Classifier
    seed: int | None

    @property
    def standings(self) -> Standings:
        """Reads where requests stand."""
        return Standings(self.served.graphs, self.prior)

    async def admit(self, state: BatchState, config: RunnableConfig) -> dict[str, Any]:
        """Grant the next leases; none ends the batch."""
        now = time.time()
        run = BatchRun.model_validate(state)
        update: dict[str, Any] = {}
        if not run.came or run.admission is None:
            # A new batch: nothing of an earlier one on the same thread is left.
            update = await self._let_in(run, state, config, now)
            run = BatchRun(requests=run.requests).model_copy(update=update)
            update |= dict.fromkeys(OF_ONE_BATCH)
        run = run.model_copy(update={"clock": max(run.clock, now)})
        admission = run.admission
        if admission is None:
            return update
        places = [self.standings.place(run, at) for at in range(len(run.requests))]
        granted, short_of = grants(places, run.remaining(admission), parallel=self.max_parallel)
        tasks = [self._task(run, admission, one) for one in granted]
        return {
            **update,
            "admission": admission.model_dump(),
            "tasks": [task.model_dump() for task in tasks],
            "seen": self._seen(run, places),
            "clock": run.clock,
            "cut_off_by": None if tasks else short_of,
        }

    async def fan_out(self, state: BatchState) -> list[Send] | str:
        """Send everything that was granted on its way, or finish."""
        tasks = [BatchTask.model_validate(task) for task in state.get("tasks", [])]
        return [Send("sample", dict(task)) for task in tasks] or "finish"

    async def sample(self, task: dict[str, Any]) -> dict[str, Any]:
        """Take and judge the samples of one request, or run its technique as a whole."""
        todo = BatchTask.model_validate(task)
        place = str(todo.request)
        if todo.task is None:
            result = await self._whole(todo)
            return {"whole": {place: result.model_dump()}, "clock": time.time(), "came": True}
        settings = self.standings.settings(todo.route)
        out = await Sampler(settings).sample(dict(todo.task))
        run = Snapshot(
            messages=todo.messages,
            admission=_own(todo),
            candidates=out["candidates"],
            checks=todo.checks,
            answer_kind=todo.answer_kind,
            delivery=out["delivery"],
        )
        update: dict[str, Any] = {"candidates": {place: out["candidates"]}}
        kind = settings.kind_for(run.question, run.candidates, run.answer_kind)
        if (name := decided(run, kind)) is not None:
            update["kinds"] = {place: name}
        if settings.verifier is not None:
            judged = await Checker(settings, settings.verifier).verify(run.model_dump())  # pyright: ignore[reportArgumentType]
            update["checks"] = {place: judged["checks"]}
        return {**update, "clock": time.time(), "came": True}

    async def finish(self, state: BatchState) -> dict[str, Any]:
        """Choose the answer of every request."""
        run = BatchRun.model_validate(state)
        results = [await self._result(run, at) for at in range(len(run.requests))]
        return {"results": [result.model_dump() for result in results]}

    def _seen(self, run: BatchRun, places: Sequence[Place]) -> dict[str, Any]:
        """What was looked at anew."""
        return {
            str(place.at): Seen(parts=run.parts(place.at), place=place).model_dump()
            for place in places
            if place.at not in run.seen or run.seen[place.at].place is not place
        }

    async def _let_in(
        self, run: BatchRun, state: BatchState, config: RunnableConfig, now: float
    ) -> dict[str, Any]:
        """Find the budget, and who serves each request."""
        budget = find_budget(state, config, self.budget)
        graphs = self.served.graphs
        for graph in graphs.values():
            for endpoint in graph.technique.asks:
                if budget.usd is not None and endpoint.unpriced is not None:
                    raise ValueError(unknown_price(endpoint.unpriced))
        deadline = None if budget.seconds is None else now + budget.seconds
        admission = Admission(
            budget=budget, opened_at=now, deadline=deadline, prompt_bound=0, seed=self.seed
        )
        routes: list[str] = []
        reasons: list[str] = []
        few = Semaphore(self.max_parallel)
        told = await gather(*(self._class_of(at, r, few) for at, r in enumerate(run.requests)))
        for (name, why), request in zip(told, run.requests, strict=True):
            tokens = estimated_tokens(convert_to_messages(request.messages))
            route = choose_route(
                self.policy,
                name,
                missing=self.served.missing,
                least={n: _at_least(graph.technique, tokens) for n, graph in graphs.items()},
                budgets=dict.fromkeys(graphs, request.budget or budget),
            )
            routes.append(route.name)
            instead = f", which cannot be served here: {'; '.join(route.reasons)}"
            reasons.append(f"class {name}: {why}{instead if route.name != name else ''}")
        return {"admission": admission, "routes": routes, "reasons": reasons}

    async def _class_of(self, at: int, request: BatchRequest, few: Semaphore) -> tuple[str, str]:
        """The class of a request, and why it is of that."""
        named = request.task_class
        if named is None:
            question = question_of(request.messages)
            async with few:
                told = await tell_class(self.classifier, question, policy=self.policy, budget=None)
            return told.of(self.policy)
        if named not in self.policy.classes:
            known = ", ".join(self.policy.classes)
            raise ValueError(f"request {at}: task_class must be one of {known}, got {named!r}")
        return named, "as the caller said"

    def _task(self, run: BatchRun, admission: Admission, one: Granted) -> BatchTask:
        request, route = run.requests[one.at], run.routes[one.at]
        place = BatchTask(
            request=one.at, route=route, lease=one.lease, messages=request.messages,
            deadline=admission.deadline, answer_kind=run.kinds.get(one.at),
            checks=run.checks.get(one.at, {}),
        )  # fmt: skip
        graph = self.served.graphs[route]
        if not isinstance(graph, SamplingGraph):
            return place
        settings = graph.settings
        together = settings.endpoint.shares_prompt and one.samples > 1
        prompt = settings.prompt(convert_to_messages(request.messages))
        seed = settings.seed if self.seed is None else self.seed
        wave = Wave(
            first=len(run.candidates.get(one.at, [])),
            samples=one.samples,
            together=together,
            lease=one.lease,
            prompt_tokens=settings.endpoint.counter.prompt_bound(prompt),
            granted_by=new_grant(),
            seed=seed,
        )
        task = SampleTask(messages=prompt, wave=wave, deadline=admission.deadline)  # pyright: ignore[reportArgumentType]
        all_in_all = one.whole_lease(together=together)
        limited = {
            name: getattr(one.lease, name) is not None for name in ("calls", "tokens", "usd")
        }
        lease = {name: getattr(all_in_all, name) for name, is_limit in limited.items() if is_limit}
        lease["seconds"] = one.lease.seconds
        return place.model_copy(update={"task": task, "lease": Budget.model_validate(lease)})

    async def _whole(self, todo: BatchTask) -> Result:
        """Run a technique as a whole; whatever goes wrong is in what comes back."""
        graph = self.served.graphs[todo.route]
        name = self.policy.classes[todo.route].technique_name
        try:
            out = await graph.compile().ainvoke({"messages": todo.messages, "budget": todo.lease})
            return Result.model_validate(out["result"])
        except BudgetExceeded as error:
            return _unanswered(name, error.usage, error.limit, str(error))
        except SamplingError as error:
            return _unanswered(name, error.usage, None, str(error))

    async def _result(self, run: BatchRun, at: int) -> Result:
        route = run.routes[at]
        technique = self.policy.classes[route].technique_name
        notes = [run.reasons[at]]
        if at in run.whole:
            result = run.whole[at]
        elif not run.candidates.get(at):
            result = _unanswered(technique, Usage(), run.cut_off_by, "no sample was paid for")
        else:
            settings = replace(self.standings.settings(route), on_exceeded="return")
            aggregator = Aggregator(settings, technique)
            cut_off = run.cut_off_by is not None and not self.standings.place(run, at).done
            snapshot = self.standings.snapshot(run, at, cut_off=cut_off)
            try:
                found = await aggregator.finish(snapshot.model_dump())  # pyright: ignore[reportArgumentType]
                result = Result.model_validate(found["result"])
            except SamplingError as error:
                result = _unanswered(technique, error.usage, None, str(error))
        return result.model_copy(update={"task_class": route, "notes": [*notes, *result.notes]})


def _own(task: BatchTask) -> Admission:
    """The lease of a task as a budget of its own, of which judging gets what sampling left."""
    return Admission(
        budget=task.lease, opened_at=time.time(), deadline=task.deadline, prompt_bound=0
    )


def _at_least(technique: Technique, prompt_tokens: int) -> Usage:
    return Usage() if technique.at_least is None else technique.at_least(prompt_tokens)


def _unanswered(technique: str, usage: Usage, limit: Limit | None, note: str) -> Result:
    return Result(
        answer=None,
        status="cut_off" if limit is not None else "complete",
        cut_off_by=limit,
        usage=usage,
        technique=technique,
        notes=[note],
    )
