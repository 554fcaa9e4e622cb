"""Samples that have prompts of their own: how long those are, their leases, and their way out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from langchain_core.messages import AnyMessage, BaseMessage
from langgraph.types import Send

from tscale_graph.budget import Limit, Usage
from tscale_graph.leases import all_of, grant
from tscale_graph.models.calls import count_prompt
from tscale_graph.models.threads import running_synchronously
from tscale_graph.techniques.gate import SENDS, SENDS_UNDER_INVOKE
from tscale_graph.techniques.restarts import new_grant
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, SampleTask, Snapshot, Wave

Step = TypeVar("Step")
Run = TypeVar("Run", bound=Snapshot)


@dataclass(frozen=True, slots=True)
class Wanted(Generic[Step]):
    """Samples with one prompt.

    Attributes:
        steps: what each of them is to be, in the technique's own words.
        prompt_tokens: what the prompt counts at most.
    """

    steps: tuple[Step, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Granted(Generic[Step]):
    """What may start now.

    Attributes:
        waves: of samples with one prompt each.
        steps: one for each sample of the waves, in their order.
        limit: what kept it from being more, or None.
    """

    waves: list[Wave]
    steps: list[Step]
    limit: Limit | None


@dataclass(frozen=True)
class SamplerByPrompt:
    """Takes the samples of several prompts, side by side."""

    sampler: Sampler

    async def sample(self, several: dict[str, Any]) -> dict[str, Any]:
        """Take what a `Send` asks for: the samples of each of its `tasks`."""
        updates = await asyncio.gather(*map(self.sampler.sample, several["tasks"]))
        return {
            "candidates": [one for update in updates for one in update["candidates"]],
            "delivery": updates[-1]["delivery"],
            "clock": max(update["clock"] for update in updates),
            "distrusted": any(update["distrusted"] for update in updates),
            "separate": any(update.get("separate", False) for update in updates),
        }


def fresh(run: Run, admission: Admission) -> Run:
    """A run that was just let in: nothing of an earlier request on its thread is left."""
    return type(run)(
        messages=run.messages,
        admission=admission,
        separate=run.separate,
        distrusted=run.distrusted,
    )


def question_tokens(
    settings: SamplingSettings, run: Snapshot, admission: Admission, *, alone: Collection[int]
) -> int:
    """What the bare question counts: as the provider counted it, once it has; else the bound.

    Args:
        settings: say who is asked.
        run: with the candidates so far.
        admission: of the request.
        alone: the indexes of those candidates that were asked nothing but the question.
    """
    counted = [
        candidate.prompt_tokens
        for candidate in run.candidates
        if candidate.prompt_tokens is not None and candidate.index in alone
    ]
    told = counted and not settings.endpoint.counter.own
    return max(counted) if told else admission.prompt_bound


async def longer_prompt_tokens(
    settings: SamplingSettings,
    admission: Admission,
    prompt: Sequence[BaseMessage],
    *,
    question: int,
) -> int | None:
    """The most tokens of a prompt that says more than the question; None when the time was up.

    Args:
        settings: say who is asked.
        admission: of the request.
        prompt: what will be asked.
        question: what the bare question counts (see `question_tokens`).
    """
    left = None if admission.deadline is None else admission.deadline - time.time()
    bound = await count_prompt(settings.endpoint, prompt, seconds=left)
    return None if bound is None else question + max(0, bound - admission.prompt_bound)


def grant_prompts(
    settings: SamplingSettings,
    run: Snapshot,
    admission: Admission,
    wanted: Sequence[Wanted[Step]],
    *,
    asked: int,
) -> Granted[Step]:
    """Leases for as many of the samples as the budget pays for, in their order.

    Samples with one prompt are completions of one request, where the provider has that.

    Args:
        settings: say who is asked, and how much.
        run: where it stands.
        admission: of the request.
        wanted: what is wanted.
        asked: samples that were asked for before; the first of these has that for its index.
    """
    endpoint, most = settings.endpoint, settings.max_output_tokens
    waves, steps, limit = list[Wave](), list[Step](), None
    taken = run.usage + admission.reserved
    for one in _in_requests(wanted, endpoint.most_at_once):
        count, first = len(one.steps), asked + len(steps)
        left = admission.budget.remaining(taken)
        together = count > 1 and endpoint.shares_prompt and not (run.separate or run.distrusted)
        together = together and (
            bool(run.candidates) or endpoint.may_risk_refusal(count, calls=left.calls)
        )
        size = endpoint.size(
            prompt_tokens=one.prompt_tokens,
            output_tokens=most,
            together=together,
            beside=admission.beside,
        )
        granted = grant(
            left,
            size,
            wanted=count,
            still_wanted=max(count, settings.max_samples - first),
            nothing_yet=not (run.candidates or waves),
            calls_seen=max((c.usage.calls for c in run.candidates), default=0),
        )
        limit = limit or granted.limited_by
        if granted.lease is None:
            continue
        several = together and granted.samples > 1
        steps += one.steps[: granted.samples]
        for place in range(1 if several else granted.samples):
            wave = Wave(
                first=first + place,
                samples=granted.samples if several else 1,
                together=several,
                lease=granted.lease,
                prompt_tokens=one.prompt_tokens,
                granted_by=new_grant(),
                distrusted=run.distrusted,
                seed=admission.seed,
            )
            waves.append(wave)
        taken += all_of(granted.lease, leases=1 if together else granted.samples)
        taken += Usage.total([admission.beside] * granted.samples)
    return Granted(waves, steps, limit)


def sent(
    waves: Sequence[Wave],
    prompt: Callable[[Wave], Sequence[BaseMessage]],
    *,
    deadline: float | None,
) -> list[Send]:
    """Send waves on their way to `SamplerByPrompt`, several in one task where they are many.

    Args:
        waves: what may start now.
        prompt: what the samples of a wave are asked.
        deadline: when their time is up, or None.
    """
    tasks = [
        dict(
            SampleTask(
                messages=cast(list[AnyMessage], list(prompt(wave))), wave=wave, deadline=deadline
            )
        )
        for wave in waves
    ]
    each = -(-len(tasks) // (SENDS_UNDER_INVOKE if running_synchronously() else SENDS))
    starts = range(0, len(tasks), each or 1)
    return [Send("sample", {"tasks": tasks[start : start + each]}) for start in starts]


def _in_requests(wanted: Sequence[Wanted[Step]], most: int | None) -> list[Wanted[Step]]:
    """What is wanted, in requests for at most so many completions."""
    return [
        Wanted(one.steps[start : start + each], one.prompt_tokens)
        for one in wanted
        for each in [most or len(one.steps)]
        for start in range(0, len(one.steps), each)
    ]
