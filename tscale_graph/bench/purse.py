"""The budget of a whole benchmark, and the part of it that each request holds while it runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tscale_graph.budget import LIMITS, Budget, Limit, Usage
from tscale_graph.recordings.sampling import Account

COUNTED: tuple[Limit, ...] = ("calls", "tokens", "usd")
"""What adds up over requests; their seconds run side by side."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one request may spend.

    Attributes:
        lease: its budget.
        asked: the budget that it was to have.
    """

    lease: Budget
    asked: Budget

    def cut_short_by(self, limit: Limit | None) -> Limit | None:
        """The limit that ended a run, if it was the benchmark's and not the request's own."""
        if limit is None:
            return None
        own, given = getattr(self.asked, limit), getattr(self.lease, limit)
        return limit if given is not None and (own is None or given < own) else None


@dataclass
class Purse:
    """Grants shares that together never exceed a budget.

    A request gets its whole budget or waits for others to give back what they did not use. Where
    the purse has a limit that the request has not, its share of that is what is left for each of
    the requests that may run at once.

    Attributes:
        account: the budget of the whole, and what was spent.
        at_once: requests that may run side by side.
        ended_by: the limit that ended it, or None.
    """

    account: Account
    at_once: int
    ended_by: Limit | None = None
    _held: list[Share] = field(default_factory=list[Share])
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, asked: Budget) -> Share | None:
        """A share, as soon as there is one; None when there will be none any more."""
        async with self._changed:
            while self.ended_by is None:
                share, short = self._share(asked)
                if share is not None:
                    self._held.append(share)
                    return share
                if not self._held:
                    self.ended_by = short
                    break
                await self._changed.wait()
            return None

    async def give_back(self, share: Share, spent: Usage) -> None:
        """Pay for what was spent; the rest of the share is free again."""
        async with self._changed:
            self._held.remove(share)
            self.account.spent += spent
            self._changed.notify_all()

    async def end(self, limit: Limit) -> None:
        """Grant nothing any more."""
        async with self._changed:
            self.ended_by = self.ended_by or limit
            self._changed.notify_all()

    def _share(self, asked: Budget) -> tuple[Share | None, Limit | None]:
        """The next share, or the limit that there is too little of."""
        left = self.account.remaining()
        limits: dict[str, float] = {}
        for name in LIMITS:
            own: float | None = getattr(asked, name)
            rest: float | None = getattr(left, name)
            if rest is None:
                granted = own
            elif name not in COUNTED:
                granted = rest if own is None else min(own, rest)
            else:
                free = rest - sum(getattr(share.lease, name) or 0 for share in self._held)
                granted = _even(free, self.at_once - len(self._held)) if own is None else own
                if granted > free:
                    return None, name
            if granted is None:
                continue
            if granted <= 0:
                return None, name
            limits[name] = granted
        return Share(Budget.model_validate(limits), asked), None


def _even(free: float, parts: int) -> float:
    """An even part of what is free: whole where it is counted in ones."""
    return free // parts if isinstance(free, int) else free / parts
