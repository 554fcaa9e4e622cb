"""Opening the store that a command names: an SQLite file, or a Postgres server."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.store.base import BaseStore

STORE = "tscale-sleep.sqlite"
"""Where what was prepared is kept, unless another place is named."""


@asynccontextmanager
async def opened_store(where: str, *, new: bool) -> AsyncGenerator[BaseStore]:
    """The store, with its tables.

    Args:
        where: the path of an SQLite file, or "postgresql://…".
        new: a file that is not there is made.

    Raises:
        ValueError: when there is no such file.
        OSError: when it cannot be opened.
        ImportError: when a package is missing, naming the extra.
    """
    if where.startswith(("postgresql://", "postgres://")):
        async with _postgres(where) as store:
            yield store
        return
    try:
        from langgraph.store.sqlite import AsyncSqliteStore
    except ImportError as error:
        told = "an SQLite store needs another package: pip install 'tscale-graph[sqlite]'"
        raise ImportError(told) from error
    _check_place(Path(where), new=new)
    try:
        async with AsyncSqliteStore.from_conn_string(where) as store:
            await store.setup()
            yield store
    except sqlite3.Error as error:
        raise OSError(f"the store {where} cannot be used: {error}") from error


def _check_place(file: Path, *, new: bool) -> None:
    if not new and not file.exists():
        raise ValueError(f"there is no store {file}: tscale sleep makes one (--store)")
    if not file.parent.is_dir():
        raise ValueError(f"there is no folder for the store {file}")


@asynccontextmanager
async def _postgres(where: str) -> AsyncGenerator[BaseStore]:
    try:
        from langgraph.store.postgres.aio import AsyncPostgresStore
        from psycopg import OperationalError
    except ImportError as error:
        told = "a Postgres store needs another package: pip install 'tscale-graph[postgres]'"
        raise ImportError(told) from error
    try:
        async with AsyncPostgresStore.from_conn_string(where) as store:
            await store.setup()
            yield store
    except OperationalError as error:
        raise OSError(f"the Postgres store cannot be used: {str(error).splitlines()[0]}") from error
