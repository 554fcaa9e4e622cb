"""Taking the samples of one question, under the budget of a whole run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from langchain_core.messages import convert_to_messages

from tscale_graph.budget import Budget, Limit, Remaining, Usage
from tscale_graph.candidates import SamplingError
from tscale_graph.leases import Grant, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion

SAMPLES_AT_ONCE = 16
"""Samples in flight; also the most completions that one request asks for."""


@dataclass(slots=True)
class Account:
    """What a whole run may spend, and what it has spent.

    Attributes:
        budget: the limits.
        clock: seconds since the epoch.
        opened_at: when the run began, on that clock.
        spent: what its calls cost.
    """

    budget: Budget
    clock: Callable[[], float] = time.time
    opened_at: float = 0.0
    spent: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self.opened_at = self.opened_at or self.clock()

    @property
    def usage(self) -> Usage:
        """What was spent; its seconds are the wall clock since the run began."""
        elapsed = max(0.0, self.clock() - self.opened_at)
        return self.spent.model_copy(update={"seconds": round(elapsed, 6)})

    @property
    def deadline(self) -> float | None:
        """When the time is up, on the same clock."""
        seconds = self.budget.seconds
        return None if seconds is None else self.opened_at + seconds

    def remaining(self) -> Remaining:
        """What may still be spent."""
        return self.budget.remaining(self.usage)


@dataclass(frozen=True)
class Source:
    """A model, and how it is asked for samples.

    Attributes:
        endpoint: the model.
        max_output_tokens: of one sample.
        temperature: of sampling; None for the model's own.
        seed: together with a question's id and a sample's place it makes the seed of a request.
    """

    endpoint: Endpoint
    max_output_tokens: int
    temperature: float | None
    seed: int

    async def take(
        self,
        prompt: Sequence[tuple[str, str]],
        account: Account,
        *,
        question_id: str,
        first: int,
        wanted: int,
    ) -> tuple[list[Completion], Limit | None]:
        """Samples `first` to `wanted` of a question, or as many as the budget pays for.

        Returns:
            The whole samples, and the limit that kept them from being all, or None.

        Raises:
            SamplingError: when a sample failed for another reason than the budget.
        """
        taken: list[Completion] = []
        source: Source = self
        bound = self.endpoint.counter.prompt_bound(convert_to_messages(prompt))
        while first + len(taken) < wanted:
            place = first + len(taken)
            source = source._sparing(account, wanted=min(SAMPLES_AT_ONCE, wanted - place))
            granted = source._grant(account, bound, wanted=wanted - place)
            if granted.lease is None:
                return taken, granted.limited_by
            requests = source._requests(prompt, f"{question_id}/{place}", granted.samples)
            asked = [
                complete(source.endpoint, request, granted.lease, deadline=account.deadline)
                for request in requests
            ]
            new = [one for several in await asyncio.gather(*asked) for one in several]
            account.spent += Usage.total(completion.usage for completion in new)
            refused = new[0].status in (400, 422)
            if source.endpoint.shares_prompt and (refused or len(new) < granted.samples):
                # The server does not answer several times at once.
                alone = replace(source.endpoint, shares_prompt=False)
                source = replace(source, endpoint=alone)
                if refused:
                    continue
            taken += [c for c in new if c.error is None and c.cut_off_by is None]
            cut: Limit | None = next((c.cut_off_by for c in new if c.cut_off_by), None)
            failed = next((c.error for c in new if c.error and not c.cut_off_by), None)
            if failed is not None:
                raise SamplingError(f"question {question_id!r}: {failed}", account.usage)
            if cut is not None:
                return taken, cut
        return taken, None

    def _sparing(self, account: Account, *, wanted: int) -> Source:
        """Asks one by one where a server's refusal would use up the calls."""
        if self.endpoint.may_risk_refusal(wanted, calls=account.remaining().calls):
            return self
        return replace(self, endpoint=replace(self.endpoint, shares_prompt=False))

    def _grant(self, account: Account, prompt_bound: int, *, wanted: int) -> Grant:
        return grant(
            account.remaining(),
            self.endpoint.size(
                prompt_tokens=prompt_bound,
                output_tokens=self.max_output_tokens,
                together=self.endpoint.shares_prompt,
            ),
            wanted=min(SAMPLES_AT_ONCE, wanted),
            still_wanted=wanted,
            nothing_yet=False,
        )

    def _requests(
        self, prompt: Sequence[tuple[str, str]], place: str, samples: int
    ) -> list[Request]:
        """One request for all, where the provider has that; else one for each."""
        request = Request(
            messages=convert_to_messages(prompt),
            max_output_tokens=self.max_output_tokens,
            temperature=self.temperature,
            seed=random.Random(f"{self.seed}/{place}").getrandbits(31),
            logprobs=0,
        )
        if self.endpoint.shares_prompt:
            return [replace(request, n=samples)]
        seed = request.seed or 0
        return [replace(request, seed=seed + k) for k in range(samples)]
