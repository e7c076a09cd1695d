"""The cable between a bot and a server: it can be cut, and what passes in either direction can be held up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

CHUNK = 65_536  # bytes
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wire:
    """A port of ours in front of another server's."""

    def __init__(self, reach: Callable[[], Awaitable[Streams]]) -> None:
        """*reach* opens a connection to the server."""
        self._reach = reach
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._to_server, self._to_bot = asyncio.Event(), asyncio.Event()
        self.release()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        self.drop()
        self.release()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Break every connection, and let none come about until mended."""
        self._is_cut = True
        self.drop()

    def mend(self) -> None:
        self._is_cut = False
        self.release()

    def drop(self) -> None:
        """Break every connection; what was held up is lost."""
        for end in self._ends:
            end.transport.abort()

    def hold_what_the_bot_says(self) -> None:
        self._to_server.clear()

    def hold_what_the_bot_hears(self) -> None:
        self._to_bot.clear()

    def lose(self) -> None:
        """If anything is held up, it will never arrive."""
        if not (self._to_server.is_set() and self._to_bot.is_set()):
            self.drop()
            self.release()

    def release(self) -> None:
        self._to_server.set()
        self._to_bot.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._ends.add(writer)
        try:
            if self._is_cut:
                return
            far_reader, far_writer = await self._reach()
            ends.add(far_writer)
            self._ends.add(far_writer)
            flows = [
                asyncio.create_task(_flow(reader, far_writer, self._to_server)),
                asyncio.create_task(_flow(far_reader, writer, self._to_bot)),
            ]
            # Whichever side leaves first takes the other along.
            await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
            for flow in flows:
                flow.cancel()
            await asyncio.gather(*flows, return_exceptions=True)
        except OSError:
            return  # the server isn't there: the bot sees its connection end
        finally:
            self._ends -= ends
            for end in ends:
                end.close()


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: asyncio.Event) -> None:
    while data := await reader.read(CHUNK):
        await may_pass.wait()
        if writer.is_closing():
            return
        writer.write(data)
        await writer.drain()


def wire_to(port: int) -> Wire:
    return Wire(lambda: asyncio.open_connection("127.0.0.1", port))
