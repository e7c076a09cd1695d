"""A wire passes everything on, until it is told not to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.wire import Wire, wire_to


class Echo:
    """A server that says what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                self.heard += data
                self.changed.set()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def until_heard(self, data: bytes) -> None:
        while self.heard != data:
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def wire(echo: Echo) -> AsyncIterator[Wire]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, wire_to(server.sockets[0].getsockname()[1]) as wire:
        yield wire


async def talk(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", wire.port)


async def has_ended(reader: asyncio.StreamReader) -> bool:
    try:
        return not await reader.read(1)
    except ConnectionError:
        return True


async def test_what_is_said_arrives_and_so_does_the_answer(wire: Wire) -> None:
    reader, writer = await talk(wire)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_what_is_held_up_arrives_when_it_is_released(wire: Wire, echo: Echo) -> None:
    reader, writer = await talk(wire)
    wire.hold_what_the_bot_hears()
    writer.write(b"hello")
    await echo.until_heard(b"hello")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(5), 0.05)
    wire.release()
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_what_was_held_up_and_is_lost_never_arrives(wire: Wire, echo: Echo) -> None:
    wire.hold_what_the_bot_says()
    reader, writer = await talk(wire)
    writer.write(b"never")
    await writer.drain()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(5), 0.05)
    wire.lose()
    assert await has_ended(reader)
    writer.close()
    again, writer = await talk(wire)
    writer.write(b"hello")
    assert await again.readexactly(5) == b"hello"
    assert echo.heard == b"hello"
    writer.close()


async def test_cut_it_breaks_off_and_takes_nobody_until_it_is_mended(wire: Wire) -> None:
    reader, writer = await talk(wire)
    writer.write(b"hello")
    await reader.readexactly(5)
    wire.cut()
    assert await has_ended(reader)
    writer.close()
    reader, writer = await talk(wire)
    assert await has_ended(reader)
    writer.close()
    wire.mend()
    reader, writer = await talk(wire)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()
