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
    """Who is typed for. Nothing is, unless open."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._tasks: asyncio.TaskGroup | None = None
        self._typing: dict[TurnId, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                for task in self._typing.values():
                    task.cancel()

    def on(self, turn: TurnId, note: Note) -> None:
        """Type for *turn* from now on. A command's response says “thinking…” by itself."""
        if self._tasks is None or note.is_command or turn in self._typing:
            return
        task = self._tasks.create_task(self._type(note))
        self._typing[turn] = task
        task.add_done_callback(lambda _: self._typing.pop(turn, None))

    async def off(self, turn: TurnId) -> None:
        task = self._typing.pop(turn, None)
        if task:
            task.cancel()
            await asyncio.wait({task})

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
