"""Several processes share the work: procrastinate on PostgreSQL decides which of them sees to a thread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from core.backoff import Pauses, sleep
from core.engine.jobs import DEAD_AFTER
from core.errors import facts
from core.thread import ThreadId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from procrastinate.worker import Worker

    from core.engine.jobs import Jobs
    from core.storage.ledger import Ledger
    from core.turn import TurnId

log = structlog.get_logger(__name__)

HEARTBEAT = 2.0  # seconds
IDLE_LOOK = 0.05  # seconds between two looks at whether something is left to do


class Procrastinate:
    """Runs the threads whose jobs this process gets hold of; see docs/decisions/0004-procrastinate.md."""

    def __init__(
        self,
        jobs: Jobs,
        ledger: Ledger,
        see_to: Callable[[ThreadId], Awaitable[None]],
        stop: Callable[[TurnId], None] = lambda _: None,
    ) -> None:
        """*see_to* is as for Embedded; *ledger* summons by *jobs*, in its own transactions.

        *stop* is called with what somebody stops, here or in another process, when it may be ours.
        """
        self._jobs = jobs
        self._ledger = ledger
        self._see_to = see_to
        self._chats: list[str] = []
        self._running: set[ThreadId] = set()
        self._worker: Worker | None = None
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None
        self._stop = stop
        jobs.have(self._run)
        jobs.on_stop(stop)

    async def start(self, chats: Collection[str]) -> None:
        self._chats = list(chats)
        await self._jobs.open()
        for chat in self._chats:
            await self._jobs.summon_forgotten(chat, await self._ledger.open_threads([chat]))
        self._serving = asyncio.create_task(self._serve(), name="engine")
        self._living = asyncio.create_task(self._live(), name="engine's heartbeat")

    def wake(self, thread: ThreadId) -> None:
        """Nothing is left to say: the job was committed with what there is to do, and the database tells of it."""

    async def stop(self, grace: float) -> None:
        self._stopping.set()
        if self._serving and self._living:
            if self._worker:
                self._worker.shutdown_graceful_timeout = grace
                self._worker.stop()  # type: ignore[no-untyped-call]
            await self._until_nothing_runs(self._serving, grace)
            self._jobs.hurry()  # what can't be handed back now, others will find
            await asyncio.gather(self._serving, return_exceptions=True)
            self._living.cancel()  # only now: while turns come to their end, nobody may take us for dead
            await asyncio.gather(self._living, return_exceptions=True)
        await self._jobs.close()

    @property
    def busy(self) -> int:
        return len(self._running)

    async def idle(self) -> None:
        while True:
            if not self._running and not await self._ledger.open_threads(self._chats, at_most=1):
                return
            await asyncio.sleep(IDLE_LOOK)

    async def _until_nothing_runs(self, serving: asyncio.Task[None], grace: float) -> None:
        """Wait for what runs to end, *grace* seconds at most: not for a database that is away, when there is nothing."""
        until = time.monotonic() + grace
        while not serving.done() and self._running and (left := until - time.monotonic()) > 0:
            await asyncio.wait({serving}, timeout=min(left, IDLE_LOOK))

    async def _run(self, name: str) -> None:
        thread = ThreadId(name)
        self._running.add(thread)
        try:
            await self._see_to(thread)
        finally:
            self._running.discard(thread)

    async def _serve(self) -> None:
        pauses = Pauses(self._jobs.backoff)
        while not self._stopping.is_set():
            self._worker = self._jobs.worker(self._chats)
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]
            except Exception as error:  # whatever it is, the process must go on taking threads
                if self._stopping.is_set():
                    log.warning(
                        "the engine can't sign off; other processes will notice that it is gone", **facts(error)
                    )
                    return
                log.exception("the engine's worker ends unexpectedly; starting another one")
            await sleep(pauses.next(), self._stopping)

    async def _live(self) -> None:
        """Say that we live, and let others' threads go that do so no more."""
        heard, rescues_from = time.monotonic(), 0.0
        while True:
            try:
                if self._worker:
                    await self._jobs.beat(self._worker)
                now = time.monotonic()
                if now - heard > DEAD_AFTER / 2:  # we were away, or the database: give all the time to be heard again
                    rescues_from = now + DEAD_AFTER
                heard = now
                # The database tells of it at once, but to nobody while the connection that listens is lost.
                for turn in await self._ledger.stopping(self._running) if self._running else ():
                    self._stop(turn)
                if now > rescues_from and (threads := await self._jobs.rescue()):
                    log.warning("a process is dead; going on with its threads elsewhere", threads=len(threads))
            except Exception as error:  # the next beat may come through
                if self._stopping.is_set():  # and if the database is away, there is none
                    log.warning("the engine's heartbeat fails", **facts(error))
                else:
                    log.exception("the engine's heartbeat fails; trying again")
            await asyncio.sleep(HEARTBEAT)
