"""The node that looks at failures: one short lesson from each answer that turned out wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage

from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete, count_prompt
from tscale_graph.techniques.restarts import asked_before
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    Node,
    SearchRun,
    SearchState,
    conversation,
    has_passed,
)

REFLECT = (
    "This attempt has failed{feedback}. In one or two sentences, say what went wrong and what "
    "should be done differently next time. Do not solve the task."
)
"""What a model is told to make it reflect."""
REFLECTION_TOKENS = 160
"""The most tokens of a reflection."""
_FEEDBACK_CHARACTERS = 400
_REFLECTION_CHARACTERS = 800


@dataclass(frozen=True)
class Reflector:
    """Asks the model what a failed attempt teaches (Shinn et al. 2023, arXiv:2303.11366)."""

    settings: SearchSettings

    async def reflect(self, state: SearchState) -> dict[str, Any]:
        """Reflect on the last failure, if there is one and the budget has room for it."""
        run = SearchRun.model_validate(state)
        settings, admission = self.settings, run.admission
        failure = _failure(run)
        enough = len(run.reflections) >= settings.reflects or len(run.nodes) >= settings.max_nodes
        if failure is None or admission is None or enough:
            return {}
        endpoint = settings.endpoints[0]
        note = failure.note[:_FEEDBACK_CHARACTERS]
        told = REFLECT.format(feedback=f": {note}" if note else "")
        messages = conversation(settings.conversation(run.messages), run.trail(failure.index))
        prompt = [*messages, HumanMessage(told)]
        left = None if admission.deadline is None else admission.deadline - time.time()
        bound = await count_prompt(endpoint, prompt, seconds=left)
        if bound is None:
            return {"clock": time.time()}
        size = SampleSize(bound, REFLECTION_TOKENS, endpoint.prices.ceiling)
        granted = grant(
            admission.budget.remaining(run.usage + run.reserved),
            size,
            wanted=1,
            still_wanted=1,
            nothing_yet=False,
        )
        if granted.lease is None:
            return {"clock": time.time()}
        if asked_before(run.wave[-1].granted_in):
            return {"spent": size.cost().model_dump(), "clock": time.time()}
        [said] = await complete(
            endpoint,
            Request(
                messages=prompt,
                max_output_tokens=REFLECTION_TOKENS,
                temperature=settings.temperature,
                prompt_tokens=bound,
            ),
            granted.lease,
            deadline=admission.deadline,
        )
        lesson = " ".join(said.text.split())[:_REFLECTION_CHARACTERS]
        new = [lesson] if lesson and lesson not in run.reflections else []
        return {
            "reflections": new,
            "spent": said.usage.model_dump(),
            "clock": time.time(),
        }


def _failure(run: SearchRun) -> Node | None:
    """The last final answer of the round that did not pass, where none has."""
    count = sum(expansion.count for expansion in run.wave)
    last = run.nodes[-count:] if count else []
    if any(has_passed(node) for node in last):
        return None
    for node in reversed(last):
        verdict = node.candidate.verdict
        if node.fate != "terminal" or verdict is None:
            continue
        if verdict.passed is False or (verdict.passed is None and verdict.score < _HALF):
            return node
    return None


_HALF = 0.5
"""A final answer that scores less has failed, where the value function does not decide."""
