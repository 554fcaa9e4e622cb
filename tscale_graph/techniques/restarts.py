"""What had been asked for when a run was stopped: nobody knows whether it was billed."""

from __future__ import annotations

import itertools
import os
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from langgraph._internal._constants import CONFIG_KEY_CHECKPOINTER
from langgraph.config import get_config

from tscale_graph.budget import Budget, Usage
from tscale_graph.leases import SampleSize
from tscale_graph.sharing import apportion

LOST = "lost: the run was stopped before it was there"

_PROCESS = uuid.uuid4().hex
_NUMBERS = itertools.count()


@dataclass
class _Task:
    """What was begun in this process.

    Attributes:
        begun: how often.
        update: what it came to, once it has.
    """

    begun: int = 0
    update: dict[str, Any] | None = None


_TASKS: dict[str, dict[str, _Task]] = {}
"""By grant, the oldest first; of a run that goes on, those of the round that it is in."""
_MOST_GRANTS = 4096


def new_grant() -> str:
    """What tells one grant of leases from all others, of this process and of those before it."""
    return f"{os.getpid()}/{_PROCESS}/{next(_NUMBERS)}"


async def once(
    granted_by: str,
    task: str,
    do: Callable[[], Awaitable[dict[str, Any]]],
    again: Callable[[int], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Do what a node of a graph does with a grant, which a resumed run may repeat.

    A task that has ended, and whose outcome was not saved before the run was stopped, comes to
    the same without being done again. One that was broken off, by a cancellation or with its
    process, may have asked for something that was billed. On Temporal the same task may run
    anywhere, and Temporal itself says whether it has run before.

    Args:
        granted_by: the grant (see `new_grant`); "" for none, so that nothing is known.
        task: which of the tasks that share it.
        do: does it for the first time.
        again: what to do instead when it was begun so many times before.
    """
    temporal: Any = sys.modules.get("temporalio.activity")
    if temporal is not None and temporal.in_activity():
        before = temporal.info().attempt - 1
        return await (again(before) if before else do())
    if not granted_by:
        return await do()
    known = _known(granted_by).setdefault(task, _Task())
    if known.update is not None:
        return known.update
    elsewhere = not granted_by.startswith(f"{os.getpid()}/{_PROCESS}/")
    before, known.begun = known.begun + int(elsewhere), known.begun + 1
    known.update = await (again(before) if before else do())
    return known.update


def goes_on_by_itself() -> bool:
    """Whether a technique in the place of a model goes on where it was stopped.

    It does where the run that it is part of has a checkpointer, which saves its steps as well.
    """
    try:
        configurable = get_config().get("configurable") or {}
    except RuntimeError:  # outside a graph
        return False
    return bool(configurable.get(CONFIG_KEY_CHECKPOINTER))


def saved(*grants: str) -> None:
    """Forget what was done with grants: a later node runs, so all of it was saved."""
    for granted_by in grants:
        _TASKS.pop(granted_by, None)


def _known(granted_by: str) -> dict[str, _Task]:
    if granted_by not in _TASKS:
        while len(_TASKS) >= _MOST_GRANTS:
            _TASKS.pop(next(iter(_TASKS)), None)
        _TASKS[granted_by] = {}
    return _TASKS[granted_by]


def lost_usages(lease: Budget, count: int, size: SampleSize) -> list[Usage]:
    """All that each of several samples could have spent.

    Args:
        lease: of each of them, or of all of them where they share a prompt.
        count: how many.
        size: the most that one of them takes.
    """
    if size.whole is not None:
        return [lease.at_most(size.whole)] * count
    leases = 1 if size.shared_prompt else count
    most = size.output_tokens * (count if size.shared_prompt else 1)
    room = most if lease.tokens is None else max(0, lease.tokens - size.prompt_tokens)
    spent = Usage(
        calls=count,
        input_tokens=leases * size.prompt_tokens,
        output_tokens=leases * min(most, room),
        usd=leases * (lease.usd or 0.0),
    )
    return apportion(spent, [1] * count)
