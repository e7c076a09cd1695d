"""Keeps a thread showing the newest state of a turn, at the pace that its chat allows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from core.errors import ChatBusy, ChatError, StorageUnavailable, ThreadGone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from core.chat import Chat
    from core.storage.ledger import Ledger
    from core.turn import Reply, Turn

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 60.0  # seconds between two tries of something that is refused for now
GIVE_UP_AFTER = 24  # refusals in a row; with the pauses between them, a platform may be away for some 20 minutes


class Showing:
    """One turn on its way into its thread."""

    def __init__(self, chat: Chat, ledger: Ledger, turn: Turn) -> None:
        self._chat = chat
        self._ledger = ledger
        self.turn = turn  # the newest state that this process knows of

    @asynccontextmanager
    async def live(self, now: Callable[[], Turn]) -> AsyncIterator[Callable[[], None]]:
        """Show what *now* returns, again and again, while the body runs.

        The body calls what it is given whenever there is something new; that call raises ThreadGone or
        Overtaken when showing has come to an end.
        """
        changed, over = asyncio.Event(), asyncio.Event()
        changed.set()  # the turn has begun: that is to be seen as well
        following = asyncio.create_task(self._follow(now, changed, over))

        def tell() -> None:
            if following.done():
                following.result()
            changed.set()

        try:
            yield tell
        finally:
            over.set()
            await _finish(following)
            self.turn = now().replied(self.turn.reply)
        following.result()

    async def end(self, turn: Turn) -> None:
        """Show how *turn* ended, however long the platform makes us wait, and settle it.

        Gives up, loudly, when the thread is gone or the platform refuses for good: the answer stays in the ledger.
        """
        self.turn, gave_up = turn.replied(self.turn.reply), ""
        for pause in _pauses():
            try:
                await self._chat.ready(self.turn)
                await self._show(self.turn)
                break
            except ChatBusy as error:
                log.warning("the platform is busy; showing the end later", error=str(error))
                await asyncio.sleep(error.retry_after or pause)
            except ChatError as error:
                gave_up = f"{type(error).__name__}: {error}"
                break
        else:
            gave_up = f"refused {GIVE_UP_AFTER} times"
        if gave_up:
            log.error("the end of a turn is not shown", why=gave_up)
        self.turn = self.turn.settle()
        await insist(lambda: self._ledger.settle(self.turn, gave_up))

    async def _follow(self, now: Callable[[], Turn], changed: asyncio.Event, over: asyncio.Event) -> None:
        while await _unless(over, changed.wait()) and await _unless(over, self._chat.ready(now())):
            # Cleared before looking: what comes from here on is shown by another round.
            changed.clear()
            try:
                await self._show(now())
            except ThreadGone:
                raise
            except ChatError as error:
                log.warning("an update could not be shown", error=str(error), kind=type(error).__name__)
                await _unless(over, asyncio.sleep(error.retry_after or 1.0))

    async def _show(self, turn: Turn) -> None:
        showing = asyncio.ensure_future(self._chat.show(turn.replied(self.turn.reply)))
        try:
            reply = await asyncio.shield(showing)
        except asyncio.CancelledError:
            # A message may be under way: what became of it must be kept, or a restart would post it again.
            await _finish(showing)
            if not showing.cancelled() and showing.exception() is None:
                await self._keep(showing.result())
            raise
        await self._keep(reply)

    async def _keep(self, reply: Reply) -> None:
        if reply != self.turn.reply:
            self.turn = self.turn.replied(reply)
            if not self.turn.is_over:  # the end is kept by whoever ends it
                await insist(lambda: self._ledger.save(self.turn))


async def insist(write: Callable[[], Awaitable[None]]) -> None:
    """Have *write* done, also when the database is away for a while. Raises Overtaken, never StorageUnavailable."""
    for pause in _pauses(forever=True):
        try:
            await write()
        except StorageUnavailable:
            log.warning("the database is away; trying again", seconds=pause)
            await asyncio.sleep(pause)
        else:
            return


async def _unless(over: asyncio.Event, awaited: Awaitable[object]) -> bool:
    """Wait for *awaited*, but no longer than until *over* is set; return whether *awaited* came first."""
    waiting = asyncio.ensure_future(awaited)
    ending = asyncio.create_task(over.wait())
    try:
        await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if over.is_set():
            return False
        waiting.result()
        return True
    finally:
        for task in (waiting, ending):
            task.cancel()
        await asyncio.gather(waiting, ending, return_exceptions=True)


async def _finish(task: asyncio.Future[Any]) -> None:
    """Let *task* come to its end, whatever it is; cancel it if it takes longer than a request may take."""
    await asyncio.wait({task}, timeout=LONGEST_PAUSE)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})


def _pauses(*, forever: bool = False) -> Iterator[float]:
    pause, tries = 0.5, 0
    while forever or tries < GIVE_UP_AFTER:
        yield pause
        pause, tries = min(pause * 2, LONGEST_PAUSE), tries + 1
