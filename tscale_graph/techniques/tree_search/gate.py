"""The first node: a request is let in."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Overwrite

from tscale_graph.budget import Usage
from tscale_graph.techniques.admission import let_in
from tscale_graph.techniques.state import Admission
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import SearchRun, SearchState


@dataclass(frozen=True)
class SearchGate:
    """Lets a request in; nothing of an earlier one on the same thread is left."""

    settings: SearchSettings

    async def admit(self, state: SearchState, config: RunnableConfig) -> dict[str, Any]:
        """Find the budget of a request, stamp its deadline, and start a search.

        Raises:
            ValueError: when there is no question, no budget, or no price to keep to it by.
        """
        settings, now = self.settings, time.time()
        run = SearchRun.model_validate(state)

        def sized(bare: Admission) -> Admission:
            asked = settings.growth.prompt(settings.conversation(run.messages), [], reflections=[])
            needs = getattr(settings.verifier, "needs", None)
            most = settings.max_output_tokens
            beside = needs(run.question, answer_tokens=most) if needs else Usage()
            bound = max(one.counter.prompt_bound(asked) for one in settings.endpoints)
            return bare.model_copy(update={"prompt_bound": bound, "beside": beside})

        admission = await let_in(
            state,
            config,
            now,
            default=settings.budget,
            seed=settings.seed,
            unpriced=settings.unpriced,
            sized=sized,
            asks_servers=settings.asks_servers,
        )
        seed = admission.seed
        return {
            "admission": admission.model_dump(),
            "entropy": random.SystemRandom().getrandbits(64) if seed is None else seed,
            "nodes": Overwrite([]),
            "working": None,
            "wave": [],
            "queue": [],
            "returned": None,
            "spent": None,
            "reflections": None,
            "reflected": None,
            "remarks": None,
            "cut_off_by": None,
            "clock": time.time(),
        }
