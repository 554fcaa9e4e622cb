"""The one place that calls a model.

A call has a lease. Its prompt must fit, its output limit is clipped to what the lease has left,
it ends at the deadline, transient failures are tried again while the lease pays for it, and what
it spent is settled truly: reported usage where there is some, counts where there is none, the
whole lease where nobody can know.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_core.messages import BaseMessage

from tscale_graph.budget import Budget, Limit, Remaining, Usage
from tscale_graph.leases import MAX_RETRIES
from tscale_graph.models.attempts import Attempt, Request, run
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import Failure, one_line
from tscale_graph.models.inner_runs import halts, ledger
from tscale_graph.models.replies import Completion
from tscale_graph.models.settlement import settle, settle_uncounted, share, whole_attempt
from tscale_graph.models.threads import in_thread
from tscale_graph.models.waiting import UNWANTED, pause

_FIRST_BACKOFF_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 60.0
"""A provider that asks for more patience is given up on."""
_OPTIONS = {
    "temperature": ("temperature", "temperature"),
    "seed": ("seed", "seed"),
    "logprobs": ("logprobs", "(?:response)?logprobs"),
    "stop": ("stop", "stop(?:sequences?)?"),
    "stream_usage": ("stream_options", "stream_options"),
    "thinking": ("an end to its thinking", "think|thinking[a-z]*|reasoning[a-z]*|effort"),
}
"""Optional parts of a request, what users are told of them, and what a refusal calls them.

The end to a thought is the last, because refusals of other parts speak of thinking as well.
"""


async def complete(
    endpoint: Endpoint,
    request: Request,
    lease: Budget,
    *,
    deadline: float | None = None,
    clock: Callable[[], float] = time.time,
    rng: random.Random | None = None,
    halt: asyncio.Event | None = None,
) -> list[Completion]:
    """Ask a model for `request.n` completions and spend no more than the lease.

    A technique in the model's place runs once, with the lease as its budget.

    Never raises but for being cancelled: a completion that failed says so in `error`, and its
    usage counts.
    The usages of the completions add up to what the request cost, retries included.

    Args:
        endpoint: the model.
        request: what to ask.
        lease: the most that may be spent.
        deadline: when to give up, on the same clock; by default the lease's seconds from now.
        clock: seconds since the epoch.
        rng: spreads retries out in time.
        halt: set when the reply is not wanted any more: the call is cancelled, and the
            completion says so in `discarded`.
    """
    if deadline is None and lease.seconds is not None:
        deadline = clock() + lease.seconds
    unwanted_by = (*halts(), *([halt] if halt is not None else []))
    if endpoint.nested is not None:
        asked = endpoint.nested.ask(
            request, lease, deadline=deadline, clock=clock, halts=unwanted_by
        )
        return [await asked]
    request = replace(request, n=min(request.n, lease.calls or request.n))
    prompt_bound = request.prompt_tokens
    if prompt_bound is None:
        try:
            counted = await count_prompt(
                endpoint, request.messages, seconds=_seconds_left(deadline, clock)
            )
        except Exception as error:  # noqa: BLE001 - whatever the model's own tokenizer raises
            return [Completion(error=f"the prompt cannot be counted: {one_line(error)}")]
        if counted is None:
            return [Completion(error=_NO_TIME_TO_COUNT, cut_off_by="seconds")]
        prompt_bound = counted
    rng, books, call = rng or random.Random(), ledger(), object()
    watched = not endpoint.honours_limit and (lease.tokens is not None or lease.usd is not None)
    request = replace(request, stream=request.stream or watched or deadline is not None)
    spent, notes, tried = Usage(), tuple[str, ...](), 0
    while True:
        if any(one.is_set() for one in unwanted_by):
            return [Completion(truncated=True, discarded=UNWANTED, usage=spent, notes=notes)]
        room = lease.remaining(spent)
        limit, limited_by = _output_limit(endpoint, request, room, prompt_bound)
        if limit < 1:
            refusal = _refusal(prompt_bound, room, limited_by)
            return [Completion(error=refusal, cut_off_by=limited_by, usage=spent, notes=notes)]
        attempt = Attempt(endpoint, request, limit, prompt_bound)
        if books is not None:
            books.note(call, spent + whole_attempt(attempt))
        started = clock()
        expired = await run(attempt, _seconds_left(deadline, clock), halts=unwanted_by)
        took = max(0.0, clock() - started)
        left = _seconds_left(deadline, clock)
        completions, usage = await _settled(attempt, took, expired=expired, left=left)
        spent += usage
        if books is not None:
            books.note(call, spent)
        failed = attempt.failure
        final = expired or attempt.cut or completions[0].text
        patience = None if final else _pause(failed, tried, rng)
        dropped = _refused_option(request, failed)
        if dropped is not None:
            request = replace(request, **{dropped: None})
            refused, _ = _OPTIONS[dropped]
            notes = (*notes, f"{endpoint.name} does not take {refused}: asked without it")
            patience = 0.0
        left = _seconds_left(deadline, clock)
        in_time = patience is not None and (left is None or patience < left)
        if not in_time or not _affords(endpoint, request, lease.remaining(spent), prompt_bound):
            clipped = limited_by if limit < request.max_output_tokens else None
            allowed = request.n * limit
            return share(
                completions, spent, lease, clipped_by=clipped, notes=notes, output_tokens=allowed
            )
        await pause(patience or 0.0, halts=unwanted_by)
        tried += 1


async def _settled(
    attempt: Attempt, took: float, *, expired: bool, left: float | None
) -> tuple[list[Completion], Usage]:
    """Settle an attempt; where counting asks a server, off the event loop and in what time is left.

    Args:
        attempt: what was sent and what came of it.
        took: seconds that it took.
        expired: the deadline ended it.
        left: seconds until the deadline, or None.
    """
    if not attempt.endpoint.counter.asks_server:
        return settle(attempt, seconds=took, expired=expired)
    patience = None if left is None else max(_LAST_COUNT_SECONDS, left)
    try:
        async with asyncio.timeout(patience):
            return await in_thread(lambda: settle(attempt, seconds=took, expired=expired))
    except TimeoutError:
        return settle_uncounted(attempt, seconds=took)


_LAST_COUNT_SECONDS = 0.1
"""What counting may take beyond the deadline, so that what came just in time is kept."""
_NO_TIME_TO_COUNT = "the deadline came before the prompt was counted"


async def count_prompt(
    endpoint: Endpoint, messages: Sequence[BaseMessage], *, seconds: float | None
) -> int | None:
    """The most tokens that a prompt can count; None when the time was up first.

    Args:
        endpoint: the model.
        messages: the prompt.
        seconds: how long counting may take, or None.
    """
    counter = endpoint.counter
    if not counter.asks_server:
        return counter.prompt_bound(messages)
    try:
        async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
            return await in_thread(lambda: counter.prompt_bound(messages))
    except TimeoutError:
        return None


def _output_limit(
    endpoint: Endpoint, request: Request, room: Remaining, prompt_bound: int
) -> tuple[int, Limit | None]:
    """The most tokens that each completion may have, and the limit that made it so."""
    limit = min(request.max_output_tokens, endpoint.own_output_limit or request.max_output_tokens)
    limited_by: Limit | None = None
    if room.calls is not None and room.calls < request.n:
        return 0, "calls"
    if room.tokens is not None and (room.tokens - prompt_bound) // request.n < limit:
        limit, limited_by = (room.tokens - prompt_bound) // request.n, "tokens"
    price = endpoint.prices.ceiling
    if room.usd is not None and price is not None:
        if price.cost(input_tokens=prompt_bound, output_tokens=0) > room.usd:
            return 0, "usd"
        bought = price.affordable_output_tokens(room.usd, input_tokens=prompt_bound)
        if bought is not None and bought // request.n < limit:
            limit, limited_by = bought // request.n, "usd"
    return limit, limited_by


def _refusal(prompt_bound: int, room: Remaining, limited_by: Limit | None) -> str:
    left = {"tokens": room.tokens, "usd": room.usd, "calls": room.calls}.get(limited_by or "")
    return f"a prompt of up to {prompt_bound} tokens does not fit in {limited_by}={left}"


def _affords(endpoint: Endpoint, request: Request, room: Remaining, prompt_bound: int) -> bool:
    """Whether what is left of a lease pays for another attempt."""
    limit, _ = _output_limit(endpoint, request, room, prompt_bound)
    return room.spent_limit is None and limit >= 1


def _refused_option(request: Request, failed: Failure | None) -> str | None:
    """The field of an optional part of ours that the provider's refusal names, if it does."""
    if failed is None or failed.status not in (400, 422):
        return None
    message = failed.message.lower()
    for field, (_, names) in _OPTIONS.items():
        value = getattr(request, field)
        asked = value == 0 if field == "thinking" else value is not None
        if asked and re.search(f"(?<![a-z])(?:{names})(?![a-z])", message):
            return field
    return None


def _pause(failed: Failure | None, tried: int, rng: random.Random) -> float | None:
    """Seconds to wait before another attempt; None when there should be none."""
    if failed is None or not failed.transient or tried == MAX_RETRIES:
        return None
    backoff = _FIRST_BACKOFF_SECONDS * 2**tried * (0.5 + rng.random())
    patience = max(backoff, failed.retry_after or 0.0)
    return patience if patience <= _LONGEST_PAUSE_SECONDS else None


def _seconds_left(deadline: float | None, clock: Callable[[], float]) -> float | None:
    return None if deadline is None else deadline - clock()
