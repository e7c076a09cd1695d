"""Keeps processes that share their work, and one that does it alone, from being at one PostgreSQL database at once."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Literal, LiteralString

import psycopg
from psycopg import sql

from core.errors import SetupError, StorageUnavailable
from core.storage.alone import ALONE, NOTICE_SILENCE, patiently
from core.storage.database import conninfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# What passes by itself, or once the database is mended: a standby becomes the primary.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
CONNECT_TIMEOUT = 2  # seconds
HEARD_WITHIN = 5.0  # seconds
EMBEDDED = (
    "A Bobbin with the embedded engine is running on this database, and knows nothing of others. "
    "Stop it first, or set BOBBIN_ENGINE to the same for all of them."
)
POOLED = (
    "Several share one connection to the database, by a pooler in transaction mode such as PgBouncer's: notifications "
    "(LISTEN, NOTIFY) and locks don't come through. Have BOBBIN_DATABASE__URL name PostgreSQL itself, or a pool in session mode."
)
SHARE = "select pg_try_advisory_lock_shared(%s)"
# https://www.postgresql.org/docs/current/view-pg-locks.html has how an advisory lock is to be found.
HELD = """
select mode from pg_locks join pg_database on pg_database.oid = pg_locks.database
where datname = current_database() and locktype = 'advisory' and classid = 0 and objid = %s and objsubid = 1 and granted
"""


@asynccontextmanager
async def sharing(url: str, patience: float) -> AsyncIterator[None]:
    """While this lasts, no process that works alone may start on the database.

    Waits *patience* seconds for one to end. Raises SetupError when it does not, StorageUnavailable. Should the
    connection be lost, the work goes on: what has begun is not to be ended by what keeps watch over beginnings.
    """
    with _translated():
        connection = await _connect(url)
    async with connection:
        with _translated():
            await _share(connection, patience)
        yield


async def present(url: str) -> Literal["nobody", "one", "several"]:
    """Return who runs on this database: one that works alone, or processes that share. Raises StorageUnavailable."""
    with _translated():
        async with await _connect(url) as connection:
            held = await (await connection.execute(HELD, [ALONE])).fetchall()
    if not held:
        return "nobody"
    return "several" if ("ShareLock",) in held else "one"


async def check_sessions(url: str, heard_within: float = HEARD_WITHIN) -> None:
    """Raises SetupError when a connection of *url* is not PostgreSQL's own, but a pooler's; StorageUnavailable.

    Then no notification is heard within so many seconds.
    """
    channel = f"bobbin_{secrets.token_hex(8)}"
    with _translated():
        async with await _connect(url) as listening, await _connect(url) as telling:
            await listening.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            await telling.execute("select pg_notify(%s, '')", [channel])
            heard = [one async for one in listening.notifies(timeout=heard_within, stop_after=1)]
    if not heard:
        raise SetupError(POOLED)


async def _share(connection: psycopg.AsyncConnection[Any], patience: float) -> None:
    await connection.execute(NOTICE_SILENCE)
    await patiently(lambda: _is_so(connection, SHARE), patience, EMBEDDED)


async def _is_so(connection: psycopg.AsyncConnection[Any], query: LiteralString) -> bool:
    row = await (await connection.execute(query, [ALONE])).fetchone()
    return bool(row and row[0])


async def _connect(url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True, connect_timeout=CONNECT_TIMEOUT)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise StorageUnavailable from error
