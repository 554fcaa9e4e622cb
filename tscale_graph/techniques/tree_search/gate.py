"""The first node: a request is let in."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Overwrite

from tscale_graph.budget import Usage
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.threads import in_thread
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.state import Admission, question_of
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
        now = time.time()
        run = SearchRun.model_validate(state)
        admission = await admit_search(self.settings, state, run.messages, config, now)
        seed = self.settings.seed
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
            "cut_off_by": None,
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
        return bare.model_copy(update={"prompt_bound": bound, "beside": beside})

    if not settings.asks_servers:
        return admission()
    try:
        async with asyncio.timeout(budget.seconds):
            return await in_thread(admission)
    except TimeoutError:
        return bare  # whose time is up, so that nothing is granted
