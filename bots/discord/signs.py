"""The sign of life: “Bobbin is typing…” until there is something to read. Nice to have, never worth a failure."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from bots.discord import threads
from bots.discord.errors import translated
from core.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bots.discord.door import Door
    from bots.discord.note import Note
    from core.turn import TurnId

# It lasts ten seconds: https://discord.com/developers/docs/resources/channel#trigger-typing-indicator
RENEWED_EVERY = 8.0  # seconds
LONGEST = 300.0  # seconds; whatever is slower than that, somebody else may have taken over

log = structlog.get_logger(__name__)


class Signs:
    """For which turns it types. For none, unless open."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._is_open = False
        self._typing: dict[TurnId, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            for turn in list(self._typing):
                await self.off(turn)

    def on(self, turn: TurnId, note: Note) -> None:
        """Type for *turn* from now on. A command's response says “thinking…” by itself."""
        if self._is_open and not note.is_command and turn not in self._typing:
            task = self._typing[turn] = asyncio.create_task(self._type(note))
            task.add_done_callback(lambda task: self._ended(turn, task))

    async def off(self, turn: TurnId) -> None:
        if task := self._typing.get(turn):
            task.cancel()
            await asyncio.wait({task})

    def _ended(self, turn: TurnId, task: asyncio.Task[None]) -> None:
        self._typing.pop(turn, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("typing failed", exc_info=error)

    async def _type(self, note: Note) -> None:
        try:
            with translated():
                async with asyncio.timeout(LONGEST), self._door.client() as client:
                    channel = client.get_partial_messageable((await threads.opened(client, note)).channel)
                    while True:
                        await channel.typing()
                        await asyncio.sleep(RENEWED_EVERY)
        except ChatError as trouble:
            log.debug("no sign of life", code=trouble.code, detail=trouble.detail)
