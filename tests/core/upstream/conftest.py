from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import cast

import pytest

from core.upstream import Upstream
from sandbox.upstream import Emulator

Respond = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Respond], Awaitable[str]]


@pytest.fixture
def token() -> str:
    return f"local-{secrets.token_hex(16)}"


@pytest.fixture
async def emulator(token: str) -> AsyncIterator[Emulator]:
    async with Emulator(token=token) as running:
        yield running


@pytest.fixture
async def upstream(emulator: Emulator, token: str) -> AsyncIterator[Upstream]:
    async with Upstream(emulator.url, token) as door:
        yield door


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server that reads one request and then does to the connection what it is told."""
    connections: set[asyncio.Task[None]] = set()
    async with AsyncExitStack() as stack:

        async def start(respond: Respond) -> str:
            async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connections.add(cast("asyncio.Task[None]", asyncio.current_task()))
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                    await respond(head + await reader.readexactly(int(length)), reader, writer)
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

            server = await asyncio.start_server(connected, "127.0.0.1", 0)
            await stack.enter_async_context(server)
            return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield start
    await asyncio.gather(*connections)
