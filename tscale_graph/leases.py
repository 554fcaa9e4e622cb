"""How many samples the rest of a budget pays for, and the lease of each.

Admission, not truncation: a lease is large enough for one whole sample, so a small budget means
fewer samples, not shorter ones. Only a run that has nothing yet may take one shorter sample,
because an answer from half the tokens beats none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from tscale_graph.budget import Budget, Limit, Remaining, Usage
from tscale_graph.prices import Price

MAX_RETRIES = 2
"""Spare calls that a lease gets where the budget has them."""


@dataclass(frozen=True, slots=True)
class SampleSize:
    """The most that one sample can take.

    Attributes:
        prompt_tokens: an upper bound on the prompt.
        output_tokens: the output limit of a whole sample.
        price: the model's price, or None when it is not known and not needed.
        shared_prompt: the provider answers one prompt several times and bills it once.
        beside: what each sample needs besides its lease, such as a judge's verdict on it.
        whole: of a technique in the model's place, what a whole run of it takes at most; None
            for a model, which takes its prompt and its output.
    """

    prompt_tokens: int
    output_tokens: int
    price: Price | None = None
    shared_prompt: bool = False
    beside: Usage = field(default_factory=Usage)
    whole: Usage | None = None

    @property
    def each(self) -> Usage:
        """The most that one sample takes, without what it needs beside."""
        return self.cost()

    def cost(self, *, calls: int = 1, more_prompt_tokens: int = 0) -> Usage:
        """The most that asking so many times costs.

        Args:
            calls: how many times.
            more_prompt_tokens: what each prompt may be longer by.
        """
        if self.whole is not None:
            longer = Usage(input_tokens=self.whole.calls * more_prompt_tokens)
            return Usage.total([self.whole + longer] * calls)
        prompt = self.prompt_tokens + more_prompt_tokens
        each = (
            self.price.cost(input_tokens=prompt, output_tokens=self.output_tokens)
            if self.price
            else 0.0
        )
        return Usage(
            calls=calls,
            input_tokens=calls * prompt,
            output_tokens=calls * self.output_tokens,
            usd=calls * each,
        )

    def as_seen(self, calls: int) -> SampleSize:
        """The same, where whole runs of a technique are not expected to make all their calls.

        Each call is as large as it may be, but there are half as many again as were seen.

        Args:
            calls: the most that an earlier run made.
        """
        whole = self.whole
        if whole is None:
            return self
        expected = max(1, min(whole.calls, -(-3 * calls // 2)))
        share = expected / max(1, whole.calls)
        tokens, usd = math.ceil(whole.tokens * share), whole.usd * share
        return replace(self, whole=Usage(calls=expected, input_tokens=tokens, usd=usd))


@dataclass(frozen=True, slots=True)
class Grant:
    """What the gate lets through.

    Attributes:
        samples: how many samples may start now.
        lease: what each of them may spend; with a shared prompt, what all of them may spend.
        limited_by: the limit that kept `samples` below what was wanted, or None.
    """

    samples: int
    lease: Budget | None
    limited_by: Limit | None


def grant(
    remaining: Remaining,
    size: SampleSize,
    *,
    wanted: int,
    still_wanted: int,
    nothing_yet: bool,
    calls_seen: int = 0,
) -> Grant:
    """Leases for the next wave out of what remains.

    The leases together never exceed `remaining`. Seconds are the same for all: they run side
    by side.

    Techniques in the place of a model mostly take far less than they might. Where the rest does
    not pay for as many whole runs as are wanted, they get half as many calls again as the
    longest so far made.

    Args:
        remaining: what is left of the budget.
        size: what one sample can take at most.
        wanted: samples that the wave should have, at least 1.
        still_wanted: samples that the run may still want, this wave included; calls beyond
            them are shared out as retries.
        nothing_yet: no sample has been taken, so one shorter than `size` is better than none.
        calls_seen: the most calls that a sample has taken, where a technique is in the place of a
            model; 0 before there is one.

    Raises:
        ValueError: when dollars are limited and the price is not known.
    """
    granted = _grant(remaining, size, wanted, still_wanted, nothing_yet=nothing_yet)
    if granted.samples == wanted or size.whole is None or not calls_seen:
        return granted
    seen = _grant(remaining, size.as_seen(calls_seen), wanted, still_wanted, nothing_yet=False)
    return seen if seen.samples > granted.samples else granted


def _grant(
    remaining: Remaining, size: SampleSize, wanted: int, still_wanted: int, *, nothing_yet: bool
) -> Grant:
    if remaining.usd is not None and size.price is None:
        raise ValueError("a usd limit needs the model's price")
    if remaining.spent_limit is not None:
        return Grant(0, None, remaining.spent_limit)
    affordable = _affordable(remaining, size)
    limited_by = min(affordable, key=lambda name: affordable[name], default=None)
    samples = min([wanted, *affordable.values()])
    if samples == 0:
        shorter = _shorter_lease(remaining, size) if nothing_yet else None
        return Grant(1 if shorter else 0, shorter, limited_by)
    lease = _lease(remaining, size, samples, still_wanted=still_wanted)
    return Grant(samples, lease, limited_by if samples < wanted else None)


def _affordable(remaining: Remaining, size: SampleSize) -> dict[Limit, int]:
    """For each limit, how many whole samples it pays for, with what they need beside."""
    affordable: dict[Limit, int] = {}
    if remaining.calls is not None:
        affordable["calls"] = remaining.calls // (size.each.calls + size.beside.calls)
    if remaining.tokens is not None:
        if size.shared_prompt:
            each = size.output_tokens + size.beside.tokens
            affordable["tokens"] = max(0, remaining.tokens - size.prompt_tokens) // each
        else:
            affordable["tokens"] = remaining.tokens // (size.each.tokens + size.beside.tokens)
    if remaining.usd is not None and size.price is not None:
        affordable["usd"] = _affordable_by_usd(remaining.usd, size, size.price)
    return affordable


def _affordable_by_usd(usd: float, size: SampleSize, price: Price) -> int:
    once, each = 0.0, size.each.usd + size.beside.usd
    if size.shared_prompt:
        once = price.cost(input_tokens=size.prompt_tokens, output_tokens=0)
        each = price.cost(input_tokens=0, output_tokens=size.output_tokens) + size.beside.usd
    left = round(usd * 1e9) - round(once * 1e9)
    if left < 0:
        return 0
    return _UNLIMITED if each == 0 else left // round(each * 1e9)


_UNLIMITED = 1_000_000_000


def _lease(remaining: Remaining, size: SampleSize, samples: int, *, still_wanted: int) -> Budget:
    together = samples if size.shared_prompt else 1
    whole = replace(size, output_tokens=together * size.output_tokens).each
    limits: dict[str, float] = {}
    if remaining.calls is not None:
        spoken_for = max(still_wanted, samples) * (size.each.calls + size.beside.calls)
        spare = max(0, remaining.calls - spoken_for)
        limits["calls"] = (size.each.calls + min(MAX_RETRIES, spare // samples)) * together
    if remaining.tokens is not None:
        limits["tokens"] = whole.tokens
    if remaining.usd is not None and size.price is not None:
        limits["usd"] = min(max(whole.usd, 1e-9), remaining.usd)
    if remaining.seconds is not None:
        limits["seconds"] = remaining.seconds
    return Budget.model_validate(limits)


def _shorter_lease(remaining: Remaining, size: SampleSize) -> Budget | None:
    """Everything that is left, if the prompt and at least one token of an answer fit in it.

    A technique in the place of a model may know cheaper ones than the price that it has.
    """
    output_tokens = size.output_tokens
    if remaining.tokens is not None:
        output_tokens = min(output_tokens, remaining.tokens - size.prompt_tokens)
    if remaining.usd is not None and size.price is not None and size.whole is None:
        if size.price.cost(input_tokens=size.prompt_tokens, output_tokens=0) > remaining.usd:
            return None
        bought = size.price.affordable_output_tokens(remaining.usd, input_tokens=size.prompt_tokens)
        output_tokens = output_tokens if bought is None else min(output_tokens, bought)
    if output_tokens < 1:
        return None
    return Budget.model_validate(remaining.model_dump())


def all_of(lease: Budget | None, *, leases: int = 1) -> Usage:
    """What so many leases come to when they are used up; none for no lease."""
    if lease is None:
        return Usage()
    return Usage(
        calls=leases * (lease.calls or 0),
        input_tokens=leases * (lease.tokens or 0),
        usd=leases * (lease.usd or 0.0),
    )
