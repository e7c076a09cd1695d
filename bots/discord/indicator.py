"""The sign of life: “Bobbin is typing…” until there is something to read. Nice to have, never worth a failure."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from bots.discord.errors import translated
from core.errors import ChatError, facts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bots.discord.api import Api
    from bots.discord.note import Where
    from bots.discord.pace import Pace
    from bots.discord.threads import Threads
    from core.turn import TurnId

# It lasts ten seconds: https://discord.com/developers/docs/resources/channel#trigger-typing-indicator
RENEWED_EVERY = 8.0  # seconds
LAST_CALL = 3.0  # seconds that a call under way gets when listening ends
LONGEST = 300.0  # seconds; whatever is slower than that, somebody else may have taken over

log = structlog.get_logger(__name__)


class Indicator:
    """For which turns it types. For none, unless open."""

    def __init__(self, api: Api, pace: Pace, opener: Threads, *, after: float) -> None:
        """It types for what has no text *after* so many seconds."""
        self._after = after
        self._api = api
        self._pace = pace
        self._threads = opener
        self._is_open = False
        self._typing: dict[TurnId, asyncio.Event] = {}  # set when it is enough
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            for turn in list(self._typing):
                self.off(turn)
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=LAST_CALL)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)

    def on(self, turn: TurnId, where: Where) -> None:
        """Type for *turn* from now on. A command's response says “thinking…” by itself."""
        if self._is_open and not (where.is_command or where.is_foreign) and turn not in self._typing:
            enough = self._typing[turn] = asyncio.Event()
            task = asyncio.create_task(self._type(where, enough))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def off(self, turn: TurnId) -> None:
        """Type no more. A call under way is left to end: cancelled, discord.py would hold up all that come after it."""
        if enough := self._typing.pop(turn, None):
            enough.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("typing fails unexpectedly", exc_info=error)

    async def _type(self, where: Where, enough: asyncio.Event) -> None:
        begun = time.monotonic()

        def is_wanted() -> bool:
            return not enough.is_set() and time.monotonic() < begun + LONGEST

        async def wait(seconds: float) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), seconds)

        try:
            with translated():
                async with self._api.client() as client:
                    if self._threads.is_to_be_made(client, where) and not await self._pace.spare(is_wanted):
                        return
                    # At once: the answer, too, needs the thread.
                    channel = client.get_partial_messageable((await self._threads.opened(client, where)).channel)
                    await wait(begun + self._after - time.monotonic())
                    while await self._pace.spare(is_wanted):
                        await channel.typing()
                        await wait(RENEWED_EVERY)
        except ChatError as trouble:
            log.debug("the bot can't be shown typing", **facts(trouble))
