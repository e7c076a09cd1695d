"""A notice board: a made-up service on which nothing that hangs there can be changed, only taken down."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

BOT = "bobbin"
LONGEST = 500  # characters


@dataclass(frozen=True)
class Notice:
    id: str
    thread: str
    author: str
    text: str
    tag: str = ""  # whatever its author wants to know it by


class FullError(Exception):
    """The board takes nothing for now."""


@dataclass
class Board:
    notices: dict[str, Notice] = field(default_factory=dict)
    full: int = 0  # so many writes are refused
    lost: int = 0  # so many writes are done, and the connection breaks before that is told
    _ids: itertools.count[int] = field(default_factory=itertools.count)
    _heard: asyncio.Queue[Notice] = field(default_factory=asyncio.Queue)

    async def put(self, thread: str, author: str, text: str, tag: str = "") -> str:
        """Return the id of what hangs there now."""
        if self.full:
            self.full -= 1
            raise FullError
        assert 0 < len(text) <= LONGEST
        notice = Notice(str(next(self._ids)), thread, author, text, tag)
        self.notices[notice.id] = notice
        self.deliver(notice)
        if self.lost:
            self.lost -= 1
            raise ConnectionResetError
        return notice.id

    async def take_down(self, id_: str) -> None:
        self.notices.pop(id_, None)

    async def read(self, thread: str) -> list[Notice]:
        return [one for one in self.notices.values() if one.thread == thread]

    def deliver(self, notice: Notice) -> None:
        """Tell whoever listens, once more if it was told before."""
        self._heard.put_nowait(notice)

    async def listen(self) -> AsyncIterator[Notice]:
        while True:
            yield await self._heard.get()
