"""The node that asks: completions of a question, or of the beginning of a solution."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.errors import GraphBubbleUp

from tscale_graph.budget import Budget
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.failures import one_line
from tscale_graph.models.replies import Completion
from tscale_graph.recordings.checking import AnswerCheck
from tscale_graph.techniques.labelling.settings import LabellingSettings
from tscale_graph.techniques.labelling.state import Rollout, RollTask
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.requesting import one_by_one, refused, watched
from tscale_graph.techniques.restarts import LOST, lost_usages, new_grant, once
from tscale_graph.techniques.state import question_of
from tscale_graph.techniques.tree_search.conversation import what_came_new
from tscale_graph.verifiers.process.rollouts import bare_steps

_NO_TIME = "the time was up"
_CUT_DIFFERENTLY = "the steps that were gone on from are cut differently in the whole solution"


@dataclass(frozen=True)
class Roller:
    """Takes completions of one beginning, and never raises for one that fails."""

    settings: LabellingSettings

    async def roll(self, task: dict[str, Any]) -> dict[str, Any]:
        """Take the completions that a `Send` asks for.

        They are told on the custom stream, as `{"rollouts": […]}`.
        """
        todo = RollTask.model_validate(task)
        roll = todo.roll
        if roll.lease is None:
            raise ValueError("completions need a lease")
        lease = roll.lease

        async def lost(times: int) -> dict[str, Any]:
            size = self.settings.endpoint.size(
                prompt_tokens=roll.prompt_tokens,
                output_tokens=self.settings.max_output_tokens,
                together=roll.together,
            )
            usages = lost_usages(lease, roll.count, size)
            return _came_back(
                [
                    Rollout(index=roll.first + place, error=LOST, usage=usage)
                    for place, usage in enumerate(usages)
                ]
            )

        return await once(
            roll.granted_by, str(roll.first), lambda: self._rollouts(todo, lease), lost
        )

    async def _rollouts(self, todo: RollTask, lease: Budget) -> dict[str, Any]:
        roll = todo.roll
        completions = await self._ask(todo, lease, 0, n=roll.count)
        separate = roll.together and (len(completions) < roll.count or refused(completions))
        if roll.together and refused(completions):
            completions = await self._separately(todo, completions, lease)
        check = self.settings.check(question_of(todo.messages), todo.gold)
        rollouts = await asyncio.gather(
            *(
                self._rollout(todo, completion, roll.first + place, check)
                for place, completion in enumerate(completions)
            )
        )
        announce({"rollouts": [one.model_dump() for one in rollouts]})
        distrusted = any(completion.overshoot_tokens for completion in completions)
        return {**_came_back(rollouts), "separate": separate, "distrusted": distrusted}

    async def _rollout(
        self, task: RollTask, completion: Completion, index: int, check: AnswerCheck
    ) -> Rollout:
        """What became of one completion; one that the time cut off is none."""
        so_far, steps = task.roll.so_far, task.roll.steps
        none = Rollout(index=index, steps=steps, usage=completion.usage)
        if completion.error is not None or completion.cut_off_by == "seconds":
            why = {"error": completion.error or _NO_TIME, "cut_off_by": completion.cut_off_by}
            return none.model_copy(update=why)
        text = so_far + what_came_new(completion.text, so_far)
        if bare_steps(text, self.settings.splitter)[: len(steps)] != steps:
            return none.model_copy(update={"error": _CUT_DIFFERENTLY, "useless": True})
        left = None if task.deadline is None else max(0.0, task.deadline - time.time())
        try:
            async with asyncio.timeout(left):
                sample = await check.sample(completion, text=text, given=len(steps))
        except TimeoutError:
            return none.model_copy(update={"error": _NO_TIME, "cut_off_by": "seconds"})
        except GraphBubbleUp:  # an interrupt is for whoever runs the graph
            raise
        except Exception as error:  # noqa: BLE001 - anybody's verifier
            why = f"it could not be judged: {one_line(error)}"
            return none.model_copy(update={"error": why, "useless": True})
        return none.model_copy(update={"sample": sample})

    async def _ask(
        self, task: RollTask, lease: Budget, place: int, *, n: int = 1
    ) -> list[Completion]:
        """Ask for one completion, or for `n` in one request."""
        settings, roll = self.settings, task.roll
        index = roll.first + place
        return await complete(
            watched(settings.endpoint, distrusted=roll.distrusted),
            Request(
                messages=settings.prompt(task.messages, roll.so_far),
                n=n,
                max_output_tokens=settings.max_output_tokens,
                temperature=settings.temperature,
                seed=None if settings.seed is None else settings.seed + index,
                logprobs=0,
                prompt_tokens=roll.prompt_tokens,
            ),
            lease,
            deadline=task.deadline,
            rng=random.Random(None if settings.seed is None else f"{settings.seed}/{index}"),
        )

    async def _separately(
        self, task: RollTask, refusal: list[Completion], lease: Budget
    ) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        settings, roll = self.settings, task.roll

        def ask(own: Budget, place: int) -> Awaitable[list[Completion]]:
            return self._ask(task, own, place)

        size = SampleSize(
            prompt_tokens=roll.prompt_tokens,
            output_tokens=settings.max_output_tokens,
            price=settings.endpoint.prices.ceiling,
        )
        return await one_by_one(
            refusal, ask, lease=lease, size=size, wanted=roll.count, name=settings.endpoint.name
        )


def _came_back(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Completions that came back, as an update of the state."""
    return {
        "rollouts": [one.model_dump() for one in rollouts],
        "delivery": new_grant(),
        "clock": time.time(),
    }
