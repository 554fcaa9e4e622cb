"""Reading what a model sent back: text, reasoning, tool calls, log-probabilities, usage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from tscale_graph.budget import Limit, Usage
from tscale_graph.candidates import Result

_CUT_SHORT = {"length", "max_tokens", "max_output_tokens", "model_length", "incomplete"}


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion of a prompt, or what became of it.

    Attributes:
        text: what the model said, without its reasoning.
        reasoning: what it thought aloud, where the provider separates it.
        tool_calls: LangChain tool calls as plain dicts.
        tool_text: the tokens of those, as text: names and arguments.
        logprobs: the log-probability of each token, where the provider gave them.
        confidences: how sure the model was of each token (see `read_confidences`).
        finish_reason: the provider's word for why it stopped.
        truncated: the text was cut short, by the provider's limit or by ours.
        cut_off_by: the limit of the lease that cut it short, or None.
        discarded: why it takes no part in the choice, or None when it does.
        message: as the model gave it, or what had come of it.
        error: one line when there is no completion.
        cause: the exception that this line tells of, where there was one.
        status: the HTTP status of that error, where there was one.
        usage: this completion's share of what the request cost.
        prompt_tokens: what the provider counted for the prompt, or None where it did not say.
        output_tokens: what it counted for this completion, where it was asked for no other.
        overshoot_tokens: tokens beyond the lease.
        notes: what could not be done.
        result: of a technique in the model's place, all that it came to.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    tool_text: str = ""
    logprobs: tuple[float, ...] | None = None
    confidences: tuple[float, ...] = ()
    finish_reason: str | None = None
    truncated: bool = False
    cut_off_by: Limit | None = None
    discarded: str | None = None
    message: BaseMessage | None = None
    error: str | None = None
    cause: Exception | None = None
    status: int | None = None
    usage: Usage = field(default_factory=Usage)
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    overshoot_tokens: int = 0
    notes: tuple[str, ...] = ()
    result: Result | None = None

    @property
    def spoken(self) -> str:
        """All that was generated, as text: what tokens are counted of."""
        return self.reasoning + self.text + self.tool_text


@dataclass(frozen=True, slots=True)
class Reported:
    """The usage that a provider reported, where it makes sense."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int = 0
    cached_tokens: int = 0


def read_message(message: BaseMessage, *, prompt_tokens: int | None = None) -> Completion:
    """Everything in a message but its usage, of which `prompt_tokens` is known."""
    metadata = cast(dict[str, Any], message.response_metadata)
    finish_reason = _finish_reason(metadata)
    return Completion(
        text=str(message.text),
        reasoning=_reasoning(message),
        tool_calls=tuple(dict(call) for call in getattr(message, "tool_calls", ())),
        tool_text=_tool_text(message),
        logprobs=_logprobs(metadata),
        confidences=read_confidences(message),
        finish_reason=finish_reason,
        truncated=finish_reason is not None and finish_reason.lower() in _CUT_SHORT,
        message=message,
        prompt_tokens=prompt_tokens,
    )


def read_spoken(message: BaseMessage) -> str:
    """All that was generated, as text: what tokens are counted of."""
    return _reasoning(message) + str(message.text) + _tool_text(message)


def read_usage(messages: Sequence[BaseMessage]) -> Reported:
    """The usage of one request, counted once.

    Every completion of a request for several carries the usage of the whole request.
    Negative numbers and zero tokens for a text that is there are no usage at all.
    """
    for message in messages:
        usage = message.usage_metadata if isinstance(message, AIMessage) else None
        if usage is None:
            continue
        input_tokens, output_tokens = usage.get("input_tokens"), usage.get("output_tokens")
        said_something = any(read_spoken(message) for message in messages)
        input_details = usage.get("input_token_details") or {}
        output_details = usage.get("output_token_details") or {}
        return Reported(
            input_tokens=_plausible(input_tokens, at_least=1),
            output_tokens=_plausible(output_tokens, at_least=1 if said_something else 0),
            reasoning_tokens=_plausible(output_details.get("reasoning"), at_least=0) or 0,
            cached_tokens=_plausible(input_details.get("cache_read"), at_least=0) or 0,
        )
    return Reported()


def _tool_text(message: BaseMessage) -> str:
    """Names and arguments of tool calls; of a chunk, the pieces that it brought.

    Arguments that are no JSON, because the limit cut them short for one, were made all the same.
    """
    if isinstance(message, AIMessageChunk):
        pieces = message.tool_call_chunks
        return "".join(f"{piece['name'] or ''}{piece['args'] or ''}" for piece in pieces)
    if not isinstance(message, AIMessage):
        return ""
    whole = [
        f"{call['name']}{json.dumps(call['args'], default=str)}" for call in message.tool_calls
    ]
    broken = [f"{call['name'] or ''}{call['args'] or ''}" for call in message.invalid_tool_calls]
    return "".join(whole + broken)


def _plausible(count: Any, *, at_least: int) -> int | None:
    return count if isinstance(count, int) and count >= at_least else None


def _finish_reason(metadata: dict[str, Any]) -> str | None:
    for key in ("finish_reason", "stop_reason", "done_reason", "status"):
        value = metadata.get(key)
        if isinstance(value, str):
            return value
    return None


def _reasoning(message: BaseMessage) -> str:
    beside = message.additional_kwargs.get("reasoning_content")
    if isinstance(beside, str):
        return beside
    if isinstance(message.content, str):
        return ""
    blocks = cast(Sequence[dict[str, Any]], message.content_blocks)
    return "".join(block.get("reasoning") or "" for block in blocks if block["type"] == "reasoning")


def read_confidences(message: BaseMessage) -> tuple[float, ...]:
    """How sure the model was of each token: minus the mean log-probability of the likeliest.

    Empty where the provider did not give the likeliest tokens.
    """
    tokens = _tokens(cast(dict[str, Any], message.response_metadata))
    likeliest = (_known(token.get("top_logprobs") or ()) for token in tokens)
    return tuple(-sum(some) / len(some) for some in likeliest if some)


_LEAST_LOGPROB = -100.0
"""Some servers say minus infinity, or a number that stands for it."""


def _logprobs(metadata: dict[str, Any]) -> tuple[float, ...] | None:
    return tuple(_known(_tokens(metadata))) or None


def _known(tokens: Sequence[dict[str, Any]]) -> list[float]:
    """The log-probabilities of tokens, where there is one."""
    given = (token.get("logprob") for token in tokens)
    return [max(float(one), _LEAST_LOGPROB) for one in given if one is not None]


def _tokens(metadata: dict[str, Any]) -> Sequence[dict[str, Any]]:
    logprobs = metadata.get("logprobs")
    return (cast(Any, logprobs).get("content") if isinstance(logprobs, dict) else None) or ()
