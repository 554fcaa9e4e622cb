"""What an exception from a chat model means: whether to try again, and whether it was billed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

_TRANSIENT_STATUS = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_PROVIDER_FAILED = {500, 503, 529}
"""Failures of the provider's own, which bills nothing for them. Any other 5xx comes from whoever
stands between us, and the provider may have done the work behind it."""
_MAY_BE_BILLED = {408, 409, 425}
"""Refusals that may come after the work was begun."""
_NEVER_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "ConnectionRefusedError",
    "ClientConnectorError",
    "PoolTimeout",
}
_LOST = ("Timeout", "Connection", "Network", "Protocol", "Reset", "BrokenPipe", "Decode", "Read")
_UNUSABLE = ("LengthFinishReason", "ContentFilterFinishReason", "ValidationError")
"""What clients raise that hold a whole reply to a schema and cannot: it was made, and billed."""
_OF_ANOTHER_LOOP = ("Event loop is closed", "different event loop", "different loop")
"""A user's own client, used on a loop that is not its own, may have sent the request."""
_ONE_LINE = 300


@dataclass(frozen=True, slots=True)
class Billed:
    """The tokens that a provider reported for a reply."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt.

    Attributes:
        message: one line for people.
        transient: another attempt may succeed.
        fate_known: the provider did no work that it could bill; otherwise the lease is charged.
        sent: the request may have reached the provider; otherwise it was no call at all.
        status: the HTTP status, where there was one.
        retry_after: seconds that the provider asked to wait, or None.
        billed: what was reported of a reply that the client could not use, or None.
        cause: the exception, or None.
    """

    message: str
    transient: bool
    fate_known: bool
    sent: bool = True
    status: int | None = None
    retry_after: float | None = None
    billed: Billed | None = None
    cause: Exception | None = None


def failure(error: Exception) -> Failure:
    """Read an exception of any provider's library, by its shape and by its classes' names."""
    return replace(_read(error), cause=error)


def _read(error: Exception) -> Failure:
    message = one_line(error)
    status = _status(error)
    if status is not None:
        transient = status in _TRANSIENT_STATUS
        retry_after = _retry_after(error)
        known = status in _PROVIDER_FAILED or (status < 500 and status not in _MAY_BE_BILLED)
        return Failure(message, transient, known, status=status, retry_after=retry_after)
    causes = list(_causes(error))
    names = [cls.__name__ for cause in causes for cls in type(cause).__mro__]
    if any(name in _NEVER_SENT for name in names):
        return Failure(message, transient=True, fate_known=True, sent=False)
    if any(part in name for name in names for part in _UNUSABLE):
        return Failure(message, transient=False, fate_known=False, billed=_billed(error))
    lost = any(part in name for name in names for part in _LOST)
    lost = lost or any(part in str(cause) for cause in causes for part in _OF_ANOTHER_LOOP)
    # What is not known to have failed before the work was done may have failed after it.
    return Failure(message, transient=lost, fate_known=False)


def _billed(error: BaseException) -> Billed | None:
    """The usage of the completion that an exception of OpenAI's client carries."""
    usage = getattr(getattr(error, "completion", None), "usage", None)
    prompt = getattr(usage, "prompt_tokens", None)
    output = getattr(usage, "completion_tokens", None)
    if isinstance(prompt, int) and isinstance(output, int) and prompt > 0 and output >= 0:
        return Billed(prompt, output)
    return None


def one_line(error: BaseException) -> str:
    """The class and first line of an exception; of a validation error what is wrong where."""
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        return f"{type(error).__name__}: {where}: {problem['msg']}"[:_ONE_LINE]
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}"[:_ONE_LINE] if first else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _status(error: BaseException) -> int | None:
    response: Any = getattr(error, "response", None)
    for holder, name in ((error, "status_code"), (error, "code"), (response, "status_code")):
        value = getattr(holder, name, None)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return None


def _retry_after(error: BaseException) -> float | None:
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        return None
    try:
        return max(0.0, float(headers.get("retry-after")))
    except (TypeError, ValueError):
        return None
