"""Looks at a database without making or changing anything: for who only wants to know."""

from __future__ import annotations

import asyncio
import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from core.errors import SetupError, StorageUnavailable
from core.storage.causes import cause
from core.storage.database import CONNECT_TIMEOUT, open_database, readable
from core.storage.location import LOCK, check_location
from core.storage.migrate import is_current, is_newest

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of a database, as far as looking at it tells."""

    exists: bool
    has_newest_schema: bool
    is_in_use: bool  # by a Bobbin that holds its file; of PostgreSQL core.engine.presence knows
    takes_changes: bool = True  # a standby of PostgreSQL doesn't; of a file its place tells


async def look(url: str) -> Seen:
    """Return what the database of *url* is like. Raises SetupError, which names the cause and what to do, if it can't be used."""
    database = open_database(url)  # which refuses what isn't known, and checks the place
    try:
        where = make_url(url)
        if where.get_backend_name() == "sqlite":
            return await asyncio.to_thread(_look_at_file, where)
        return Seen(
            exists=True,
            has_newest_schema=await is_current(database),
            is_in_use=False,
            takes_changes=await database.run(_takes_changes),
        )
    except (StorageUnavailable, DBAPIError) as error:
        raise SetupError(f"{readable(url)}: {cause(error, url)}") from error
    finally:
        await database.close()


def _takes_changes(connection: Connection) -> bool:
    return bool(connection.scalar(text("show transaction_read_only")) == "off")


def _look_at_file(where: URL) -> Seen:
    if where.database in (None, "", ":memory:"):
        return Seen(exists=False, has_newest_schema=False, is_in_use=False)
    file = Path(where.database or "").absolute()
    check_location(file)
    if not file.exists() or not file.stat().st_size:
        return Seen(exists=False, has_newest_schema=False, is_in_use=_is_in_use(file))
    with _beside(where).connect() as connection:
        return Seen(exists=True, has_newest_schema=is_newest(connection), is_in_use=_is_in_use(file))


async def read(url: str, work: Callable[[Connection], T]) -> T:
    """Return what *work* finds, which changes nothing, beside whoever uses the database. Raises SetupError."""
    seen = await look(url)
    if not (seen.exists and seen.has_newest_schema):
        raise SetupError(f"{readable(url)} has not the schema of this version. Run `bobbin migrate` first.")
    where = make_url(url)
    database = open_database(url)
    try:
        if where.get_backend_name() == "sqlite":
            return await asyncio.to_thread(_read_file, where, work)
        return await database.run(lambda connection: work(_only_reading(connection)))
    except (StorageUnavailable, DBAPIError) as error:
        raise SetupError(f"{readable(url)}: {cause(error, url)}") from error
    finally:
        await database.close()


def _read_file(where: URL, work: Callable[[Connection], T]) -> T:
    with _beside(where).connect() as connection:
        connection.execute(text("pragma query_only = on"))
        return work(connection)


def _only_reading(connection: Connection) -> Connection:
    connection.execute(text("set transaction read only"))
    return connection


def _beside(where: URL) -> Engine:
    """Without the lock that a transaction of Bobbin's own begins with."""
    # Not read-only: that would leave the files of the write-ahead log behind, which only a writer tidies away.
    # https://www.sqlite.org/uri.html, https://www.sqlite.org/wal.html#read_only_databases
    file = Path(where.database or "").absolute()
    return create_engine(
        where.set(database=file.as_uri()).update_query_dict({"mode": "rw", "uri": "true"}),
        poolclass=NullPool,
        connect_args={"timeout": CONNECT_TIMEOUT},
    )


def _is_in_use(file: Path) -> bool:
    try:
        with file.with_name(file.name + LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
