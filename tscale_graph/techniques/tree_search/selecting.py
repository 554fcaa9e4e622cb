"""The node that chooses: what to expand next, and what that may spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from langgraph.types import Send

from tscale_graph.budget import Limit, Remaining, Usage
from tscale_graph.leases import Grant, all_of, grant
from tscale_graph.search.asking import Ask
from tscale_graph.search.tree import ROOT, Tree
from tscale_graph.techniques.restarts import LOST, new_grant, saved
from tscale_graph.techniques.state import Admission
from tscale_graph.techniques.tree_search.costing import expected_costs, sample_size
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    ExpandTask,
    Expansion,
    SearchRun,
    SearchState,
    Working,
)
from tscale_graph.techniques.whole_runs import times


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
        saved(run.delivery, *(expansion.granted_by for expansion in run.wave))
        working = run.at_hand(settings.policy, models=len(settings.endpoints))
        tree = working.tree
        waiting = [*run.queue, *self._lost(run, tree)] or self._asked(run, tree)
        waiting, dear = self._affordable(run, admission, tree, waiting)
        needed = _STEPS_OF_ROUND + (1 if settings.growth.complete else _STEPS_OF_ROUND)
        out_of_steps = run.remaining_steps is not None and run.remaining_steps < needed
        if out_of_steps:
            self._withdraw(tree, waiting)
            waiting = []
        kept = self._kept_back(run, working, admission, waiting)
        wave, queue, limit = self._granted(run, admission, waiting, kept=kept)
        if limit is not None:
            self._withdraw(tree, queue)
            queue = []
        ended_by = limit if not wave else None
        if not wave and not tree.complete and not settings.growth.complete:
            wave, kept = self._closing(run, working, admission), Usage()
        return {
            "wave": [expansion.model_dump() for expansion in wave],
            "queue": [asdict(ask) for ask in queue],
            "working": working,
            "reserved": kept.model_dump(),
            "returned": None,
            "cut_off_by": run.cut_off_by or ended_by,
            "remarks": [OUT_OF_STEPS] if out_of_steps else [dear] if dear else [],
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
                        trail=run.trail(expansion.parent),
                        reflections=run.reflections,
                        deadline=run.admission.deadline,
                        seed=run.admission.seed,
                    )
                ),
            )
            for expansion in run.wave
        ]

    def _lost(self, run: SearchRun, tree: Tree) -> list[Ask]:
        """Once more what was lost when the run was stopped; the nodes lost stay failed."""
        asks: list[Ask] = []
        for expansion in run.wave:
            left = self.settings.max_nodes - (tree.size - 1)
            if run.node(expansion.first).candidate.error == LOST and left > 0:
                count, model, lane = expansion.count, expansion.model, expansion.lane
                again = tree.append(
                    expansion.parent, count=min(count, left), model=model, lane=lane
                )
                asks.append(again)
        return asks

    def _asked(self, run: SearchRun, tree: Tree) -> list[Ask]:
        """What the policy wants, as far as there may be nodes for it."""
        settings = self.settings
        left = settings.max_nodes - (tree.size - 1)
        if left <= 0:
            return []
        rng = np.random.default_rng((run.entropy, tree.size))
        costs = expected_costs(settings, run) if settings.policy.weighs_costs else None
        asks = settings.policy.ask(tree, min(settings.batch, left), rng, costs=costs)
        while asks and asks[-1].nodes.stop > settings.max_nodes + 1:
            last = asks.pop()
            keep = max(0, settings.max_nodes + 1 - last.first)
            tree.withdraw(last, keep=keep)
            asks += [last.split(keep)[0]] if keep else []
        return asks

    def _affordable(
        self, run: SearchRun, admission: Admission, tree: Tree, waiting: list[Ask]
    ) -> tuple[list[Ask], str]:
        """The same, where what the rest of the budget does not pay for is asked of another model.

        With a remark, if there was such a thing.
        """
        settings = self.settings
        if len(settings.endpoints) == 1 or not waiting:
            return waiting, ""
        left = admission.budget.remaining(run.usage)

        def fits(model: int, parent: int) -> bool:
            bound = self._prompt_tokens(run, admission, parent)
            size = sample_size(settings, admission, model=model, prompt_tokens=bound)
            return grant(left, size, wanted=1, still_wanted=1, nothing_yet=False).samples == 1

        models = range(len(settings.endpoints))
        others = {
            ask.first: next((m for m in models if fits(m, ask.parent)), ask.model)
            for ask in waiting
            if not fits(ask.model, ask.parent)
        }
        changed = [ask for ask in waiting if others.get(ask.first, ask.model) != ask.model]
        asked_last = sum(ask.count for ask in waiting) == tree.size - waiting[0].first
        if not changed or not asked_last:
            return waiting, ""
        for ask in reversed(waiting):
            tree.withdraw(ask)
        asked = [
            tree.append(
                ask.parent,
                count=ask.count,
                model=others.get(ask.first, ask.model),
                lane=ask.lane,
            )
            for ask in waiting
        ]
        names = dict.fromkeys(settings.endpoints[ask.model].name for ask in changed)
        return asked, f"{', '.join(names)}: too much for what was left, so another was asked"

    def _kept_back(
        self, run: SearchRun, working: Working, admission: Admission, waiting: Sequence[Ask]
    ) -> Usage:
        """What completing a partial answer may take once the next steps have been added."""
        settings = self.settings
        if settings.growth.complete:
            return Usage()
        longest = max(
            self._prompt_tokens(run, admission, parent, closing=True)
            for parent in {working.best_partial, *(ask.parent for ask in waiting)}
        )
        step = settings.growth.output_limit(settings.max_output_tokens, closing=False)
        size = sample_size(settings, admission, model=0, prompt_tokens=longest + step, closing=True)
        return size.cost() + admission.beside

    def _granted(
        self, run: SearchRun, admission: Admission, waiting: Sequence[Ask], *, kept: Usage
    ) -> tuple[list[Expansion], list[Ask], Limit | None]:
        """Leases for as many of the first ones as may be in flight and as the budget pays for.

        With what has to wait, and the limit that is the reason, if it is one.
        """
        settings, taken = self.settings, run.usage + kept
        wave: list[Expansion] = []
        queue = list(waiting)
        wanted = sum(ask.count for ask in waiting)
        parallel = settings.max_parallel or wanted
        in_flight = 0
        while queue and in_flight < parallel:
            ask, rest = queue.pop(0), None
            if not settings.growth.compares:
                ask, rest = ask.split(parallel - in_flight)
            elif wave and ask.count > parallel - in_flight:
                return wave, [ask, *queue], None
            left = admission.budget.remaining(taken)
            together = self._together(run, ask, left)
            bound = self._prompt_tokens(run, admission, ask.parent)
            granted = grant(
                left,
                sample_size(
                    settings, admission, model=ask.model, prompt_tokens=bound, together=together
                ),
                wanted=ask.count,
                still_wanted=max(ask.count, wanted - in_flight),
                nothing_yet=settings.growth.complete and not (run.nodes or wave),
            )
            if granted.lease is not None:
                wave.append(
                    _expansion(
                        ask,
                        granted,
                        bound,
                        run=run,
                        together=together,
                        at_once=settings.max_parallel,
                    )
                )
                in_flight += granted.samples
                leases = 1 if together else granted.samples
                taken += all_of(granted.lease, leases=leases)
                taken += times(admission.beside, granted.samples)
            if granted.samples < ask.count:
                _, missing = ask.split(granted.samples)
                later = [part for part in (missing, rest) if part is not None]
                return wave, [*later, *queue], granted.limited_by
            queue = [rest, *queue] if rest is not None else queue
        return wave, queue, None

    def _together(self, run: SearchRun, ask: Ask, left: Remaining) -> bool:
        """Whether the children are completions of one request."""
        endpoint = self.settings.endpoints[ask.model]
        if ask.count == 1 or not endpoint.shares_prompt or run.separate or run.distrusted:
            return False
        if self.settings.max_parallel is not None and ask.count > self.settings.max_parallel:
            return False
        return bool(run.nodes) or endpoint.may_risk_refusal(ask.count, calls=left.calls)

    def _withdraw(self, tree: Tree, queue: Sequence[Ask]) -> None:
        """Take back what the budget has no room for: the last of what was asked for."""
        for ask in reversed(queue):
            tree.withdraw(ask)

    def _closing(self, run: SearchRun, working: Working, admission: Admission) -> list[Expansion]:
        """One more completion, from what was kept back: the rest of the best partial answer.

        Or of the longest part of it that the budget still pays for.
        """
        left = admission.budget.remaining(run.usage)
        for parent in reversed(working.tree.path(working.best_partial)):
            bound = self._prompt_tokens(run, admission, parent, closing=True)
            size = sample_size(self.settings, admission, model=0, prompt_tokens=bound, closing=True)
            granted = grant(left, size, wanted=1, still_wanted=1, nothing_yet=parent == ROOT)
            if granted.lease is not None:
                ask = working.tree.append(parent, closing=True)
                return [_expansion(ask, granted, bound, run=run, together=False, closing=True)]
        return []

    def _prompt_tokens(
        self, run: SearchRun, admission: Admission, parent: int, *, closing: bool = False
    ) -> int:
        """What a prompt that goes on from a node counts at most.

        The first prompt as a provider counted it, once one has.
        """
        counted = [
            node.candidate.prompt_tokens
            for node in run.nodes[:_FIRST_NODES]
            if node.parent == ROOT and node.candidate.prompt_tokens is not None
        ]
        endpoints = self.settings.endpoints
        told = len(endpoints) == 1 and not endpoints[0].counter.own and counted
        first = max(counted) if told else admission.prompt_bound
        beyond = 0 if parent == ROOT else run.node(parent).prompt_tokens
        words = self.settings.growth.words_bound(reflections=run.reflections, closing=closing)
        return first + beyond + words


_STEPS_OF_ROUND = 6
"""Supersteps that a round takes at most, with those that end the search."""
OUT_OF_STEPS = "the graph's recursion_limit ended the search"
_FIRST_NODES = 16
"""Among these is one whose prompt was the first one."""


def _expansion(
    ask: Ask,
    granted: Grant,
    prompt_tokens: int,
    *,
    run: SearchRun,
    together: bool,
    at_once: int | None = None,
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
        granted_by=new_grant(),
        distrusted=run.distrusted,
        at_once=at_once,
        closing=closing,
    )
