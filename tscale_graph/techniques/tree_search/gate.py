"""The first nodes of a round: what is left of the budget, and what to spend it on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Overwrite, Send

from tscale_graph.budget import Limit, Usage
from tscale_graph.leases import Grant, SampleSize, grant
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.threads import in_thread
from tscale_graph.search.asking import Ask, Costs
from tscale_graph.search.tree import ROOT, Tree
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.restarts import this_process
from tscale_graph.techniques.state import Admission, question_of
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    ExpandTask,
    Expansion,
    Node,
    Queued,
    SearchRun,
    SearchState,
    queued,
)


@dataclass(frozen=True)
class SearchGate:
    """Lets a request in, and keeps the clock."""

    settings: SearchSettings

    async def admit(self, state: SearchState, config: RunnableConfig) -> dict[str, Any]:
        """Stamp the deadline of a new request; later, only say how late it is.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        now = time.time()
        run = SearchRun.model_validate(state)
        if run.admission is not None and run.going_on:
            return {"clock": now, "process": this_process()}
        admission = await admit_search(self.settings, state, run.messages, config, now)
        seed = self.settings.seed
        return {
            "admission": admission.model_dump(),
            "process": this_process(),
            "entropy": random.SystemRandom().getrandbits(64) if seed is None else seed,
            "nodes": Overwrite([]),
            "working": None,
            "wave": [],
            "queue": [],
            "returned": None,
            "spent": None,
            "reflections": None,
            "cut_off_by": None,
            "over": False,
            "clock": time.time(),
        }


async def admit_search(
    settings: SearchSettings,
    state: Mapping[str, Any],
    messages: Sequence[BaseMessage],
    config: RunnableConfig,
    now: float,
) -> Admission:
    """Find the budget of a request and how large its prompt is, before any call.

    Raises:
        ValueError: when there is no question, no budget, or no price to keep to it by.
    """
    if not messages:
        raise ValueError('no question: "messages" is empty')
    budget = find_budget(state, config, settings.budget)
    if budget.usd is not None and settings.unpriced is not None:
        raise ValueError(unknown_price(settings.unpriced))
    deadline = None if budget.seconds is None else now + budget.seconds
    bare = Admission(budget=budget, opened_at=now, deadline=deadline, prompt_bound=0)

    def admission() -> Admission:
        asked = settings.growth.prompt(settings.conversation(messages), [], reflections=[])
        needs = getattr(settings.verifier, "needs", None)
        most = settings.max_output_tokens
        beside = needs(question_of(messages), answer_tokens=most) if needs else Usage()
        bound = max(one.counter.prompt_bound(asked) for one in settings.endpoints)
        sized = bare.model_copy(update={"prompt_bound": bound, "beside": beside})
        return sized.model_copy(update={"reserved": _for_closing(settings, messages, sized)})

    if not settings.asks_servers:
        return admission()
    try:
        async with asyncio.timeout(budget.seconds):
            return await in_thread(admission)
    except TimeoutError:
        return bare  # whose time is up, so that nothing is granted


def _for_closing(
    settings: SearchSettings, messages: Sequence[BaseMessage], admission: Admission
) -> Usage:
    """What completing a partial answer may take, where a search may end without a whole one.

    Nothing where the rest of the budget would not pay for a first step.
    """
    if settings.growth.closing_prompt(settings.conversation(messages), []) is None:
        return Usage()
    most = settings.max_output_tokens
    size = sample_size(settings, admission, model=0, prompt_tokens=0, closing=True)
    wanted = size.cost(more_prompt_tokens=admission.prompt_bound + most) + admission.beside
    left = admission.budget.remaining(wanted)
    step = sample_size(settings, admission, model=0, prompt_tokens=admission.prompt_bound)
    granted = grant(left, step, wanted=1, still_wanted=1, nothing_yet=False)
    return wanted if granted.samples else Usage()


def sample_size(
    settings: SearchSettings,
    admission: Admission,
    *,
    model: int,
    prompt_tokens: int,
    closing: bool = False,
    together: bool = False,
) -> SampleSize:
    """The most that one completion can take."""
    endpoint = settings.endpoints[model]
    most = settings.growth.output_limit(settings.max_output_tokens, closing=closing)
    return SampleSize(
        prompt_tokens=prompt_tokens,
        output_tokens=min(most, endpoint.own_output_limit or most),
        price=endpoint.prices.ceiling,
        shared_prompt=together,
        beside=admission.beside,
    )


@dataclass(frozen=True)
class Selector:
    """Asks the policy what to expand, and grants what the budget pays for."""

    settings: SearchSettings

    async def select(self, state: SearchState) -> dict[str, Any]:
        """Choose the expansions of the next round; none ends the search."""
        run = SearchRun.model_validate(state)
        settings, admission = self.settings, run.admission
        if admission is None:
            raise ValueError("a search must be admitted before it selects")
        working = run.at_hand(settings.policy, models=len(settings.endpoints))
        tree = working.tree
        waiting = run.queue or self._asked(run, tree)
        wave, limit = self._granted(run, tree, admission, waiting)
        queue = waiting[len(wave) :]
        if limit is not None:
            self._withdraw(tree, wave, waiting)
            queue = []
        ended_by = limit if not wave else None
        if not wave and not tree.complete and not settings.growth.complete:
            wave = self._closing(run, tree, admission)
        return {
            "wave": [expansion.model_dump() for expansion in wave],
            "queue": [ask.model_dump() for ask in queue],
            "working": working,
            "returned": None,
            "cut_off_by": run.cut_off_by or ended_by,
        }

    async def fan_out(self, state: SearchState) -> list[Send] | str:
        """Send each expansion on its way, or finish when there is none."""
        run = SearchRun.model_validate(state)
        if not run.wave or run.admission is None:
            return "finish"
        return [
            Send(
                "expand",
                dict(
                    ExpandTask(
                        expansion=expansion,
                        messages=run.messages,
                        question_tokens=run.admission.prompt_bound,
                        trail=run.trail(expansion.parent),
                        reflections=run.reflections,
                        deadline=run.admission.deadline,
                    )
                ),
            )
            for expansion in run.wave
        ]

    def _asked(self, run: SearchRun, tree: Tree) -> list[Queued]:
        """What the policy wants, as far as there may be nodes for it."""
        settings = self.settings
        left = settings.max_nodes - (tree.size - 1)
        if run.over or left <= 0:
            return []
        rng = np.random.default_rng((run.entropy, tree.size))
        costs = expected_costs(settings, run)
        asks = settings.policy.ask(tree, min(settings.batch, left), rng, costs=costs)
        while asks and asks[-1].first + asks[-1].count > settings.max_nodes + 1:
            keep = max(0, settings.max_nodes + 1 - asks[-1].first)
            last = asks.pop()
            tree.withdraw(last, keep=keep)
            if keep:
                asks.append(replace(last, count=keep))
        return [queued(tree, ask) for ask in asks]

    def _granted(
        self, run: SearchRun, tree: Tree, admission: Admission, waiting: Sequence[Queued]
    ) -> tuple[list[Expansion], Limit | None]:
        """Leases for as many of the first ones as the budget pays for, and what limits them."""
        settings, taken = self.settings, Usage()
        wave: list[Expansion] = []
        parallel = settings.max_parallel or sum(ask.count for ask in waiting)
        wanted = sum(ask.count for ask in waiting)
        for ask in waiting:
            in_flight = sum(expansion.count for expansion in wave)
            if wave and in_flight + ask.count > parallel:
                break
            endpoint = settings.endpoints[ask.model]
            together = ask.count > 1 and endpoint.shares_prompt
            together = together and not (run.separate or run.distrusted)
            bound = self._prompt_tokens(run, admission, ask.parent)
            size = sample_size(
                settings, admission, model=ask.model, prompt_tokens=bound, together=together
            )
            granted = grant(
                admission.budget.remaining(run.usage + admission.reserved + taken),
                size,
                wanted=ask.count,
                still_wanted=max(ask.count, wanted - in_flight),
                nothing_yet=settings.growth.complete and not (run.nodes or wave),
            )
            if granted.lease is not None:
                wave.append(_expansion(run, ask, granted, bound, together=together))
                leases = 1 if together else granted.samples
                taken += _whole(granted, leases) + _times(admission.beside, granted.samples)
            if granted.samples < ask.count:
                return wave, granted.limited_by
        return wave, None

    def _withdraw(self, tree: Tree, wave: list[Expansion], waiting: Sequence[Queued]) -> None:
        """Take back what the budget has no room for: the last of what was asked for."""
        for place in range(len(waiting) - 1, len(wave) - 2, -1):
            if place < 0:
                break
            ask = waiting[place]
            kept = wave[place].count if place < len(wave) else 0
            if kept < ask.count:
                tree.withdraw(_as_ask(ask), keep=kept)

    def _closing(self, run: SearchRun, tree: Tree, admission: Admission) -> list[Expansion]:
        """One more completion, from what was reserved: the rest of the best partial answer."""
        scored = [node for node in run.nodes if node.fate == "open"]
        best = max(scored, key=lambda node: node.score or 0.0, default=None)
        parent = ROOT if best is None else best.index
        bound = self._prompt_tokens(run, admission, parent, closing=True)
        size = sample_size(self.settings, admission, model=0, prompt_tokens=bound, closing=True)
        left = admission.budget.remaining(run.usage)
        granted = grant(left, size, wanted=1, still_wanted=1, nothing_yet=True)
        if granted.lease is None:
            return []
        ask = queued(tree, tree.append(parent))
        return [_expansion(run, ask, granted, bound, together=False, closing=True)]

    def _prompt_tokens(
        self, run: SearchRun, admission: Admission, parent: int, *, closing: bool = False
    ) -> int:
        """What a prompt that goes on from a node counts at most."""
        known = admission.prompt_bound if parent == ROOT else run.node(parent).prompt_tokens
        if parent == ROOT and not run.reflections and not closing:
            return known
        return known + self.settings.growth.words_bound(reflections=run.reflections)


def expected_costs(settings: SearchSettings, run: SearchRun) -> Costs | None:
    """What a fresh and a refined answer of each model cost: as seen so far, else at most.

    In dollars where every model has a price above nothing, else in tokens.
    """
    admission = run.admission
    if admission is None:
        return None
    models = range(len(settings.endpoints))
    seen = [[_Seen() for _ in models] for _ in range(2)]
    for node in run.nodes[-_LOOKED_AT:]:
        seen[node.parent != ROOT][node.model].add(node)
    bounds = [
        sample_size(settings, admission, model=model, prompt_tokens=admission.prompt_bound).cost()
        for model in models
    ]
    priced = all(bound.usd > 0 for bound in bounds)
    fresh = [seen[0][model].mean(bounds[model], priced=priced) for model in models]
    refined = [
        seen[1][model].mean(_times(bounds[model], 2), priced=priced)
        if seen[1][model].count
        else fresh[model] * _REFINING
        for model in models
    ]
    if min(fresh) <= 0 or min(refined) <= 0:
        return None
    return Costs(tuple(fresh), tuple(refined))


_LOOKED_AT = 64
"""The last nodes tell what answers cost."""
_REFINING = 1.5
"""What a refined answer costs beside a fresh one before there is any: its prompt is longer."""


class _Seen:
    """What answers of one kind have cost."""

    def __init__(self) -> None:
        self.count, self.usd, self.tokens = 0, 0.0, 0

    def add(self, node: Node) -> None:
        made, checked = node.candidate.usage, node.checked
        self.count += 1
        self.usd += made.usd + checked.usd
        self.tokens += made.tokens + checked.tokens

    def mean(self, bound: Usage, *, priced: bool) -> float:
        if not self.count:
            return bound.usd if priced else float(bound.tokens)
        return (self.usd if priced else self.tokens) / self.count


def _expansion(
    run: SearchRun,
    ask: Queued,
    granted: Grant,
    prompt_tokens: int,
    *,
    together: bool,
    closing: bool = False,
) -> Expansion:
    if granted.lease is None:
        raise ValueError("an expansion needs a lease")
    return Expansion(
        parent=ask.parent,
        first=ask.first,
        count=granted.samples,
        model=ask.model,
        lane=ask.lane,
        lease=granted.lease,
        together=together and granted.samples > 1,
        prompt_tokens=prompt_tokens,
        granted_in=run.process,
        distrusted=run.distrusted,
        closing=closing,
    )


def _as_ask(ask: Queued) -> Ask:
    return Ask(ask.parent, ask.first, ask.count, ask.model)


def _whole(granted: Grant, leases: int) -> Usage:
    lease = granted.lease
    if lease is None:
        return Usage()
    one = Usage(calls=lease.calls or 0, input_tokens=lease.tokens or 0, usd=lease.usd or 0.0)
    return _times(one, leases)


def _times(usage: Usage, count: int) -> Usage:
    return Usage.total([usage] * count)
