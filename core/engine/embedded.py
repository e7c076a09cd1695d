"""One process does it all: a task for each thread that has something left to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from core.backoff import Backoff, Pauses
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from core.storage.ledger import Ledger
    from core.thread import ThreadId

log = structlog.get_logger(__name__)

BACKOFF = Backoff(first=1.0, longest=10.0)  # of a thread that could not be seen to


class Embedded:
    """Runs threads side by side in this process. What it was told and did not finish, a restart finds in the ledger."""

    def __init__(
        self, ledger: Ledger, see_to: Callable[[ThreadId], Awaitable[None]], backoff: Backoff = BACKOFF
    ) -> None:
        """*see_to* sees all open turns of a thread to their end, and may be called again at any time."""
        self._ledger = ledger
        self._backoff = backoff
        self._see_to = see_to
        self._awake: set[ThreadId] = set()
        self._tasks: dict[ThreadId, asyncio.Task[None]] = {}
        self._started = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self, chats: Collection[str]) -> None:
        """Take up what an earlier process left open in threads of *chats*. Raises StorageUnavailable."""
        self._started = True
        for thread in [*await self._ledger.open_threads(chats), *self._awake]:
            self.wake(thread)

    def wake(self, thread: ThreadId) -> None:
        """Say that *thread* has a turn to see to."""
        self._awake.add(thread)
        if self._started and thread not in self._tasks:
            task = asyncio.create_task(self._run(thread), name=f"thread {thread}")
            self._tasks[thread] = task
            self._idle.clear()
            task.add_done_callback(lambda _: self._ended(thread))

    async def stop(self, grace: float) -> None:
        """Let running turns end within *grace* seconds; what is left then is for the next start."""
        self._started = False
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def busy(self) -> int:
        """How many threads are being seen to."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait until nothing is left to do."""
        await self._idle.wait()

    async def _run(self, thread: ThreadId) -> None:
        pauses = Pauses(self._backoff)
        while thread in self._awake:
            # Before looking: a turn that comes from here on finds the thread awake again.
            self._awake.discard(thread)
            try:
                await self._see_to(thread)
                pauses.went_well()
                continue
            except StorageUnavailable:
                log.warning("the database is away; trying the thread again", thread=thread)
            except Exception:  # one thread's trouble must not end the others
                log.exception("a thread's turns fail in a way that nobody thought of; trying again", thread=thread)
            self._awake.add(thread)
            await asyncio.sleep(pauses.next())

    def _ended(self, thread: ThreadId) -> None:
        del self._tasks[thread]
        if thread in self._awake and self._started:
            self.wake(thread)  # woken between its last look and its end
        if not self._tasks:
            self._idle.set()
