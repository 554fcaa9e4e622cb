"""The node that looks at failures: one short lesson from each answer that did not pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from tscale_graph.budget import Budget, Usage
from tscale_graph.leases import Grant, SampleSize, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete, count_prompt
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.requesting import gathered, watched
from tscale_graph.techniques.restarts import once
from tscale_graph.techniques.state import Admission
from tscale_graph.techniques.tree_search.conversation import conversation
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    Node,
    SearchRun,
    SearchState,
    has_passed,
)

REFLECT = (
    "This attempt did not pass{feedback}. In one or two sentences, say what is wrong with it and "
    "what should be done differently next time. Do not solve the task."
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
        """Reflect on the failures of the round, as far as the budget has room for it."""
        run = SearchRun.model_validate(state)
        reflect = partial(self._reflect, run)
        return await once(run.delivery, "reflect", reflect, reflect)

    async def _reflect(self, run: SearchRun, begun: int = 0) -> dict[str, Any]:
        failures = self._failures(run)
        if not failures or run.admission is None:
            return {}
        prompts = [self._prompt(run, failure) for failure in failures]
        granted, size = await self._granted(run, run.admission, prompts)
        if size is None or granted.lease is None:
            return {"clock": time.time()}
        asked = prompts[: granted.samples]
        if begun:
            lost = Usage.total([size.cost()] * len(asked))
            return {
                "spent": lost.model_dump(),
                "reflected": len(asked),
                "clock": time.time(),
            }
        said = await gathered(
            [partial(self._ask, run, one, granted.lease, size) for one in asked],
            at_once=self.settings.max_parallel,
        )
        return {
            "reflections": _lessons(said, run.reflections),
            "reflected": len(asked),
            "remarks": [f"a reflection failed: {one.error}" for one in said if one.error],
            "spent": Usage.total(one.usage for one in said).model_dump(),
            "distrusted": any(one.overshoot_tokens for one in said),
            "clock": time.time(),
        }

    def _failures(self, run: SearchRun) -> list[Node]:
        """Final answers of the round that did not pass, where later turns can learn from them."""
        count = sum(expansion.count for expansion in run.wave)
        last = run.nodes[-count:] if count else []
        over = any(expansion.closing for expansion in run.wave) or any(map(has_passed, last))
        if over or len(run.nodes) >= self.settings.max_nodes:
            return []
        failures = [node for node in last if node.same_as is None and _has_failed(node)]
        return failures[: max(0, self.settings.reflects - run.reflected)]

    def _prompt(self, run: SearchRun, failure: Node) -> list[BaseMessage]:
        note = failure.note[:_FEEDBACK_CHARACTERS]
        told = REFLECT.format(feedback=f": {note}" if note else "")
        attempt = conversation(self.settings.conversation(run.messages), run.trail(failure.index))
        return [*attempt, HumanMessage(told)]

    async def _granted(
        self, run: SearchRun, admission: Admission, prompts: Sequence[list[BaseMessage]]
    ) -> tuple[Grant, SampleSize | None]:
        """A lease for each of as many as the budget pays for, of the size of the largest."""
        endpoint, largest = self.settings.endpoints[0], 0
        for prompt in prompts:
            left = None if admission.deadline is None else admission.deadline - time.time()
            bound = await count_prompt(endpoint, prompt, seconds=left)
            if bound is None:
                return Grant(0, None, "seconds"), None
            largest = max(largest, bound)
        size = endpoint.size(prompt_tokens=largest, output_tokens=REFLECTION_TOKENS)
        left = admission.budget.remaining(run.usage + run.reserved)
        wanted = len(prompts)
        return grant(left, size, wanted=wanted, still_wanted=wanted, nothing_yet=False), size

    async def _ask(
        self, run: SearchRun, prompt: list[BaseMessage], lease: Budget, size: SampleSize
    ) -> list[Completion]:
        settings = self.settings
        return await complete(
            watched(settings.endpoints[0], distrusted=run.distrusted),
            Request(
                messages=prompt,
                max_output_tokens=REFLECTION_TOKENS,
                temperature=settings.temperature,
                prompt_tokens=size.prompt_tokens,
            ),
            lease,
            deadline=run.admission.deadline if run.admission else None,
        )


def _lessons(said: Sequence[Completion], known: Sequence[str]) -> list[str]:
    """What is new in what was said, each in one line."""
    lessons: list[str] = []
    for one in said:
        lesson = " ".join(one.text.split())[:_REFLECTION_CHARACTERS]
        if lesson and lesson not in (*known, *lessons):
            lessons.append(lesson)
    return lessons


def _has_failed(node: Node) -> bool:
    """Whether it is a final answer that did not pass."""
    verdict = node.candidate.verdict
    if node.fate != "terminal" or verdict is None:
        return False
    return verdict.passed is False or (verdict.passed is None and verdict.score < _HALF)


_HALF = 0.5
"""A final answer that scores less has failed, where the value function does not decide."""
