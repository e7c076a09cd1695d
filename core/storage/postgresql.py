"""PostgreSQL, several transactions at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import URL, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import SetupError
from core.storage.alone import ALONE, NOTICE_SILENCE, OTHER, patiently
from core.storage.trouble import state, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Connection

T = TypeVar("T")

# Of a process to PostgreSQL, which allows 100 to all of them together. A transaction takes milliseconds, most of which
# are the process's own: with more connections no more of them are over in a second.
CONNECTIONS = 5
# Two transactions that waited for each other; PostgreSQL ended one, and it may well pass now:
# https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
_TRY_AGAIN = frozenset({"40P01", "40001"})


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
                hide_parameters=True,  # people's words, which an error would take into the log
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


def over_driver(transaction: Connection, call: Callable[[Any], Awaitable[T]]) -> T:
    """Wait for *call*, made with PostgreSQL's own asynchronous connection, inside *transaction*.

    https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-awaitable-only-driver-methods-in-connection-pool-and-other-events
    """
    return cast("Any", transaction.connection.dbapi_connection).run_async(call)  # type: ignore[no-any-return]
