"""`tscale sleep`: work through a context while nobody asks, and see whether that pays."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tscale_graph.cli.documents import context_name, read_documents
from tscale_graph.cli.finishing import complain, finished
from tscale_graph.cli.main import COMPLETE, CUT_OFF, WRONG_USE
from tscale_graph.cli.solve import read_budget
from tscale_graph.cli.stores import STORE, opened_store
from tscale_graph.idle import Idle
from tscale_graph.sleep_store import SleepStore, owner_of
from tscale_graph.sleeping.books import Books
from tscale_graph.techniques.sleep_time import sleep_time
from tscale_graph.techniques.sleeping.state import Slept

_STATUS = "status"
_OPTIONS = ("questions", "samples", "patience", "temperature", "max_output_tokens", "seed")
_FROM = {"answer": "at once", "dense": "dense", "full": "whole"}
_TOLD = {
    "complete": "nothing is left to do",
    "cut_off": "the budget ended; go on with the same command",
    "gave_way": "gave way; go on with the same command",
    "given_up": "left alone: nobody has asked for too long (--patience)",
}


def sleep_command(asked: argparse.Namespace) -> int:
    """Work ahead, or show the books; returns the exit status."""
    if asked.context == [_STATUS] and not Path(_STATUS).exists():
        return _status(asked)
    try:
        documents = read_documents(asked.context)
        budget = read_budget(asked.budget)
        options = {n: v for n in _OPTIONS if (v := getattr(asked, n)) is not None}
        idle = Idle()
        graph = sleep_time(asked.model, verifier=asked.verify, idle=idle, **options)
    except (ValueError, ImportError, OSError) as error:
        return complain(error, WRONG_USE)
    context = {"context": documents, "name": asked.name or context_name(asked.context)}
    given: dict[str, Any] = {**context, "owner": asked.owner or [], "budget": budget}
    slept = finished(lambda: _sleep(graph, given, asked.store or STORE, idle), model=asked.model)
    if isinstance(slept, int):
        return slept
    if asked.json:
        print(slept.model_dump_json(indent=2))
    else:
        _show(slept)
    return CUT_OFF if slept.cut_off_by else COMPLETE


async def _sleep(graph: Any, given: dict[str, Any], where: str, idle: Idle) -> Slept:
    """Run it; the first SIGTERM or SIGINT has it give way, with what it has."""
    loop, held = asyncio.get_running_loop(), ExitStack()

    def give_way(told: int) -> None:
        loop.remove_signal_handler(told)  # the second one ends it
        held.enter_context(idle.asking())

    with held:
        for one in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError, RuntimeError):  # not everywhere, nor on any thread
                loop.add_signal_handler(one, give_way, one)
        async with opened_store(where, new=True) as store:
            out = await graph.compile(store=store).ainvoke(given)
    return Slept.model_validate(out["slept"])


def _show(slept: Slept) -> None:
    print(
        f"{slept.context}: {slept.rewritten} of {slept.documents} documents rewritten, "
        f"{slept.answered} of {slept.anticipated} questions answered, "
        f"{slept.usage.tokens:,} tokens"
    )
    for note in slept.notes:
        print(f"- {note}")
    missing = slept.rewritten < slept.documents or slept.answered < slept.anticipated
    if slept.status == "cut_off" and not slept.usage.calls:
        print(f"the limit on {slept.cut_off_by} is too little for one call")
    elif slept.status == "complete" and missing:
        print("done for now; the same command tries what is missing again")
    else:
        print(_TOLD[slept.status])


def _status(asked: argparse.Namespace) -> int:
    """The books of every context of an owner."""
    ignored = ("budget", "name", "verify", *_OPTIONS)
    for option in ignored:
        if option != "patience" and getattr(asked, option) is not None:
            flag = option.replace("_", "-")
            return complain(f"tscale sleep status asks nothing: it takes no --{flag}", WRONG_USE)
    if not asked.phi >= 0:
        return complain(f"--phi must be at least 0, got {asked.phi}", WRONG_USE)
    try:
        contexts = asyncio.run(_books(asked.store or STORE, owner_of(asked.owner or [])))
    except (ValueError, ImportError, OSError) as error:
        return complain(error, WRONG_USE)
    contexts.sort(key=lambda one: -one.saved_tokens)
    patience, phi = asked.patience or 3, asked.phi
    if asked.json:
        print(json.dumps([_row(one, patience, phi) for one in contexts], indent=2))
        return COMPLETE
    if not contexts:
        print("no context was worked through yet")
        return COMPLETE
    table = Table("context", "questions", "answered from", "tokens", "of each", "saved", "paid off")
    for books in contexts:
        row = _row(books, patience, phi)
        asked_by = ", ".join(f"{count} {_FROM[kind]}" for kind, count in books.asked.items())
        each = row["tokens_each"]
        table.add_row(
            books.name,
            str(books.questions),
            asked_by or "-",
            f"{books.slept.tokens:,} asleep\n{books.awake.tokens:,} awake",
            "-" if each is None else f"{each:,.0f}",
            f"{books.saved_tokens:,}",
            row["told"],
        )
    Console(soft_wrap=False).print(table)
    return COMPLETE


async def _books(where: str, owner: tuple[str, ...]) -> list[Books]:
    async with opened_store(where, new=False) as store:
        return await SleepStore(store, owner).contexts()


def _row(books: Books, patience: int, phi: float) -> dict[str, Any]:
    """A context's account as plain data."""
    needed = books.questions_to_pay_off(phi=phi)
    if books.paid_off(phi=phi):
        told = "yes"
    elif needed is None:
        told = "no"
    else:
        told = f"after {needed:,.0f} questions"
    if books.given_up(after=patience):
        told += "\nleft alone"
    return {
        "context": books.name,
        "asked": dict(books.asked),
        "slept": books.slept.model_dump(),
        "awake": books.awake.model_dump(),
        "saved_tokens": books.saved_tokens,
        "tokens_each": books.amortised_tokens(phi=phi),
        "paid_off": books.paid_off(phi=phi),
        "questions_to_pay_off": needed,
        "left_alone": books.given_up(after=patience),
        "told": told,
    }
