"""What a request may spend, what it has spent, and the leases in between.

A `Budget` goes in and a `Usage` comes out. Before work fans out, what is left is cut into
*leases*, and a lease is itself a `Budget`; when the work is done its usage is settled by
addition. Nothing here is mutable and nothing is shared, so the limits hold with any number of
calls in flight, across a restart, and by induction for a technique inside a technique.

Money is kept on a grid of a billionth of a dollar and time on one of a microsecond, so that
addition is exact: the order in which usages arrive never changes their sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

Limit = Literal["calls", "tokens", "usd", "seconds"]
"""The name of one limit of a budget."""

LIMITS: tuple[Limit, ...] = ("calls", "tokens", "usd", "seconds")

_NANO = 1_000_000_000
_MICRO = 1_000_000


def _no_flag(count: object) -> object:
    if isinstance(count, bool):
        raise ValueError(f"must be a number, got {count}")
    return count


def _on_usd_grid(usd: float) -> float:
    return round(usd * _NANO) / _NANO


def _on_seconds_grid(seconds: float) -> float:
    return round(seconds * _MICRO) / _MICRO


def _positive_usd(usd: float) -> float:
    nearest = round(usd * _NANO)
    on_grid = nearest / _NANO == usd
    nanos = nearest if on_grid else math.floor(usd * _NANO)
    if nanos < 1:
        raise ValueError(f"usd must be at least 1e-9, got {usd}")
    return nanos / _NANO


def _positive_seconds(seconds: float) -> float:
    if _on_seconds_grid(seconds) <= 0:
        raise ValueError(f"seconds must be at least 1e-6, got {seconds}")
    return _on_seconds_grid(seconds)


_Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False), AfterValidator(_on_usd_grid)]
_Seconds = Annotated[
    float, Field(ge=0, le=1e9, allow_inf_nan=False), AfterValidator(_on_seconds_grid)
]
_Count = Annotated[int, Field(ge=0)]


class Usage(BaseModel):
    """What has been spent. Adds with `+`; addition is exact, associative and commutative.

    Attributes:
        calls: completions asked of a model; one request for n completions counts n.
        input_tokens: prompt tokens as the provider counts them.
        output_tokens: completion tokens, reasoning included.
        reasoning_tokens: the part of `output_tokens` spent on reasoning, where it is told.
        usd: dollars at the model's price, to 1e-9; 0 for a model without a known price.
        seconds: wall clock, to 1e-6. Sums of calls add up their own times; the usage of a
            result has the time since it was admitted instead.

    >>> Usage(calls=1, input_tokens=10, output_tokens=5) + Usage(calls=1, usd=0.1)
    Usage(calls=2, input_tokens=10, output_tokens=5, reasoning_tokens=0, usd=0.1, seconds=0.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: _Count = 0
    input_tokens: _Count = 0
    output_tokens: _Count = 0
    reasoning_tokens: _Count = 0
    usd: _Dollars = 0.0
    seconds: _Seconds = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together: what a `tokens` limit counts."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            usd=self.usd + other.usd,
            seconds=self.seconds + other.seconds,
        )

    def __radd__(self, other: int) -> Usage:
        """So that `sum` adds usages: it starts from 0."""
        return self if other == 0 else NotImplemented

    @classmethod
    def total(cls, usages: Iterable[Usage]) -> Usage:
        """The sum of any number of usages; of none, zero."""
        added = list(usages)
        return cls(
            calls=sum(usage.calls for usage in added),
            input_tokens=sum(usage.input_tokens for usage in added),
            output_tokens=sum(usage.output_tokens for usage in added),
            reasoning_tokens=sum(usage.reasoning_tokens for usage in added),
            usd=sum(round(usage.usd * _NANO) for usage in added) / _NANO,
            seconds=sum(round(usage.seconds * _MICRO) for usage in added) / _MICRO,
        )


class Remaining(BaseModel):
    """What a budget still allows. Never negative; `None` where there is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: _Count | None = None
    tokens: _Count | None = None
    usd: _Dollars | None = None
    seconds: _Seconds | None = None

    @property
    def spent_limit(self) -> Limit | None:
        """The first limit of which nothing is left, or None."""
        return next((name for name in LIMITS if getattr(self, name) == 0), None)


class Budget(BaseModel):
    """The limits of one request. At least one, each positive; a lease is a budget too.

    Attributes:
        calls: completions that may be asked of models.
        tokens: prompt and completion tokens over all calls.
        usd: dollars, to 1e-9 (finer amounts are rounded down).
        seconds: wall clock since the request was admitted.

    Raises:
        ValidationError: with no limit at all, or one that is not positive.

    >>> Budget(tokens=20_000, seconds=30)
    Budget(calls=None, tokens=20000, usd=None, seconds=30.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: Annotated[int, Field(gt=0), BeforeValidator(_no_flag)] | None = None
    tokens: Annotated[int, Field(gt=0), BeforeValidator(_no_flag)] | None = None
    usd: (
        Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False), AfterValidator(_positive_usd)]
        | None
    ) = None
    seconds: (
        Annotated[
            float, Field(gt=0, le=1e9, allow_inf_nan=False), AfterValidator(_positive_seconds)
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if all(getattr(self, name) is None for name in LIMITS):
            raise ValueError("a budget needs at least one of calls, tokens, usd, seconds")
        return self

    @classmethod
    def of(cls, given: object) -> Budget:
        """The budget that a user gave: one, or a mapping of its fields.

        >>> Budget.of({"tokens": 0})
        Traceback (most recent call last):
        ValueError: budget: tokens: Input should be greater than 0, got 0

        Raises:
            ValueError: in one line, when it is none.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False)[0]
            where = "".join(f"{part}: " for part in problem["loc"])
            told = problem["msg"].removeprefix("Value error, ")
            unknown = problem["type"] == "extra_forbidden"
            known = f" (it takes {', '.join(LIMITS)})" if unknown else ""
            raise ValueError(f"budget: {where}{told}, got {problem['input']!r}{known}") from None

    def remaining(self, usage: Usage) -> Remaining:
        """What is left after `usage`: each limit less what was used of it, but never below 0."""

        def left(limit: float | None, used: float) -> float | None:
            return None if limit is None else max(0, limit - used)

        return Remaining(
            calls=None if self.calls is None else max(0, self.calls - usage.calls),
            tokens=None if self.tokens is None else max(0, self.tokens - usage.tokens),
            usd=left(self.usd, usage.usd),
            seconds=left(self.seconds, usage.seconds),
        )

    def exceeded_by(self, usage: Usage) -> Limit | None:
        """The first limit that `usage` goes beyond, or None. Reaching a limit is within it."""
        used = {
            "calls": usage.calls,
            "tokens": usage.tokens,
            "usd": usage.usd,
            "seconds": usage.seconds,
        }
        for name in LIMITS:
            limit = getattr(self, name)
            if limit is not None and used[name] > limit:
                return name
        return None

    def within(self, other: Budget | Remaining) -> Budget:
        """The tighter of the two for each limit: what a sub-task may spend inside this budget.

        Raises:
            ValueError: when nothing is left of one of the limits.
        """
        tighter: dict[str, float] = {}
        for name in LIMITS:
            limits = [v for v in (getattr(self, name), getattr(other, name)) if v is not None]
            if limits:
                tighter[name] = min(limits)
        return Budget.model_validate(tighter)

    def at_most(self, usage: Usage) -> Usage:
        """All that may be spent: each limit, and the part of `usage` where there is none."""
        return Usage(
            calls=usage.calls if self.calls is None else self.calls,
            input_tokens=usage.tokens if self.tokens is None else self.tokens,
            usd=usage.usd if self.usd is None else self.usd,
        )

    def split(self, parts: int) -> tuple[Budget, ...]:
        """Equal leases whose sum never exceeds this budget.

        Calls, tokens and dollars are divided, rounding down. Seconds are not: leases run side
        by side on the same clock.

        Args:
            parts: how many leases, at least 1.

        Raises:
            ValueError: when `parts` is below 1, or a share would come to nothing.
        """
        if parts < 1:
            raise ValueError(f"parts must be at least 1, got {parts}")
        share: dict[str, float] = {}
        for name in ("calls", "tokens"):
            limit = getattr(self, name)
            if limit is not None:
                share[name] = limit // parts
        if self.usd is not None:
            share["usd"] = (round(self.usd * _NANO) // parts) / _NANO
        if self.seconds is not None:
            share["seconds"] = self.seconds
        empty = next((name for name, amount in share.items() if amount == 0), None)
        if empty is not None:
            raise ValueError(f"{empty}={getattr(self, empty)} cannot be split into {parts} leases")
        return (Budget.model_validate(share),) * parts


class BudgetExceeded(Exception):
    """The budget ended before there was any answer.

    Attributes:
        limit: which limit ended it.
        budget: what was allowed.
        usage: what had been spent by then.
    """

    def __init__(self, message: str, *, limit: Limit, budget: Budget, usage: Usage) -> None:
        super().__init__(message)
        self.limit: Limit = limit
        self.budget = budget
        self.usage = usage

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (str(self), self.limit, self.budget, self.usage)


def _rebuild(message: str, limit: Limit, budget: Budget, usage: Usage) -> BudgetExceeded:
    return BudgetExceeded(message, limit=limit, budget=budget, usage=usage)
