"""What a run inside another one knows of that: who may halt it, its seed, and its books.

All of it lives and ends with the process. No limit depends on it: it lets a run that is not wanted
any more end early, and tells what one that was given up on had spent.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

from tscale_graph.budget import Usage


@dataclass
class Ledger:
    """What the calls of a run have cost so far: settled, or at their most while in flight.

    Attributes:
        outer: that of the run which this one is part of, or None.
        calls: by call.
    """

    outer: Ledger | None = None
    calls: dict[object, Usage] = field(default_factory=dict[object, Usage])

    def note(self, call: object, usage: Usage) -> None:
        """Put down what a call has cost, or may cost; once more corrects it."""
        self.calls[call] = usage
        if self.outer is not None:
            self.outer.note(call, usage)

    @property
    def total(self) -> Usage:
        """What all calls have cost, or may have."""
        return Usage.total(list(self.calls.values()))


@dataclass
class InnerRun:
    """A run of a technique in the place of a model.

    Attributes:
        loop: where it runs.
        halts: one of them is set when its answer is not wanted any more.
        ledger: what it spends.
        depth: runs that it is inside of, itself included.
        seed: in place of the technique's own, until the run takes it; None leaves that.
    """

    loop: asyncio.AbstractEventLoop
    halts: tuple[asyncio.Event, ...]
    ledger: Ledger
    depth: int
    seed: int | None


_running: ContextVar[InnerRun | None] = ContextVar("tscale_inner_run", default=None)


def inner_run(*, halts: tuple[asyncio.Event, ...], seed: int | None) -> InnerRun:
    """A run that begins inside the current one."""
    outer = _running.get()
    return InnerRun(
        loop=asyncio.get_running_loop(),
        halts=halts,
        ledger=Ledger(outer.ledger if outer else None),
        depth=outer.depth + 1 if outer else 1,
        seed=seed,
    )


def enter(run: InnerRun) -> None:
    """Have what follows in this context be part of a run."""
    _running.set(run)


def halts() -> tuple[asyncio.Event, ...]:
    """What is set when the run that this call is part of is not wanted any more.

    None on other loops, such as that of a graph which a verifier runs: events belong to theirs.
    """
    run = _running.get()
    return run.halts if run is not None and run.loop is asyncio.get_running_loop() else ()


def ledger() -> Ledger | None:
    """The books of the run that this call is part of; None as a rule."""
    run = _running.get()
    return None if run is None else run.ledger


def is_inner() -> bool:
    """Whether this is a part of a run in the place of a model."""
    return _running.get() is not None


def take_seed() -> int | None:
    """The seed that this run was given, for the first who asks; None as a rule."""
    run = _running.get()
    if run is None:
        return None
    seed, run.seed = run.seed, None
    return seed
