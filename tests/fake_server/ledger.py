"""What the fake server did, as it knows itself."""

from dataclasses import dataclass
from typing import Literal

Fate = Literal["in_flight", "completed", "error_status", "client_disconnected", "reset", "hung"]


@dataclass(kw_only=True)
class Request:
    """What the server knows of one request; its times are `time.monotonic()`, of any process."""

    id: int
    n: int
    max_tokens: int | None
    stream: bool
    prompt_tokens: int
    started: float
    concurrency: int
    """Requests in flight when it arrived, itself included."""
    completion_tokens: int = 0
    """Generated, over all n, whether or not they reached the client."""
    written_tokens: int = 0
    """Handed to the socket."""
    reported_tokens: int | None = None
    """The `completion_tokens` that the client was told."""
    fate: Fate = "in_flight"
    fault: str | None = None
    ended: float | None = None

    @property
    def billed_tokens(self) -> int:
        """What a provider would charge: nothing for an error status, else all that was computed."""
        if self.fate == "error_status":
            return 0
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All requests since the start or the last reset, in the order of their arrival."""

    requests: list[Request]
    max_concurrency: int

    @property
    def billed_tokens(self) -> int:
        return sum(request.billed_tokens for request in self.requests)
