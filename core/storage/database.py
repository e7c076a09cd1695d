"""Opens the database that a URL names and runs transactions in it, without holding up the event loop."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, LiteralString, Protocol, TypeAlias, TypeVar, cast

import structlog
from sqlalchemy import URL, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from core.backoff import Backoff, Pauses
from core.errors import CannotBeKept, SetupError, StorageUnavailable
from core.storage.place import LOCK, check_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

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
LOOKS = Backoff(first=0.5, longest=0.5)  # while an earlier process ends
OTHER = "Another Bobbin is running on this database. Stop it first, or give this one a database of its own."
# Two transactions that waited for each other; PostgreSQL ended one, and it may well pass now:
# https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
_TRY_AGAIN = frozenset({"40P01", "40001"})
TRIES = 2
_TOO_MUCH = "54"  # the class of what is beyond a limit of PostgreSQL's, such as of an index
_READ_ONLY = "25006"  # a standby that will be the primary again, or one that was
ALONE = 0x626F6263  # the advisory lock of who is alone at a database; who shares the work shares it
# The lock goes with its connection, at once when a process is killed. A machine that is gone without a word is noticed
# by the server, after 25 s: https://www.postgresql.org/docs/current/runtime-config-connection.html
NOTICE_SILENCE: LiteralString = (
    "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"
)


class Database(Protocol):
    """Where transactions run."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run *work* in one transaction: commit what it did, or nothing if it raises.

        Raises StorageUnavailable; CannotBeKept for a value that the database refuses.
        """

    def sole(self, patience: float) -> AbstractAsyncContextManager[None]:
        """Be the only process that runs its turns on this database, while the context lasts.

        Waits *patience* seconds for another one to end; raises SetupError when it does not, StorageUnavailable.
        """

    async def close(self) -> None:
        """Let go of every connection."""


def open_database(url: str, *, connect_timeout: float = CONNECT_TIMEOUT, tries: int = TRIES) -> Database:
    """Return the database of *url*; nothing is connected yet. Raises SetupError for a kind that isn't known.

    *connect_timeout* in seconds, on SQLite for its lock; *tries* of a transaction that PostgreSQL ended for another.
    """
    where = _parsed(url)
    if where.get_backend_name() == "sqlite":
        return Sqlite(where, connect_timeout)
    return Postgresql(where, connect_timeout, tries)


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


class Sqlite:
    """SQLite in a thread of its own, a whole transaction at a time.

    One connection: SQLite has one writer anyway, and waiting for our own turn beats its sleeping busy handler.
    Per statement instead (aiosqlite) the same transaction took 2.4 times as long: docs/decisions/0002-sqlite-thread.md.
    """

    def __init__(self, where: URL, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        # Whatever links lead there: what is beside it, our lock included, is beside the file itself.
        self._file = file_of(where)
        self._opened: tuple[int, int] | None = None  # which file it was when it was opened; None before
        if self._file:
            check_place(self._file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._engine = create_engine(
            where,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # people's words, which an error would take into the log
            connect_args={"check_same_thread": False, "timeout": connect_timeout},
        )
        event.listen(self._engine, "do_connect", self._make)
        event.listen(self._engine, "connect", _set_up_sqlite)
        event.listen(self._engine, "begin", _begin_immediate)

    async def run(self, work: Callable[[Connection], T]) -> T:
        here = copy_context()  # what is composed in a transaction is in the language that is spoken
        return await asyncio.get_running_loop().run_in_executor(self._thread, here.run, self._transact, work)

    @asynccontextmanager
    async def sole(self, patience: float) -> AsyncIterator[None]:
        if self._file is None:
            yield
            return
        with self._file.with_name(self._file.name + LOCK).open("w") as lock:
            await patiently(lambda: _flock(lock), patience, OTHER)
            yield

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with _translated():
            self._check_that_it_is_there()
            with self._engine.begin() as connection:
                self._opened = self._opened or self._found()
                return work(connection)

    def _make(self, *_: object) -> None:
        """Make the file as its owner's alone, since it holds people's words; SQLite gives what it puts beside it the same mode."""
        if self._file:
            with suppress(FileExistsError):
                os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def _check_that_it_is_there(self) -> None:
        """Raise OSError if the file was deleted or replaced: SQLite would go on with one that has no name any more.

        https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
        """
        if self._opened and self._opened != self._found():
            raise FileNotFoundError(
                errno.ENOENT,
                "the database's file was deleted or replaced; put it back, or restart Bobbin",
                str(self._file),
            )

    def _found(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


class Postgresql:
    """PostgreSQL through psycopg, on the event loop."""

    def __init__(self, where: URL, connect_timeout: float = CONNECT_TIMEOUT, tries: int = TRIES) -> None:
        """Raises SetupError when the driver isn't installed."""
        self._tries = tries
        # The pool lets whoever comes at the right moment pass those that wait: some waited four times as long as others.
        self._line = asyncio.Semaphore(CONNECTIONS)
        try:
            self._engine = create_async_engine(
                where,
                pool_size=CONNECTIONS,
                max_overflow=1,  # for `sole`
                pool_timeout=POOL_TIMEOUT,
                hide_parameters=True,  # as above
                pool_pre_ping=True,  # a restarted server is noticed before a question is lost to it
                connect_args={"connect_timeout": int(connect_timeout)},
            )
        except ModuleNotFoundError as error:
            raise SetupError(
                "database.url names PostgreSQL; install its driver: pip install 'bobbin-bot[postgres]'"
            ) from error

    async def run(self, work: Callable[[Connection], T]) -> T:
        with _translated():
            for _ in range(self._tries - 1):
                try:
                    return await self._transact(work)
                except OperationalError as error:
                    if _state(error) not in _TRY_AGAIN:
                        raise
            return await self._transact(work)

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        async with asyncio.timeout(POOL_TIMEOUT):
            await self._line.acquire()
        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            self._line.release()

    @asynccontextmanager
    async def sole(self, patience: float) -> AsyncIterator[None]:
        with _translated():
            connection = await self._engine.connect()
            await connection.execute(text(NOTICE_SILENCE))
            await connection.commit()

        async def lock() -> bool:
            with _translated():
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


def is_damaged(error: BaseException | None) -> bool:
    """Is what stands in the database's file no database, or not a whole one? SQLite only; no time mends it."""
    return type(error) is DatabaseError and bool(re.search(r"not a database|malformed", str(error.orig)))


async def patiently(take: Callable[[], Awaitable[bool]], patience: float, problem: str) -> None:
    """Try to *take* for so many seconds. Raises SetupError, which says *problem*, when that was in vain."""
    pauses, is_told = Pauses(replace(LOOKS, give_up_after=patience)), False
    while not await take():
        if pauses.are_over:
            raise SetupError(problem)
        if not is_told:
            log.info("waiting for another Bobbin on this database to end", seconds=patience)
        is_told = True
        await asyncio.sleep(pauses.next())


async def _flock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # accepted means recorded, through a power cut as well
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # The write lock from the start: a transaction that first reads and then writes can't be refused half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _refused(error: Exception) -> CannotBeKept:
    """Say what the database, or its driver, refuses by names of its own: its sentences may quote the value."""
    cause = getattr(error, "orig", None) or error
    about = getattr(cause, "diag", None)  # PostgreSQL's: https://www.psycopg.org/psycopg3/docs/api/errors.html
    names = [getattr(about, name, None) for name in ("table_name", "column_name", "constraint_name")]
    return CannotBeKept(" ".join([type(cause).__name__, *(name for name in names if name)]))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        if "no such" in str(getattr(error, "orig", "")):
            raise  # SQLite calls it operational when a table or column is missing; waiting would not help
        if _state(error).startswith(_TOO_MUCH):
            raise _refused(error) from None
        raise StorageUnavailable from error
    except (DataError, IntegrityError) as error:
        raise _refused(error) from None  # whose traceback may quote the row
    except DBAPIError as error:
        if error.connection_invalidated or is_damaged(error) or _state(error) == _READ_ONLY:
            raise StorageUnavailable from error
        raise
    except (StatementError, OverflowError, UnicodeError) as error:  # a value that the driver can't even send
        raise _refused(error) from None


def _state(error: Exception) -> str:
    """https://www.postgresql.org/docs/current/errcodes-appendix.html; empty where there is none."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
