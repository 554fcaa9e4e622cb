"""What a request cost.

Reported where it was reported, counted where it was not, the whole lease where nobody can know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.models.attempts import Attempt, Cut
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import Billed, Failure, one_line
from tscale_graph.models.replies import Completion, Reported, read_message, read_usage
from tscale_graph.models.tokens import TokenCounter
from tscale_graph.models.waiting import UNWANTED
from tscale_graph.sharing import apportion


def settle(attempt: Attempt, *, seconds: float, expired: bool) -> tuple[list[Completion], Usage]:
    """What an attempt brought, and what it cost.

    A reply that cannot be read is a failed completion, and the whole lease is charged.
    """
    try:
        return _settle(attempt, seconds=seconds, expired=expired)
    except Exception as error:  # noqa: BLE001 - whatever a provider's reply does to its reader
        attempt.failure = Failure(one_line(error), transient=False, fate_known=False)
        lost = replace(_unreadable(error), cut_off_by="seconds" if expired else None)
        return [lost] * attempt.request.n, whole_attempt(attempt, seconds)


def settle_uncounted(attempt: Attempt, *, seconds: float) -> tuple[list[Completion], Usage]:
    """What an attempt brought that the time did not suffice to count: kept, at its whole lease."""
    kept = [replace(_read(message), notes=(_UNCOUNTED,)) for message in _replies(attempt)]
    lost = Completion(error=_UNCOUNTED, cut_off_by="seconds")
    return kept or [lost] * attempt.request.n, whole_attempt(attempt, seconds)


_UNCOUNTED = "the deadline came before the reply was counted"


def _replies(attempt: Attempt) -> list[BaseMessage]:
    return [add_ai_message_chunks(*attempt.chunks)] if attempt.chunks else attempt.messages


def _read(message: BaseMessage, *, prompt_tokens: int | None = None) -> Completion:
    """One reply; one that cannot be read does not take the others of its request with it."""
    try:
        return read_message(message, prompt_tokens=prompt_tokens)
    except Exception as error:  # noqa: BLE001 - whatever a provider's reply does to its reader
        return _unreadable(error)


def _unreadable(error: Exception) -> Completion:
    return Completion(error=f"the reply cannot be read: {one_line(error)}")


def _settle(attempt: Attempt, *, seconds: float, expired: bool) -> tuple[list[Completion], Usage]:
    merged = _replies(attempt)
    whole = attempt.failure is None and not attempt.cut
    reported = read_usage(merged) if whole else Reported()
    completions = [_read(message, prompt_tokens=reported.input_tokens) for message in merged]
    if whole and completions:
        asked, endpoint = attempt.request.n, attempt.endpoint
        if _broke_off(attempt, completions[0], reported):
            completions[0] = replace(completions[0], truncated=True, notes=(_BROKE_OFF,))
            return completions, _whole_lease(attempt, completions, seconds)
        if any(completion.error is not None for completion in completions):
            return completions, _whole_lease(attempt, completions, seconds)
        usage = _true_usage(
            endpoint,
            attempt.request.messages,
            completions,
            reported,
            asked=asked,
            seconds=seconds,
        )
        if asked == 1:
            completions[0] = replace(completions[0], output_tokens=reported.output_tokens)
        return completions, usage
    failed = attempt.failure or Failure(
        "the model returned no completion", transient=True, fate_known=False
    )
    cut_off_by: Limit | None = "seconds" if expired else None
    if attempt.cut == "limit":
        kept = replace(completions[0], truncated=True, cut_off_by="tokens")
        return [kept], _whole_lease(attempt, [kept], seconds)
    if attempt.cut is not None:
        return _given_up(attempt, completions, attempt.cut, seconds)
    if completions and completions[0].text:
        note = f"kept what had arrived: {failed.message}"
        kept = replace(
            completions[0],
            truncated=True,
            cut_off_by=cut_off_by,
            cause=failed.cause,
            notes=(note,),
        )
        return [kept], _whole_lease(attempt, [kept], seconds)
    lost = Completion(
        error=failed.message, cause=failed.cause, status=failed.status, cut_off_by=cut_off_by
    )
    attempt.failure = failed
    if failed.billed is not None:
        return [lost] * attempt.request.n, _charge(attempt, failed.billed, seconds)
    # Whatever ended a stream, what had come of it was made.
    if failed.fate_known and not attempt.chunks:
        calls = attempt.request.n if failed.sent else 0
        return [lost] * attempt.request.n, Usage(calls=calls, seconds=seconds)
    return [lost] * attempt.request.n, _whole_lease(attempt, [], seconds)


_BROKE_OFF = "the stream ended without saying so"


def _broke_off(attempt: Attempt, completion: Completion, reported: Reported) -> bool:
    """A stream of a provider that always says why it ended, and did not."""
    return (
        bool(attempt.chunks)
        and attempt.endpoint.family == "openai"
        and completion.finish_reason is None
        and reported.output_tokens is None
    )


_DISCARDED: dict[Cut, str] = {
    "confidence": "cut off: the model had become less sure than the samples of the warm-up",
    "unwanted": UNWANTED,
}

_ON_THE_WAY = 32
"""Tokens of a stream that may have been sent when we close it and that never reach us."""


def _given_up(
    attempt: Attempt, completions: Sequence[Completion], cut: Cut, seconds: float
) -> tuple[list[Completion], Usage]:
    """A call that we ended because its reply was not wanted.

    One that was cancelled is charged its whole lease: the server may not notice. One that we
    read to where it fell below its floor is charged for what had arrived, and for what may have
    been on its way.
    """
    if cut == "unwanted" and completions:
        kept = replace(completions[0], truncated=True, discarded=_DISCARDED[cut])
        return [kept], _whole_lease(attempt, [kept], seconds)
    if not completions:
        lost = Completion(truncated=True, discarded=_DISCARDED[cut])
        return [lost] * attempt.request.n, _whole_lease(attempt, [], seconds)
    kept = replace(completions[0], truncated=True, discarded=_DISCARDED[cut])
    counted = attempt.endpoint.counter.text(kept.spoken)
    arrived = max(counted, len(kept.logprobs or ()))
    output_tokens = max(counted, min(attempt.limit, arrived + _ON_THE_WAY))
    return [kept], _charge(attempt, Billed(attempt.prompt_bound, output_tokens), seconds)


def _whole_lease(attempt: Attempt, kept: Sequence[Completion], seconds: float) -> Usage:
    """The charge for a call that nobody knows the end of: all it could have spent."""
    request, endpoint = attempt.request, attempt.endpoint
    # A model that ignores its limit may have said more than its lease before it was cut off.
    said: Sequence[Completion] = () if endpoint.honours_limit else kept
    counted = sum(endpoint.counter.text(c.spoken) for c in said)
    output_tokens = max(request.n * attempt.limit, counted)
    return _charge(attempt, Billed(attempt.prompt_bound, output_tokens), seconds)


def whole_attempt(attempt: Attempt, seconds: float = 0.0) -> Usage:
    """All that an attempt may cost, where nothing of the reply can be counted."""
    tokens = Billed(attempt.prompt_bound, attempt.request.n * attempt.limit)
    return _charge(attempt, tokens, seconds)


def _charge(attempt: Attempt, tokens: Billed, seconds: float) -> Usage:
    """The usage of a call of so many tokens."""
    return Usage(
        calls=attempt.request.n,
        input_tokens=tokens.input_tokens,
        output_tokens=tokens.output_tokens,
        usd=attempt.endpoint.prices.cost(
            input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens
        ),
        seconds=seconds,
    )


def share(
    completions: Sequence[Completion],
    spent: Usage,
    lease: Budget,
    *,
    clipped_by: Limit | None,
    notes: tuple[str, ...],
    output_tokens: int,
) -> list[Completion]:
    """Divide the usage of a request among its completions, by the length of what they said.

    Args:
        completions: what came of the request.
        spent: what it cost, retries included.
        lease: what it was allowed.
        clipped_by: the limit that made the output limit lower than what was asked, or None.
        notes: go to the first completion.
        output_tokens: what the completions could have had, all together.
    """
    shares = apportion(spent, [len(c.spoken) for c in completions])
    over = lease.exceeded_by(spent.model_copy(update={"seconds": 0.0}))
    overshoot = 0
    if over == "tokens" and lease.tokens:
        overshoot = spent.tokens - lease.tokens
    elif over == "usd":
        overshoot = max(0, spent.output_tokens - output_tokens)
    shared: list[Completion] = []
    for place, (completion, usage) in enumerate(zip(completions, shares, strict=True)):
        cut_off_by = completion.cut_off_by
        wanted = completion.discarded is None
        if completion.truncated and wanted and cut_off_by in (None, "tokens"):
            # Cut at the user's own output limit is a short answer, not a budget's cut-off.
            cut_off_by = clipped_by
        shared.append(
            replace(
                completion,
                usage=usage,
                cut_off_by=cut_off_by,
                overshoot_tokens=overshoot if place == 0 else 0,
                notes=(*notes, *completion.notes) if place == 0 else completion.notes,
            )
        )
    return shared


def _true_usage(
    endpoint: Endpoint,
    prompt: Sequence[BaseMessage],
    completions: Sequence[Completion],
    reported: Reported,
    *,
    asked: int,
    seconds: float,
) -> Usage:
    """The true usage of one request: what the provider reported, and counts for the rest.

    A class that is not a known provider's is not believed when it reports fewer tokens than
    its own tokenizer counts.
    """
    counter = endpoint.counter
    output_tokens, input_tokens = reported.output_tokens, reported.input_tokens
    doubted = endpoint.family == "other" and counter.own
    if output_tokens is None or doubted:
        counted = sum(counter.text(c.spoken) for c in completions)
        output_tokens = max(output_tokens or 0, counted)
    output_tokens = max(output_tokens, _told_by_logprobs(completions))
    if asked > 1:
        least, counted = _counted_together(endpoint, completions)
        output_tokens = counted if output_tokens < least else output_tokens
    if input_tokens is None or doubted:
        input_tokens = max(input_tokens or 0, counter.prompt(prompt))
    return Usage(
        calls=asked,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        reasoning_tokens=_reasoning_tokens(counter, completions, reported, output_tokens),
        usd=endpoint.prices.cost(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=min(reported.cached_tokens, input_tokens),
        ),
        seconds=seconds,
    )


def _reasoning_tokens(
    counter: TokenCounter,
    completions: Sequence[Completion],
    reported: Reported,
    output_tokens: int,
) -> int:
    """The tokens of thought: as reported, else what is left beside those of the answers."""
    if reported.reasoning_tokens or not any(one.reasoning for one in completions):
        return min(reported.reasoning_tokens, output_tokens)
    answered = sum(counter.text(one.text + one.tool_text) for one in completions)
    return max(0, output_tokens - answered)


def _told_by_logprobs(completions: Sequence[Completion]) -> int:
    """Tokens of which there is a log-probability."""
    return sum(len(completion.logprobs or ()) for completion in completions)


def _counted_together(endpoint: Endpoint, completions: Sequence[Completion]) -> tuple[int, int]:
    """The fewest tokens that several completions can be reported to have, and their count.

    llama.cpp, for one, reports the tokens of only one completion of a request. Of the embedded
    model that is known, and its count exact; elsewhere a count is believed where it is twice
    what was reported.
    """
    counted = endpoint.counter.text("\n".join(c.spoken for c in completions))
    known = bool(getattr(endpoint.model, "reports_one_of_several", False))
    return (counted if known else counted // 2), counted
