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
_AT_ONCE = 500
"""Items that are asked for together."""


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
        """Put down that a context was asked."""
        await self._ask([self._put("uses", use.id, use, of=name)])

    async def books(self, name: str) -> tuple[Books, list[Use]]:
        """The account of a context with all that was put down, and what lies beside the sums."""
        now = self.clock()
        [item] = await self._ask([GetOp(self._place("books"), hashed(name))])
        books = self._read(Books, item)
        if books is None:
            books = Books(name=name, opened_at=now, changed_at=now)
        uses = await self._all(Use, "uses", name=name)
        return books.with_uses(uses), uses

    async def forget_uses(self, name: str, uses: Iterable[Use]) -> None:
        """Delete what is in the sums of books that were written since."""
        await self._delete([(self._place("uses", name), use.id) for use in uses])

    async def contexts(self) -> list[Books]:
        """The accounts of all of the owner's contexts."""
        return [
            books.with_uses(await self._all(Use, "uses", name=books.name))
            for books in await self._all(Books, "books")
        ]

    async def let_go(self, books: Books, *, keep: Iterable[str] = ()) -> None:
        """Delete a context: its questions, its documents, and its books.

        Args:
            books: of the context.
            keep: hashes of versions and documents that others have, too.
        """
        stay = set(keep)
        places = [(self._place("books"), hashed(books.name))]
        places += [(self._place("pages"), key) for key in {books.current} - stay]
        places += [(self._place("dense"), key) for key in {*books.documents} - stay]
        uses = await self._all(Use, "uses", name=books.name)
        places += [(self._place("uses", books.name), use.id) for use in uses]
        await self._delete(places)

    async def replace_version(self, before: Books, now: Books, *, keep: Iterable[str] = ()) -> None:
        """Delete what only an earlier version of a context needed."""
        stay = {*keep, "", now.current, *now.documents}
        places = [(self._place("dense"), key) for key in {*before.documents} - stay]
        places += [(self._place("pages"), key) for key in {before.current} - stay]
        await self._delete(places)

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
        value = {} if item is None else item.value
        if (
            value.get("owner") != hashed(list(self.owner))
            or value.get("expires_at", 0) <= self.clock()
        ):
            return None
        try:
            return of.model_validate(value.get("entry"))
        except ValidationError:  # of another version of this library, or not ours
            return None

    async def _all(self, of: type[E], kind: str, *, name: str | None = None) -> list[E]:
        place, found = self._place(kind, name), list[Item]()
        while True:
            search = SearchOp(place, limit=_AT_ONCE, offset=len(found), refresh_ttl=False)
            [items] = await self._ask([search])
            found += items
            if len(items) < _AT_ONCE:
                return [e for item in found if (e := self._read(of, item)) is not None]

    async def _delete(self, places: Sequence[tuple[tuple[str, ...], str]]) -> None:
        if places:
            await self._ask([PutOp(place, key, None) for place, key in places])

    async def _ask(self, operations: Sequence[Op]) -> list[Any]:
        return await ask_store(self.store, operations)


async def ask_store(store: BaseStore, operations: Sequence[Op]) -> list[Any]:
    """Have a store do this, from whatever loop or thread: some have a loop of their own or none."""
    if isinstance(store, AsyncBatchedBaseStore):
        home = store._loop  # pyright: ignore[reportPrivateUsage]
        if home is not asyncio.get_running_loop():
            doing = asyncio.run_coroutine_threadsafe(store.abatch(operations), home)
            return await asyncio.wrap_future(doing)
    try:
        return await store.abatch(operations)
    except NotImplementedError:
        return await in_thread(lambda: store.batch(operations))


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
