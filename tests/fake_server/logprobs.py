"""The fake server's log-probabilities: which are refused, and what they are."""

import json
from functools import lru_cache
from typing import Any

UNSURE_LOGPROB = -3.0
UNLIKELY_LOGPROB = -9.0


def refused_logprobs(body: dict[str, Any], honoured: str) -> str | None:
    """OpenAI's rules: `top_logprobs` is 0 to 20, and only beside `logprobs`."""
    likely = body.get("top_logprobs")
    if honoured == "refused" and (body.get("logprobs") or likely is not None):
        return "logprobs are not supported by this model"
    if likely is not None and not body.get("logprobs"):
        return "top_logprobs needs logprobs=true"
    if likely is not None and not 0 <= likely <= 20:
        return f"top_logprobs must be between 0 and 20, got {likely}"
    return None


@lru_cache
def logprobs_of(
    text: str, chars_per_token: int, start: int = 0, size: int | None = None, *, likely: int = 0
) -> str:
    """Those of the tokens that begin in `text[start:start + size]`; the same for the same token.

    The model is unsure of a token with a question mark, whose alternatives are as likely; of
    any other it is sure, and its alternatives are unlikely.
    """
    end = len(text) if size is None else min(len(text), start + size)
    first = -(-start // chars_per_token) * chars_per_token
    tokens = [text[at : at + chars_per_token] for at in range(first, end, chars_per_token)]
    content = [
        {
            "token": token,
            "logprob": chosen,
            "bytes": [*token.encode()],
            "top_logprobs": [
                {"token": f"{token}{place or ''}", "logprob": other, "bytes": None}
                for place, other in enumerate([chosen, *[others] * (likely - 1)][:likely])
            ],
        }
        for token, (chosen, others) in ((token, _sureness(token)) for token in tokens)
    ]
    return json.dumps({"content": content, "refusal": None})


def _sureness(token: str) -> tuple[float, float]:
    """The log-probability of a token, and that of its alternatives."""
    if "?" in token:
        return UNSURE_LOGPROB, UNSURE_LOGPROB
    return -(sum(token.encode()) % 100) / 100, UNLIKELY_LOGPROB
