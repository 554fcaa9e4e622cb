"""LangGraph stores, each of them real: in memory, SQLite, and a Postgres server of our own."""

from contextlib import AsyncExitStack, asynccontextmanager

from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres import PostgresStore
from langgraph.store.postgres.aio import AsyncPostgresStore
from langgraph.store.sqlite import AsyncSqliteStore, SqliteStore

STORES = ("memory", "sqlite", "sqlite async", "postgres", "postgres async")


@asynccontextmanager
async def opened(kind, folder, postgres_uri=None):
    """A store of a kind, with its tables; what is in `folder` stays."""
    async with AsyncExitStack() as stack:
        if kind == "memory":
            yield InMemoryStore()
            return
        where = postgres_uri() if kind.startswith("postgres") else str(folder / "store.sqlite")
        if kind.endswith("async"):
            of = AsyncPostgresStore if kind.startswith("postgres") else AsyncSqliteStore
            store = await stack.enter_async_context(of.from_conn_string(where))
            await store.setup()
        else:
            of = PostgresStore if kind.startswith("postgres") else SqliteStore
            store = stack.enter_context(of.from_conn_string(where))
            store.setup()
        yield store
