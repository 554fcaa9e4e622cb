"""The nodes that ask the model: to think, and to answer. They never raise for a call that fails."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.replies import Completion
from tscale_graph.models.threads import in_thread
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.requesting import candidate_of, watched
from tscale_graph.techniques.restarts import LOST, lost_usages, new_grant, once
from tscale_graph.techniques.thinking.reading import (
    apart,
    native_turn,
    thought_turn,
    turn_of,
)
from tscale_graph.techniques.thinking.settings import ThinkingSettings
from tscale_graph.techniques.thinking.state import Step, ThinkingRun, ThinkingState, Turn
from tscale_graph.techniques.tree_search.conversation import what_came_new


@dataclass(frozen=True)
class Thinker:
    """Makes one call of a run under its lease.

    Thoughts are told on the custom stream as `{"thought": …}`, answers as `{"sample": …}`.
    """

    settings: ThinkingSettings

    async def think(self, state: ThinkingState) -> dict[str, Any]:
        """Think, or think on. Natively, the answer may come with the thought."""
        return await self._take(ThinkingRun.model_validate(state))

    async def answer(self, state: ThinkingState) -> dict[str, Any]:
        """Answer from the thought."""
        return await self._take(ThinkingRun.model_validate(state))

    async def _take(self, run: ThinkingRun) -> dict[str, Any]:
        step = run.step
        if step is None:
            raise ValueError("a call must be granted before it is made")

        async def ask() -> dict[str, Any]:
            return came_back(await self._turn(run, step))

        async def lost(times: int) -> dict[str, Any]:
            return came_back(lost_turn(step))

        return await once(step.granted_by, step.phase, ask, lost)

    async def _turn(self, run: ThinkingRun, step: Step) -> Turn:
        """Make the call, and read what came of it."""
        settings = self.settings
        messages = self._prompt(run, step)
        completion = await self._ask(messages, step, run.admission.seed if run.admission else None)
        if step.phase == "think" and step.way != "native":
            turn = await in_thread(lambda: thought_turn(settings, step, completion))
            announce({"thought": turn.candidate.reasoning})
            return turn
        if step.phase == "think":
            turn = await in_thread(lambda: native_turn(settings, step, completion))
        else:
            prefill = str(messages[-1].text) if messages[-1].type == "ai" else ""
            said = candidate_of(completion, index=0)
            # The thought is known: what a model thinks beside its answer is none of it.
            whole = what_came_new(said.text, prefill).strip()
            said.text = apart(whole, settings.markers)[1] or whole
            said.reasoning = ""
            turn = turn_of(step, completion, said)
        if turn.answers:
            announce({"sample": turn.candidate.model_dump()})
        return turn

    def _prompt(self, run: ThinkingRun, step: Step) -> list[BaseMessage]:
        if step.phase == "answer":
            return self.settings.to_answer(
                run.messages, way=step.way, thought=step.shown, cut=step.cut
            )
        begun = self.settings.begun(step.shown, step.cue)
        return self.settings.to_think(run.messages, way=step.way, thought=begun)

    async def _ask(self, messages: list[BaseMessage], step: Step, seed: int | None) -> Completion:
        settings = self.settings
        separate = step.phase == "think" and step.way != "native"
        completions = await complete(
            watched(settings.endpoint, distrusted=step.distrusted),
            Request(
                messages=messages,
                max_output_tokens=step.output_tokens,
                temperature=settings.temperature,
                seed=None if seed is None else seed + step.index,
                stop=[settings.markers[1]] if separate else None,
                prompt_tokens=step.prompt_tokens,
                thinking=step.thinking,
                answer_tokens=step.answer_tokens,
            ),
            step.lease,
            deadline=step.deadline,
            rng=random.Random(None if seed is None else f"{seed}/{step.index}"),
        )
        return completions[0]


def came_back(turn: Turn) -> dict[str, Any]:
    """A turn, as an update of the state."""
    return {
        "turns": [turn.model_dump()],
        "delivery": new_grant(),
        "clock": time.time(),
        "distrusted": turn.candidate.overshoot_tokens > 0,
    }


def lost_turn(step: Step) -> Turn:
    """A call that nobody knows the end of: it is charged all that it could have spent."""
    size = SampleSize(prompt_tokens=step.prompt_tokens, output_tokens=step.output_tokens)
    [usage] = lost_usages(step.lease, 1, size)
    lost = Candidate(index=0, error=LOST, usage=usage)
    return Turn(index=step.index, phase=step.phase, way=step.way, candidate=lost, lost=True)
