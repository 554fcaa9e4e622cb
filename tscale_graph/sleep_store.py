"""Where what was prepared is kept: any LangGraph store, one owner's entries apart from all others'.

An entry is one item, written whole. The names of owners are hashed, so that no name can reach into
the place of another one's, whatever a store makes of dots, wildcards and prefixes; and what is read
is only taken where it says the same owner's hash.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from langgraph.config import get_store
from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp
from langgraph.store.base.batch import AsyncBatchedBaseStore
from pydantic import BaseModel, ValidationError

from tscale_graph.models.threads import in_thread
from tscale_graph.sleeping.books import Books, Use
from tscale_graph.sleeping.contexts import StandingContext, hashed
from tscale_graph.sleeping.entries import Dense, Page

E = TypeVar("E", bound=BaseModel)

ROOT = "tscale-sleep"
"""The first label of all that is kept."""
DAYS = 30.0
"""How long what nobody writes anew is kept."""
MOST_USES = 2000
"""Uses that lie beside the books of one context: between two sleeps, the oldest are forgotten."""
_COUNTED_EVERY = 128
"""Uses are counted once for so many that are put down."""
_AT_ONCE = 500
"""Items that are asked for together."""
_LOOP_SECONDS = 5.0
"""How long another event loop may take to do nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there is for a context.

    Attributes:
        page: its questions, or None.
        dense: its documents rewritten, by their names; those that there are.
    """

    page: Page | None = None
    dense: dict[str, Dense] = field(default_factory=dict[str, Dense])


@dataclass(frozen=True)
class SleepStore:
    """One owner's entries.

    Attributes:
        store: any LangGraph store.
        owner: a tenant, or a tenant and a user, or whatever tells owners apart.
        days: how long an entry is kept after it was written; above 0.
        clock: seconds since the epoch.
    """

    store: BaseStore
    owner: tuple[str, ...] = ()
    days: float = DAYS
    clock: Callable[[], float] = time.time

    async def prepared(self, context: StandingContext) -> Prepared:
        """What was worked out from exactly this context, and from these documents."""
        keys = context.keys()
        places = [("pages", context.key), *(("dense", key) for key in keys.values())]
        found = await self._ask([GetOp(self._place(kind), key) for kind, key in places])
        page = self._read(Page, found[0])
        dense = {
            name: entry
            for (name, key), item in zip(keys.items(), found[1:], strict=True)
            if (entry := self._read(Dense, item)) is not None and entry.source == key
        }
        return Prepared(page if page is not None and page.source == context.key else None, dense)

    async def page(self, key: str) -> Page | None:
        """The questions of a version of a context, by its hash."""
        [item] = await self._ask([GetOp(self._place("pages"), key)])
        return self._read(Page, item)

    async def keep(self, entries: Iterable[Page | Dense | Books]) -> None:
        """Write entries, each whole, in their order."""
        puts = [self._put(*_where(entry), entry) for entry in entries]
        if puts:
            await self._ask(puts)

    async def log(self, name: str, use: Use) -> None:
        """Put down that a context was asked; the oldest of very many uses are forgotten."""
        await self._ask([self._put("uses", use.id, use, of=name)])
        if int(hashed(use.id)[:8], 16) % _COUNTED_EVERY == 0:
            await self.forget_uses(name, (await self.uses(name))[:-MOST_USES])

    async def account(self, name: str) -> Books:
        """The sums of a context, without what lies beside them; empty where there are none."""
        [item] = await self._ask([GetOp(self._place("books"), hashed(name))])
        return self._read(Books, item) or Books(name=name, changed_at=self.clock())

    async def uses(self, name: str) -> list[Use]:
        """What was put down since, oldest first; what is in the sums may be there still."""
        return sorted(await self._all(Use, "uses", name=name), key=lambda use: use.at)

    async def books(self, name: str) -> tuple[Books, list[Use]]:
        """The account of a context with all that was put down, and what lies beside the sums."""
        uses = await self.uses(name)
        return (await self.account(name)).with_uses(uses), uses

    async def forget_uses(self, name: str, uses: Iterable[Use]) -> None:
        """Delete what is in the sums of books that were written since."""
        await self._delete([(self._place("uses", name), use.id) for use in uses])

    async def contexts(self) -> list[Books]:
        """The accounts of all of the owner's contexts that were worked on."""
        return [
            books.with_uses(await self.uses(books.name))
            for books in await self._all(Books, "books")
        ]

    async def let_go(self, books: Books, *, keep: Iterable[str] = ()) -> None:
        """Delete a context: its questions, its documents, and its books.

        Args:
            books: of the context.
            keep: hashes of versions and documents that others have, too.
        """
        await self._forget(books.keys - set(keep))
        uses = [(self._place("uses", books.name), use.id) for use in await self.uses(books.name)]
        await self._delete([*uses, (self._place("books"), hashed(books.name))])

    async def only_current(self, books: Books, *, keep: Iterable[str] = ()) -> Books:
        """Delete what only earlier versions of a context needed; the books without them."""
        now = books.of_current()
        if now != books:
            await self._forget(books.keys - now.keys - set(keep))
            await self.keep([now])
        return now

    async def sweep(self, *, keep: Iterable[str] = ()) -> None:
        """Delete what has expired: uses, and books with all that they know of.

        Args:
            keep: hashes of versions and documents that are needed still.
        """
        for item in await self._items(self._place("books")):
            if self._ours(item) and self._expired(item):
                if (books := _entry(Books, item)) is not None:
                    await self._forget(books.keys - set(keep))
                await self._delete([(self._place("books"), item.key)])
        old = [one for one in await self._items(self._place("uses")) if self._expired(one)]
        await self._delete([(one.namespace, one.key) for one in old])

    async def _forget(self, keys: Iterable[str]) -> None:
        """Delete pages and dense documents, by their hashes."""
        both = ("pages", "dense")
        await self._delete([(self._place(kind), key) for key in sorted(keys) for kind in both])

    def _place(self, kind: str, of: str | None = None) -> tuple[str, ...]:
        below = () if of is None else (hashed(of),)
        return (ROOT, hashed(list(self.owner)), kind, *below)

    def _put(self, kind: str, key: str, entry: BaseModel, *, of: str | None = None) -> PutOp:
        value = {
            "owner": hashed(list(self.owner)),
            "expires_at": self.clock() + self.days * 86_400,
            "entry": entry.model_dump(mode="json"),
        }
        ttl = self.days * 1440 if self.store.supports_ttl else None
        return PutOp(self._place(kind, of), key, _storable(value), index=False, ttl=ttl)

    def _read(self, of: type[E], item: Item | None) -> E | None:
        """The entry, if it is whole, ours and not expired."""
        if item is None or not self._ours(item) or self._expired(item):
            return None
        return _entry(of, item)

    def _ours(self, item: Item) -> bool:
        return item.value.get("owner") == hashed(list(self.owner))

    def _expired(self, item: Item) -> bool:
        until = item.value.get("expires_at")
        return not isinstance(until, int | float) or until <= self.clock()

    async def _all(self, of: type[E], kind: str, *, name: str | None = None) -> list[E]:
        items = await self._items(self._place(kind, name))
        return [entry for item in items if (entry := self._read(of, item)) is not None]

    async def _items(self, place: tuple[str, ...]) -> list[Item]:
        found = list[Item]()
        while True:
            search = SearchOp(place, limit=_AT_ONCE, offset=len(found), refresh_ttl=False)
            [items] = await self._ask([search])
            found += items
            if len(items) < _AT_ONCE:
                return found

    async def _delete(self, places: Sequence[tuple[tuple[str, ...], str]]) -> None:
        if places:
            await self._ask([PutOp(place, key, None) for place, key in places])

    async def _ask(self, operations: Sequence[Op]) -> list[Any]:
        return await ask_store(self.store, operations)


async def ask_store(store: BaseStore, operations: Sequence[Op]) -> list[Any]:
    """Have a store do this, from whatever loop or thread: some have a loop of their own or none.

    Raises:
        OSError: when the store's own event loop has ended, or does nothing else than wait.
    """
    if isinstance(store, AsyncBatchedBaseStore):
        home = store._loop  # pyright: ignore[reportPrivateUsage]
        if home is not asyncio.get_running_loop():
            await _check_running(home)
            doing = asyncio.run_coroutine_threadsafe(store.abatch(operations), home)
            return await asyncio.wrap_future(doing)
    try:
        return await store.abatch(operations)
    except NotImplementedError:
        return await in_thread(lambda: store.batch(operations))


async def _check_running(home: asyncio.AbstractEventLoop) -> None:
    """Refuse a loop on which nothing would ever be done."""
    if not home.is_running():
        raise OSError("the event loop that the store was opened on has ended: open it on this one")

    async def answer() -> None:
        return

    doing = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer(), home))
    try:
        async with asyncio.timeout(_LOOP_SECONDS):
            await doing
    except TimeoutError:
        told = "the event loop of the store is held up: await ainvoke there, in place of invoke"
        raise OSError(told) from None


def found_store(given: BaseStore | None) -> BaseStore:
    """The store that was given, or that of the run.

    Raises:
        ValueError: when there is none.
    """
    store = given
    if store is None:
        try:
            store = get_store()
        except (RuntimeError, KeyError):  # outside of a run
            store = None
    if store is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ValueError("no store: compile the graph with store=…, or give store= to its function")
    return store


def owner_of(given: object) -> tuple[str, ...]:
    """Whose entries: a name, or several that tell owners apart.

    >>> owner_of("acme"), owner_of(["acme", "ann"]), owner_of(None)
    (('acme',), ('acme', 'ann'), ())

    Raises:
        ValueError: in one line, for anything else.
    """
    names = () if given is None else (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"owner must be a name or a list of names, got {given!r:.60}")
    return tuple(str(name) for name in names)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def check_days(days: float) -> None:
    """Refuse a time for which nothing would be kept.

    Raises:
        ValueError: in one line.
    """
    if not 0 < days < float("inf"):
        raise ValueError(f"days must be above 0 and finite, got {days!r}")


def _entry(of: type[E], item: Item) -> E | None:
    """What an item holds; None where that is of another version of this library, or not ours."""
    try:
        return of.model_validate(item.value.get("entry"))
    except ValidationError:
        return None


def _where(entry: Page | Dense | Books) -> tuple[str, str]:
    if isinstance(entry, Books):
        return "books", hashed(entry.name)
    return ("pages" if isinstance(entry, Page) else "dense"), entry.source


def _storable(value: Any) -> Any:
    """Plain data without what Postgres refuses in a text: NUL."""
    if isinstance(value, dict):
        return {name: _storable(part) for name, part in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_storable(part) for part in cast(list[Any], value)]
    if isinstance(value, str):
        return value.replace("\0", "")
    return value
