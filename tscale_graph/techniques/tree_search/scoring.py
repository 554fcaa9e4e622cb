"""What follows the expansions of a round: their scores, the tree told, and whether to go on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from tscale_graph.budget import Usage
from tscale_graph.candidates import Checked, Verdict
from tscale_graph.models.threads import in_thread
from tscale_graph.search.tree import ROOT
from tscale_graph.techniques.checking import (
    VERIFY,
    check_answer,
    recharged,
    scarcest,
    share_out,
)
from tscale_graph.techniques.restarts import once
from tscale_graph.techniques.tree_search.expanding import failed
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    Fate,
    Node,
    SearchRun,
    SearchState,
    Working,
    has_passed,
    register,
    usages,
)


@dataclass(frozen=True)
class Scorer:
    """Runs the verifier on the nodes of a round; nodes that are the same share a verdict."""

    settings: SearchSettings

    async def verify(self, state: SearchState) -> dict[str, Any]:
        """Score new nodes, side by side; one that cannot be scored costs only itself."""
        run = with_agreement(SearchRun.model_validate(state))
        verify = partial(self._verify, run)
        return await once(run.delivery, VERIFY, verify, verify)

    async def _verify(self, run: SearchRun, begun: int = 0) -> dict[str, Any]:
        known = run.working.by_key if isinstance(run.working, Working) else _keys(run.nodes)
        first: dict[str, int] = {}
        for node in run.returned:
            if node.fate is None and node.key and node.key not in known:
                first.setdefault(node.key, node.index)
        asked = [
            node
            for node in run.returned
            if node.fate is None and (not node.key or first.get(node.key) == node.index)
        ]
        # A node that only ends what was there has its parent's verdict.
        ends = {node.index: run.node(node.parent) for node in asked if _only_ends(node)}
        unjudged = [node for node in asked if not self.settings.growth.judges(node)]
        passed_by = {*ends, *(node.index for node in unjudged)}
        asked = [node for node in asked if node.index not in passed_by]
        checks = await self._checks(run, asked, begun=begun)
        scored = {
            node.index: self._scored(node, check) for node, check in zip(asked, checks, strict=True)
        }
        scored |= {node.index: self._unjudged(node) for node in unjudged}
        for node in run.returned:
            if node.index in ends:
                verdict = _free(ends[node.index].candidate.verdict)
                scored[node.index] = self._scored(node, Checked(verdict=verdict))
        for node in run.returned:
            if node.fate is None and node.index not in scored:
                original = known.get(node.key)
                like = run.node(original) if original else scored[first[node.key]]
                scored[node.index] = self._same(node, like)
        nodes = await self._sized(run, list(scored.values()))
        return {"returned": [node.model_dump() for node in nodes], "clock": time.time()}

    async def _checks(self, run: SearchRun, asked: list[Node], *, begun: int) -> list[Checked]:
        admission = run.admission
        if admission is None or not asked:
            return []
        lost = Usage.total([admission.beside] * begun)
        taken = [run.usage, run.reserved, *[lost] * len(asked)]
        left = admission.budget.remaining(Usage.total(taken))
        leases = share_out(left, len(asked))
        growth, question = self.settings.growth, run.question
        checks = await asyncio.gather(
            *(
                check_answer(
                    self.settings.verifier,
                    question,
                    growth.judged_text([*run.trail(node.parent), node]),
                    lease=lease,
                    deadline=admission.deadline,
                    short_of=None if lease is not None else scarcest(left),
                )
                for node, lease in zip(asked, leases, strict=True)
            )
        )
        return recharged(checks, lost) if begun else checks

    async def _sized(self, run: SearchRun, nodes: list[Node]) -> list[Node]:
        """The nodes, each with what a prompt that goes on from it counts at most."""
        settings, admission = self.settings, run.admission
        if admission is None:
            return nodes
        conversation = settings.conversation(run.messages)

        def sized(node: Node) -> Node:
            if node.fate not in ("open", "closed") or node.same_as is not None:
                return node
            trail = [*run.trail(node.parent), node]
            prompt = settings.growth.prompt(conversation, trail, reflections=[])
            bound = max(one.counter.prompt_bound(prompt) for one in settings.endpoints)
            beyond = max(0, bound - admission.prompt_bound)
            return node.model_copy(update={"prompt_tokens": beyond})

        if not any(one.counter.asks_server for one in settings.endpoints):
            return [sized(node) for node in nodes]
        left = None if admission.deadline is None else max(0.0, admission.deadline - time.time())
        try:
            async with asyncio.timeout(left):
                return await asyncio.gather(*(in_thread(partial(sized, node)) for node in nodes))
        except TimeoutError:
            return nodes  # nothing more is asked then

    def _scored(self, node: Node, check: Checked) -> Node:
        """A node with its score, or why it has none."""
        verdict = check.verdict
        if verdict is None:
            told = f"not verified: {check.error}"
            candidate = node.candidate.model_copy(
                update={
                    "notes": [*node.candidate.notes, told],
                    "cut_off_by": node.candidate.cut_off_by or check.cut_off_by,
                }
            )
            changes = {"candidate": candidate, "checked": check.spent}
            return failed(node.model_copy(update=changes), told)
        try:
            score = self.settings.growth.score(node, verdict)
        except ValueError as error:
            return failed(node.model_copy(update={"checked": check.spent}), str(error))
        if not 0 <= score <= 1:  # also for NaN
            told = f"not verified: a score must be between 0 and 1, got {score}"
            return failed(node.model_copy(update={"checked": check.spent}), told)
        verdict = verdict.model_copy(update={"score": score})
        complete = self.settings.growth.ends(node, verdict)
        fate: Fate = "closed" if node.closed else "open"
        if complete and not self.settings.growth.complete:
            fate = "terminal"
        return node.model_copy(
            update={
                "candidate": node.candidate.model_copy(update={"verdict": verdict}),
                "fate": fate,
                "score": score,
                "complete": complete,
                "note": verdict.feedback,
                "checked": check.spent,
            }
        )

    def _unjudged(self, node: Node) -> Node:
        """A node that the verifier has nothing to say of."""
        fate: Fate = "closed" if node.closed else "open"
        return node.model_copy(
            update={"fate": fate, "score": self.settings.growth.score(node, None)}
        )

    def _same(self, node: Node, original: Node) -> Node:
        """A node that is the same as an earlier one: its verdict, without asking again."""
        if original.score is None:
            cut = {"cut_off_by": original.candidate.cut_off_by}
            candidate = node.candidate.model_copy(update=cut)
            changes = {"candidate": candidate, "same_as": original.index}
            return failed(node.model_copy(update=changes), original.note)
        verdict = _free(original.candidate.verdict)
        return node.model_copy(
            update={
                "candidate": node.candidate.model_copy(update={"verdict": verdict}),
                "fate": "closed",
                "same_as": original.index,
                "score": original.score,
                "complete": original.complete,
                "note": f"the same as node {original.index}",
            }
        )


@dataclass(frozen=True)
class Backup:
    """Tells the tree what became of the round; its edge decides whether there is another."""

    settings: SearchSettings

    async def backup(self, state: SearchState) -> dict[str, Any]:
        """Append the nodes of the round, and update the statistics along their paths."""
        run = SearchRun.model_validate(state)
        settings = self.settings
        working = run.at_hand(settings.policy, models=len(settings.endpoints))
        for node in run.returned:
            register(working, node, settings.policy)
        return {
            "reflections": self._lessons(run),
            "nodes": run.returned,
            "spent": Usage.total(usages(run.returned)).model_dump(),
            "returned": None,
            "working": working,
        }

    def _lessons(self, run: SearchRun) -> list[str]:
        """What later prompts are told of the nodes that failed."""
        if not self.settings.reflects:
            return []
        told = [self.settings.growth.lesson(node) for node in run.returned if node.fate == "failed"]
        new = [one for one in dict.fromkeys(told) if one and one not in run.reflections]
        return new[: max(0, _MOST_LESSONS - len(run.reflections))]

    async def decide(self, state: SearchState) -> str:
        """On to the answer when one has passed or nothing else can come; else another round."""
        run = SearchRun.model_validate(state)
        last = run.nodes[-sum(expansion.count for expansion in run.wave) :]
        passed = any(has_passed(node) for node in last)
        closing = any(expansion.closing for expansion in run.wave)
        over = passed or closing or _nothing_can_be_verified(run.nodes)
        return "finish" if over else "select"


def with_agreement(run: SearchRun) -> SearchRun:
    """The run with the new nodes' agreement with their siblings."""
    actions = Counter((node.parent, node.action) for node in run.returned if node.action)
    if not actions:
        return run
    siblings = Counter[int]()
    for (parent, _), count in actions.items():
        siblings[parent] += count

    def agreeing(node: Node) -> Node:
        same = actions[node.parent, node.action]
        share = same / siblings[node.parent] if same else 1.0
        return node.model_copy(update={"agreement": share})

    return run.model_copy(update={"returned": [agreeing(node) for node in run.returned]})


def _only_ends(node: Node) -> bool:
    return node.complete and not node.added and node.parent != ROOT


def _free(verdict: Verdict | None) -> Verdict | None:
    """A verdict that was paid for before."""
    return verdict and verdict.model_copy(update={"usage": Usage()})


_MOST_LESSONS = 12
"""What a prompt is told of earlier attempts at most, reflections included."""
_IN_VAIN = 3
"""Nodes that a verifier fails on in the same way before it is given up on."""


def _nothing_can_be_verified(nodes: list[Node]) -> bool:
    """Whether the verifier has failed on every one of the first nodes, for the same reason."""
    if any(node.score is not None for node in nodes[:_IN_VAIN]):
        return False
    asked = [node for node in nodes if node.same_as is None]  # of the others it was not asked
    if len(asked) < _IN_VAIN or any(node.candidate.cut_off_by for node in asked):
        return False
    failures = {node.note for node in asked}
    return len(failures) == 1 and next(iter(failures)).startswith("not verified")


def _keys(nodes: list[Node]) -> dict[str, int]:
    keys: dict[str, int] = {}
    for node in nodes:
        if node.key and node.score is not None:
            keys.setdefault(node.key, node.index)
    return keys
