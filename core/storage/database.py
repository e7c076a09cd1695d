"""Opens the database that a URL names and runs transactions in it, without holding up the event loop."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, Protocol, TypeAlias, TypeVar, cast

import structlog
from sqlalchemy import URL, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import SetupError
from core.storage.alone import OTHER, patiently
from core.storage.sqlite import Sqlite
from core.storage.trouble import state, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Connection

log = structlog.get_logger(__name__)

T = TypeVar("T")
Transaction: TypeAlias = "Connection"  # what others may pass on, without a look inside

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_TOLD = frozenset({"host", "hostaddr", "port", "user", "dbname", "sslmode"})  # of a URL's query; the rest may be secret
# A chat waits some three seconds for an acknowledgement: a database that is gone must be known to be gone before.
CONNECT_TIMEOUT = 2  # seconds
POOL_TIMEOUT = 2.0  # seconds
# Of a process to PostgreSQL, which allows 100 to all of them together. A transaction takes milliseconds, most of which
# are the process's own: with more connections no more of them are over in a second.
CONNECTIONS = 5
# Two transactions that waited for each other; PostgreSQL ended one, and it may well pass now:
# https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
_TRY_AGAIN = frozenset({"40P01", "40001"})
TRIES = 2
ALONE = 0x626F6263  # the advisory lock of who is alone at a database; who shares the work shares it
# The lock goes with its connection, at once when a process is killed. A machine that is gone without a word is noticed
# by the server, after 25 s: https://www.postgresql.org/docs/current/runtime-config-connection.html
NOTICE_SILENCE: LiteralString = (
    "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"
)


class Database(Protocol):
    """Where transactions run."""

    async def run(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        """Run *work* in one transaction: commit what it did, or nothing if it raises.

        *first*: before what waits without it, where only one can run at a time. Raises StorageUnavailable; CannotBeKept for a value that the database refuses.
        """

    def sole(self, patience: float) -> AbstractAsyncContextManager[None]:
        """Be the only process that runs its turns on this database, while the context lasts.

        Waits *patience* seconds for another one to end; raises SetupError when it does not, StorageUnavailable.
        """

    async def close(self) -> None:
        """Let go of every connection."""


def _uncounted(_seconds: float, _transactions: int) -> None:
    """Nobody counts."""


def open_database(
    url: str,
    *,
    connect_timeout: float = CONNECT_TIMEOUT,
    patience: float = POOL_TIMEOUT,
    tries: int = TRIES,
    worked: Callable[[float, int], None] = _uncounted,
) -> Database:
    """Return the database of *url*; nothing is connected yet. Raises SetupError for a kind that isn't known.

    *connect_timeout* in seconds, on SQLite for its lock; *patience* in seconds, for a connection to PostgreSQL that is free;
    *tries* of a transaction that PostgreSQL ended for another. *worked* is told how many seconds the database was worked
    with, for how many transactions; perhaps in another thread.
    """
    where = _parsed(url)
    if where.get_backend_name() == "sqlite":
        return Sqlite(where, file_of(where), connect_timeout, worked)
    return Postgresql(where, connect_timeout, patience, tries, worked)


def readable(url: str) -> str:
    """Return *url* for people: where the database is, and none of its secrets."""
    where = _parsed(url)
    told = {name: value for name, value in where.query.items() if name in _TOLD}
    return where.set(drivername=where.get_backend_name(), query=told).render_as_string(hide_password=True)


def file_of(url: str | URL) -> Path | None:
    """Return the file of a SQLite database, wherever links lead; None for one that has none. Raises SetupError."""
    where = _parsed(url)
    if where.get_backend_name() != "sqlite" or where.database in (None, "", ":memory:"):
        return None
    return Path(os.path.realpath(where.database or ""))


def conninfo(url: str) -> str:
    """Return *url* as libpq reads it, which takes a / or % in a password for something else than SQLAlchemy does."""
    return _parsed(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Postgresql:
    """PostgreSQL through psycopg, on the event loop."""

    def __init__(
        self, where: URL, connect_timeout: float, patience: float, tries: int, worked: Callable[[float, int], None]
    ) -> None:
        """Raises SetupError when the driver isn't installed."""
        self._patience = patience
        self._tries = tries
        self._worked = worked
        # The pool lets whoever comes at the right moment pass those that wait: some waited four times as long as others.
        self._line = asyncio.Semaphore(CONNECTIONS)
        try:
            self._engine = create_async_engine(
                where,
                pool_size=CONNECTIONS,
                max_overflow=1,  # for `sole`
                pool_timeout=patience,
                hide_parameters=True,  # as above
                pool_pre_ping=True,  # a restarted server is noticed before a question is lost to it
                connect_args={"connect_timeout": int(connect_timeout)},
            )
        except ModuleNotFoundError as error:
            raise SetupError(
                "database.url names PostgreSQL; install its driver: pip install 'bobbin-bot[postgres]'"
            ) from error

    async def run(self, work: Callable[[Connection], T], *, first: bool = False) -> T:  # noqa: ARG002
        with translated():
            for _ in range(self._tries - 1):
                try:
                    return await self._transact(work)
                except OperationalError as error:
                    if state(error) not in _TRY_AGAIN:
                        raise
            return await self._transact(work)

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        async with asyncio.timeout(self._patience):
            await self._line.acquire()
        began = time.monotonic()
        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            self._line.release()
            self._worked(time.monotonic() - began, 1)

    @asynccontextmanager
    async def sole(self, patience: float) -> AsyncIterator[None]:
        with translated():
            connection = await self._engine.connect()
            await connection.execute(text(NOTICE_SILENCE))
            await connection.commit()

        async def lock() -> bool:
            with translated():
                taken = await connection.scalar(select(func.pg_try_advisory_lock(ALONE)))
                await connection.commit()
            return bool(taken)

        try:
            await patiently(lock, patience, OTHER)
            yield
        finally:
            await connection.invalidate()  # the lock goes with its connection, not back into the pool
            await connection.close()

    async def close(self) -> None:
        await self._engine.dispose()


def over_driver(transaction: Transaction, call: Callable[[Any], Awaitable[T]]) -> T:
    """Wait for *call*, made with PostgreSQL's own asynchronous connection, inside *transaction*.

    https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-awaitable-only-driver-methods-in-connection-pool-and-other-events
    """
    return cast("Any", transaction.connection.dbapi_connection).run_async(call)  # type: ignore[no-any-return]


def _parsed(url: str | URL) -> URL:
    try:
        where = make_url(url)
    except ArgumentError:
        raise SetupError(
            "database.url is not a URL; set BOBBIN_DATABASE__URL to one such as sqlite:////data/bobbin.db"
        ) from None
    except ValueError:  # whose text quotes what stands there
        raise SetupError(
            "database.url has a port that is no number; set BOBBIN_DATABASE__URL to one such as …@host:5432/bobbin"
        ) from None
    if "@" in (where.host or ""):
        raise SetupError("database.url has more than one @: write an @ in a password as %40")
    driver = _DRIVERS.get(where.drivername.partition("+")[0])
    if driver is None:
        raise SetupError(
            f"database.url begins with {where.drivername!r}; set BOBBIN_DATABASE__URL to sqlite:///… or postgresql://…"
        )
    return where.set(drivername=driver)
