"""Opens the database that a URL names and runs transactions in it, without holding up the event loop."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import SetupError
from core.storage.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

T = TypeVar("T")
Transaction: TypeAlias = "Connection"  # what others may pass on, without a look inside

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_TOLD = frozenset({"host", "hostaddr", "port", "user", "dbname", "sslmode"})  # of a URL's query; the rest may be secret
# A chat waits some three seconds for an acknowledgement: a database that is gone must be known to be gone before.
CONNECT_TIMEOUT = 2  # seconds
POOL_TIMEOUT = 2.0  # seconds
JOINED_WITHIN = 0.02  # seconds
TRIES = 2  # of a transaction that PostgreSQL ended for another


class Database(Protocol):
    """An open database, in which transactions run."""

    async def run(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        """Run *work* in one transaction: commit what it did, or nothing if it raises.

        *first*: before what waits without it, where only one can run at a time. Raises StorageUnavailable, and
        CannotBeKept for a value that the database refuses.
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
    joined_within: float = JOINED_WITHIN,
    worked: Callable[[float, int], None] = _uncounted,
) -> Database:
    """Return the database of *url*; nothing is connected yet. Raises SetupError for a kind that isn't known.

    *connect_timeout* in seconds, on SQLite for its lock; *patience* in seconds, for a connection to PostgreSQL that is free;
    *tries* of a transaction that PostgreSQL ended for another; *joined_within* in seconds, for SQLite to commit together
    what waits. *worked* is told how many seconds the database was worked with, for how many transactions; perhaps in
    another thread.
    """
    where = _parsed(url)
    if where.get_backend_name() == "sqlite":
        return Sqlite(where, file_of(where), connect_timeout, worked, joined_within)
    # Who runs on SQLite needs nothing of this, such as the object mapper that SQLAlchemy's asynchronous part brings along.
    from core.storage.postgresql import Postgresql  # noqa: PLC0415

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
