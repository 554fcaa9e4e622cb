"""How the fake server answers, and how it counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Usage = Literal["right", "none", "zero", "under", "over"]

STATUS_FAULTS = {"400": 400, "429": 429, "429-retry-after": 429, "500": 500, "503": 503}
FAULTS = {
    **dict.fromkeys(STATUS_FAULTS, "that status; `429-retry-after` with `Retry-After: 1`"),
    "reset": "connection reset before the headers, after the work was done",
    "reset-mid-stream": "connection reset in the middle of the body",
    "hang": "never answers",
    "hang-mid-stream": "stops in the middle of the body and keeps the connection open",
    "truncated": "ends in the middle of the body: no finish_reason, no usage, no [DONE]",
    "malformed": "something that is not JSON in the middle of the body",
    "empty": "an empty text that finished by itself",
}
RESERVED_PER_MESSAGE = 3


def count_tokens(text: str, *, chars_per_token: int = 4) -> int:
    """The tokens of a text, by definition: one for every four characters begun."""
    return -(-len(text) // chars_per_token)


def count_prompt_tokens(messages: Sequence[Any], *, chars_per_token: int = 4) -> int:
    """The tokens of a prompt (OpenAI's dicts, or LangChain's messages): its texts, 3 a message."""
    return sum(
        RESERVED_PER_MESSAGE + count_tokens(_text(message), chars_per_token=chars_per_token)
        for message in messages
    )


def _text(message: Any) -> str:
    content = message["content"] if isinstance(message, Mapping) else message.content
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in content)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a server answers. Where a pair is allowed, each request draws from that range."""

    seed: int = 0
    """Request k draws from `seed` and k; its texts, if it has a `seed` itself, from both seeds."""
    latency: float | Sequence[float] = 0.0
    """Seconds before the first byte. Without streaming, the time that the completion takes."""
    chunk_delay: float = 0.0
    """Seconds before each later chunk; 0 writes them all at once."""
    chunk_chars: int = 16
    answers: Mapping[str, float] = field(default_factory=lambda: {"The answer is 3": 1.0})
    """Texts and their weights."""
    completion_tokens: int | Sequence[int] | None = None
    """Text is put before the answer until the completion is this long. None: the answer only."""
    ignore_max_tokens: bool = False
    usage: Usage = "right"
    """What is reported: "under" half of the completion, "over" twice, "zero" zeros, "none" none."""
    n: Literal["yes", "one", "error"] = "yes"
    """Whether `n` is honoured, ignored, or refused with a 400."""
    logprobs: Literal["yes", "ignored", "refused"] = "yes"
    """Whether `logprobs` and `top_logprobs` are honoured, ignored, or refused with a 400."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Names of `FAULTS` and their probabilities."""
    script: Sequence[str | None] = ()
    """The faults (None: none) of the first requests, in the order of their arrival."""
    refuses: Sequence[str] = ()
    """Fields of a request that are refused with a 400 that names them."""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """`{"name": ..., "arguments": {...}}`: answered instead of a text when tools are offered."""
    chars_per_token: int = 4

    def __post_init__(self) -> None:
        if unknown := ({*self.faults, *self.script} - {None}) - {*FAULTS}:
            raise ValueError(f"faults must be among {[*FAULTS]}, got {sorted(map(str, unknown))}")


def behave(**overrides: Any) -> dict[str, str]:
    """The header that gives one request a behaviour of its own."""
    return {"X-Behaviour": json.dumps(overrides)}
