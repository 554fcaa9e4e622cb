"""The closing node: shows the finalists to a model, and lets it rank them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tscale_graph.answers import AnswerKind
from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.techniques.closing import Closing
from tscale_graph.techniques.reading import read
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Ranking, SamplingState, Snapshot
from tscale_graph.votes import finalists


@dataclass(frozen=True)
class Closer:
    """Ranks the last candidates by calls of its own, in what the budget has left."""

    settings: SamplingSettings
    closing: Closing

    async def rank(self, state: SamplingState) -> dict[str, Any]:
        """Rank the finalists; without enough of them or of the budget, leave it to the vote."""
        run = Snapshot.model_validate(state)
        kind, candidates = read(self.settings, run)
        ranking = await self._rank(run, self._finalists(candidates, kind))
        return {"ranking": ranking.model_dump(), "clock": time.time()}

    def _finalists(self, candidates: Sequence[Candidate], kind: AnswerKind) -> list[Candidate]:
        if self.closing.distinct:
            return finalists(candidates, kind, at_most=self.closing.at_most)
        whole = [c for c in candidates if c.answer is not None and not c.error]
        return [c for c in whole if c.discarded is None][: self.closing.at_most]

    async def _rank(self, run: Snapshot, shown: Sequence[Candidate]) -> Ranking:
        name = self.closing.name
        if len(shown) < 2 or run.admission is None:
            return Ranking()
        remaining = run.admission.budget.remaining(run.usage)
        if remaining.spent_limit is not None:
            note = f"{name}: {remaining.spent_limit} was used up, so the votes decided"
            return Ranking(notes=(note,))
        seed = run.admission.seed
        closed = await self.closing.rank(
            run.question,
            [_shown(candidate) for candidate in shown],
            # The finalists come in the order of their votes.
            priors=[float(-place) for place in range(len(shown))],
            lease=Budget.model_validate(remaining.model_dump()),
            rng=random.Random(None if seed is None else f"{seed}/closing"),
            deadline=run.admission.deadline,
        )
        if not closed.weights:
            notes = (*closed.notes, f"{name} ranked nothing, so the votes decided")
            return Ranking(usage=closed.usage, notes=notes)
        by_index = {c.index: w for c, w in zip(shown, closed.weights, strict=True)}
        last = min(closed.weights) - 1
        weights = tuple(by_index.get(place, last) for place in range(max(by_index) + 1))
        return Ranking(weights=weights, usage=closed.usage, notes=closed.notes)


def _shown(candidate: Candidate) -> str:
    """What a model is shown of a candidate: what it said, and the tools that it calls."""
    calls = candidate.answer if candidate.tool_calls else None
    return "\n".join(part for part in (candidate.text, calls) if part)
