"""The node that asks: completions of a question, or of the beginning of a solution."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tscale_graph.budget import Budget
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.failures import one_line
from tscale_graph.models.replies import Completion
from tscale_graph.recordings.checking import AnswerCheck
from tscale_graph.techniques.labelling.settings import LabellingSettings
from tscale_graph.techniques.labelling.state import Roll, Rollout, RollTask
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.requesting import gathered, one_by_one, refused, watched
from tscale_graph.techniques.restarts import LOST, lost_usages, new_grant, once
from tscale_graph.techniques.state import question_of
from tscale_graph.techniques.tree_search.conversation import what_came_new
from tscale_graph.verifiers.process.rollouts import bare_steps

_NOT_WHOLE = "cut off by the budget"
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

        async def lost(times: int) -> dict[str, Any]:
            usages = lost_usages(
                roll.lease,
                roll.count,
                together=roll.together,
                prompt_tokens=roll.prompt_tokens,
                output_tokens=self.settings.max_output_tokens,
            )
            return _came_back(
                [
                    Rollout(index=roll.first + place, error=LOST, usage=usage)
                    for place, usage in enumerate(usages)
                ]
            )

        return await once(roll.granted_by, str(roll.first), lambda: self._rollouts(todo), lost)

    async def _rollouts(self, todo: RollTask) -> dict[str, Any]:
        roll, separate = todo.roll, False
        if roll.together:
            completions = await self._ask(todo, roll.lease, 0, n=roll.count)
            separate = len(completions) < roll.count or refused(completions)
            if refused(completions):
                completions = await self._separately(todo, completions)
        else:
            asks = [partial(self._ask, todo, roll.lease, place) for place in range(roll.count)]
            completions = await gathered(asks)
        check = self.settings.check(question_of(todo.messages), todo.gold)
        rollouts = [
            await self._rollout(roll, completion, roll.first + place, check)
            for place, completion in enumerate(completions)
        ]
        announce({"rollouts": [one.model_dump() for one in rollouts]})
        distrusted = any(completion.overshoot_tokens for completion in completions)
        return {**_came_back(rollouts), "separate": separate, "distrusted": distrusted}

    async def _rollout(
        self, roll: Roll, completion: Completion, index: int, check: AnswerCheck
    ) -> Rollout:
        """What became of one completion; one that the budget cut off is none."""
        cost = Rollout(index=index, usage=completion.usage, prompt_tokens=completion.prompt_tokens)
        if completion.error is not None or completion.cut_off_by is not None:
            return cost.model_copy(update={"error": completion.error or _NOT_WHOLE})
        so_far, given = self.settings.text_of(roll.steps), len(roll.steps)
        text = so_far + what_came_new(completion.text, so_far)
        if bare_steps(text, self.settings.splitter)[:given] != roll.steps:
            return cost.model_copy(update={"error": _CUT_DIFFERENTLY})
        try:
            sample = await check.sample(completion, text=text, given=given)
        except Exception as error:  # noqa: BLE001 - anybody's verifier
            return cost.model_copy(update={"error": f"it could not be judged: {one_line(error)}"})
        return cost.model_copy(update={"sample": sample})

    async def _ask(
        self, task: RollTask, lease: Budget, place: int, *, n: int = 1
    ) -> list[Completion]:
        """Ask for one completion, or for `n` in one request."""
        settings, roll = self.settings, task.roll
        index = roll.first + place
        return await complete(
            watched(settings.endpoint, distrusted=roll.distrusted),
            Request(
                messages=settings.prompt(task.messages, settings.text_of(roll.steps)),
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

    async def _separately(self, task: RollTask, refusal: list[Completion]) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        settings, roll = self.settings, task.roll

        def ask(lease: Budget, place: int) -> Awaitable[list[Completion]]:
            return self._ask(task, lease, place)

        size = SampleSize(
            prompt_tokens=roll.prompt_tokens,
            output_tokens=settings.max_output_tokens,
            price=settings.endpoint.prices.ceiling,
        )
        return await one_by_one(
            refusal,
            ask,
            lease=roll.lease,
            size=size,
            wanted=roll.count,
            name=settings.endpoint.name,
        )


def _came_back(rollouts: list[Rollout]) -> dict[str, Any]:
    """Completions that came back, as an update of the state."""
    return {
        "rollouts": [one.model_dump() for one in rollouts],
        "delivery": new_grant(),
        "clock": time.time(),
    }
