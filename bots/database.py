"""Opens the database however long it can't be reached, and goes on watching whether it answers."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from core.backoff import Backoff, Pauses, sleep
from core.bounded import BoundedSet
from core.errors import StorageUnavailable
from core.storage.causes import cause
from core.storage.database import readable
from core.storage.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from core.engine import Engine
    from core.settings import Settings
    from core.storage.database import Database
    from core.storage.ledger import Ledger
    from core.vitals import Vitals

PART = "database"  # the word for it on the health page
MOST_TOLD = 10  # reasons that are logged once each

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """In seconds."""

    reach: Backoff = Backoff(first=1.0, longest=15.0)  # between tries to reach the database
    look: float = 2.0  # between two looks at whether it answers
    write: float = 10.0  # between two that write: a disk that is full is still read
    ending: float = 10.0  # that a process takes to end, beside its answers
    hearing: float = 5.0  # that PostgreSQL's own connections take at most to tell each other something


USUAL = Times()


class DatabaseWatch:
    """Tells once, with the reason, when the database can't be reached or written to, and once when it can again."""

    def __init__(self, settings: Settings, database: Database, vitals: Vitals, times: Times = USUAL) -> None:
        self._settings = settings
        self._url = settings.database.url.get_secret_value()
        self._database = database
        self._vitals = vitals
        self._times = times
        self._told: BoundedSet[str] = BoundedSet(MOST_TOLD)  # why it can't be reached

    async def open(self, parts: AsyncExitStack, stop: asyncio.Event) -> bool:
        """Bring the database up to date, however long it can't be reached; return False when asked to stop meanwhile.

        Raises SetupError when processes are at it that can't be there together, or when it is reached by a pooler that
        can't do.
        """

        async def opened() -> bool:
            await self._check_sessions()
            await migrate(self._database)
            return await _unless(stop, parts.enter_async_context(self._presence()))

        return await self._patiently(opened, stop)

    async def start(self, engine: Engine, chats: Collection[str], stop: asyncio.Event) -> bool:
        """Start *engine* for *chats* as `open` opens: the server may have no connection left for it."""
        return await self._patiently(lambda: _unless(stop, engine.start(chats)), stop)

    async def watch(self, ledger: Ledger) -> None:
        """See that it answers and can be written to, until cancelled."""
        pauses, write_at = Pauses(self._times.reach), 0.0
        while True:
            by_writing = time.monotonic() >= write_at
            try:
                await ledger.check(by_writing=by_writing)
                self._is_there()
                write_at = time.monotonic() + self._times.write if by_writing else write_at
                pauses.went_well()
                pause = self._times.look
            except StorageUnavailable as error:
                self._is_away(error)
                write_at = 0.0  # only what can be written to is well again
                pause = pauses.next()
            await asyncio.sleep(pause)

    async def _patiently(self, reach: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> bool:
        pauses = Pauses(self._times.reach)
        while not stop.is_set():
            try:
                return await reach()
            except StorageUnavailable as error:
                self._is_away(error)
                await sleep(pauses.next(), stop)
        return False

    def _is_there(self) -> None:
        self._vitals.up(PART)
        if self._told:
            log.info("the database can be used again")
            self._told.clear()

    def _is_away(self, error: StorageUnavailable) -> None:
        self._vitals.down(PART, "can't be reached or written to")
        why = cause(error, self._url)
        if self._told.add(why):
            log.warning(
                "the database can't be reached or written to; trying again", database=readable(self._url), why=why
            )

    async def _check_sessions(self) -> None:
        if self._settings.is_on_postgresql:
            from core.engine.presence import check_sessions  # noqa: PLC0415  # who runs on SQLite doesn't have it

            await check_sessions(self._url, self._times.hearing)

    def _presence(self) -> AbstractAsyncContextManager[None]:
        # An earlier process ends within its grace, which is ours, and with what it has open.
        patience = self._settings.shutdown_grace + self._times.ending
        if not self._settings.shares_its_work:
            return self._database.sole(patience)
        from core.engine.presence import sharing  # noqa: PLC0415  # as above

        return sharing(self._url, patience)


async def _unless(stop: asyncio.Event, entering: Awaitable[None]) -> bool:
    """Wait for *entering*, but no longer than until *stop* is set; return whether that came to its end."""
    tasks = entered, asked = asyncio.ensure_future(entering), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if entered.done():
            await entered
        return entered.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(entered, asked, return_exceptions=True)
