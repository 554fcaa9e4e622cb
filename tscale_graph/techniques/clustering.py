"""The clustering node: finds out which answers in free text mean the same."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from langgraph.errors import GraphBubbleUp

from tscale_graph.budget import Budget
from tscale_graph.models.failures import one_line
from tscale_graph.techniques.checking import short_key
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import SamplingState, Snapshot, newly_read
from tscale_graph.verifiers.meaning import Grouped, Meaning
from tscale_graph.votes import read_answers


@dataclass(frozen=True)
class Clusterer:
    """Puts each new answer to an earlier one that means the same, if there is one."""

    settings: SamplingSettings
    meaning: Meaning

    async def cluster(self, state: SamplingState) -> dict[str, Any]:
        """Compare new answers with those that stand for a meaning so far."""
        run = Snapshot.model_validate(state)
        answers: dict[str, str] = {}
        votes = Counter[str]()
        candidates = read_answers(run.candidates, self.meaning, run.answers)
        for candidate in candidates:
            if candidate.answer is None or candidate.error or candidate.discarded is not None:
                continue
            if candidate.tool_calls:  # which are the same or not, whatever they mean
                continue
            key = short_key(self.meaning.key(candidate.answer))
            answers.setdefault(key, candidate.answer)
            votes[run.clusters.get(key, key)] += 1
        known = [key for key, _ in votes.most_common() if run.clusters.get(key) == key]
        new = [key for key in answers if key not in run.clusters]
        if not new:
            return {"clock": time.time(), "answers": newly_read(run, candidates)}
        grouped = await self._group(run, [answers[k] for k in known], [answers[k] for k in new])
        keys = [*known, *new]
        clusters = {
            key: key if place is None else keys[place]
            for key, place in zip(new, grouped.same_as, strict=True)
        }
        return {
            "answers": newly_read(run, candidates),
            "clusters": clusters,
            "cluster_usage": grouped.usage.model_dump(),
            "cluster_notes": list(grouped.notes),
            "clock": time.time(),
        }

    async def _group(self, run: Snapshot, known: list[str], new: list[str]) -> Grouped:
        admission = run.admission
        lease = None
        if admission is not None:
            remaining = admission.budget.remaining(run.usage + admission.reserved)
            if remaining.spent_limit is None:
                lease = Budget.model_validate(remaining.model_dump())
        try:
            return await self.meaning.group(
                run.question, known, new, lease=lease, deadline=admission and admission.deadline
            )
        except GraphBubbleUp:  # an interrupt is for whoever runs the graph
            raise
        except Exception as error:  # noqa: BLE001 - anybody's embedding model
            note = f"answers could not be compared: {one_line(error)}"
            return Grouped((None,) * len(new), notes=(note,))
