"""One process does it all: a task for each thread that is seen to, and the ledger for those that wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from core.backoff import Backoff, Pauses
from core.engine import MOST_THREADS
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from core.storage.ledger import Ledger
    from core.thread import ThreadId

log = structlog.get_logger(__name__)

BACKOFF = Backoff(first=1.0, longest=10.0)  # of a thread that could not be seen to
LOOKS_EVERY = 0.1  # seconds between two looks at which thread is next, while there are more than may run


class Embedded:
    """Runs threads side by side in this process. What it was told and did not finish, a restart finds in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        see_to: Callable[[ThreadId], Awaitable[None]],
        *,
        at_once: int = MOST_THREADS,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """*see_to* sees all open turns of a thread to their end, and may be called again at any time.

        So many threads run *at_once*.
        """
        self._ledger = ledger
        self._backoff = backoff
        self._see_to = see_to
        self._at_once = at_once
        self._chats: Collection[str] = ()
        self._awake: set[ThreadId] = set()  # of those that run: to be looked at again
        self._tasks: dict[ThreadId, asyncio.Task[None]] = {}
        self._started = False
        self._some_wait = False  # may there be threads to see to that don't run?
        self._looking: asyncio.Task[None] | None = None
        self._has_room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self, chats: Collection[str]) -> None:
        """Take up what an earlier process left open in threads of *chats*. Raises StorageUnavailable."""
        self._chats = tuple(chats)
        self._started = True
        await self._begin_next()
        if self._some_wait:
            self._look()

    def wake(self, thread: ThreadId) -> None:
        """Say that *thread* has a turn to see to."""
        if thread in self._tasks:
            self._awake.add(thread)
        elif not self._started:
            return  # the start finds it in the ledger
        elif self._some_wait or not self._room:
            self._look()  # others may have waited for longer
        else:
            self._begin(thread)

    async def stop(self, grace: float) -> None:
        """Let running turns end within *grace* seconds; what is left then is for the next start."""
        self._started = self._some_wait = False
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def busy(self) -> int:
        """The number of threads that are being seen to."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait until nothing is left to do."""
        await self._idle.wait()

    @property
    def _room(self) -> int:
        return self._at_once - len(self._tasks)

    def _begin(self, thread: ThreadId) -> None:
        self._awake.add(thread)
        task = asyncio.create_task(self._run(thread), name=f"thread {thread}")
        self._tasks[thread] = task
        self._idle.clear()
        task.add_done_callback(lambda _: self._ended(thread))

    def _look(self) -> None:
        """Have those that wait begin as soon as there is room."""
        self._some_wait = True
        self._idle.clear()
        if self._looking is None:
            self._looking = asyncio.create_task(
                self._look_while_some_wait(), name="engine's look for threads that wait"
            )
            self._looking.add_done_callback(lambda _: self._looked())

    async def _look_while_some_wait(self) -> None:
        pauses = Pauses(self._backoff)
        while self._some_wait:
            self._has_room.clear()
            if not self._room:
                await self._has_room.wait()
            try:
                await self._begin_next()
                pauses.went_well()
                await asyncio.sleep(LOOKS_EVERY)
                continue
            except StorageUnavailable:
                log.warning("the database is away; looking for threads that wait again")
            except Exception:  # whatever it is, those that wait must not wait for good
                log.exception("looking for threads that wait fails unexpectedly; trying again")
            await asyncio.sleep(pauses.next())

    def _looked(self) -> None:
        self._looking = None
        if self._some_wait and self._started:  # somebody came in the moment of its end
            self._look()
        self._say_if_idle()

    async def _begin_next(self) -> None:
        """Begin as many threads as there is room for, fairly; those that run have had their turn."""
        self._some_wait = False  # who comes from here on may not be found any more, and says so
        running = set(self._tasks)
        found = await self._ledger.open_threads(self._chats, at_most=self._at_once + 1)
        waiting = [thread for thread in found if thread not in running and thread not in self._tasks]
        room = max(0, self._room)
        for thread in waiting[:room] if self._started else []:
            self._begin(thread)
        self._some_wait = self._some_wait or len(waiting) > room or len(found) > self._at_once

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
                log.exception("a thread's turns fail unexpectedly; trying again", thread=thread)
            self._awake.add(thread)
            await asyncio.sleep(pauses.next())

    def _ended(self, thread: ThreadId) -> None:
        del self._tasks[thread]
        self._has_room.set()
        if thread in self._awake:
            self._awake.discard(thread)
            self.wake(thread)  # woken between its last look and its end
        self._say_if_idle()

    def _say_if_idle(self) -> None:
        if not self._tasks and not self._some_wait and self._looking is None:
            self._idle.set()
