"""Stands between us and PostgreSQL, and passes on what it says with a change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import psycopg
from sqlalchemy import make_url

Change = Callable[[bytes], bytes]  # of a whole message of the server; empty: it is kept back


def deaf(url: str) -> AbstractAsyncContextManager[str]:
    """Like a pooler that gives one connection to several: the URL of what passes on all but notifications."""
    return _before(url, lambda message: b"" if message[:1] == b"A" else message)


def aged(url: str, major: int) -> AbstractAsyncContextManager[str]:
    """The URL of what says that the server is of an older version, of as many digits."""
    with psycopg.connect(url) as connection:
        number = str(connection.info.server_version)
    older = f"{major}{number[2:]}"
    return _before(url, lambda message: message.replace(number.encode(), older.encode()))


@asynccontextmanager
async def breaking(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The URL of what passes on everything, and what to call for it to be gone."""
    with psycopg.connect(url) as connection:
        where = f"{connection.info.host}/.s.PGSQL.{connection.info.port}"
        address = connection.info.host, connection.info.port
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        local = address[0].startswith("/")
        others = await (asyncio.open_unix_connection(where) if local else asyncio.open_connection(*address))
        writers.update((writer, others[1]))
        both = asyncio.create_task(_pass(reader, others[1])), asyncio.create_task(_pass(others[0], writer))
        tasks.update(both)
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(join, "127.0.0.1", 0)

    def gone() -> None:
        server.close()
        for writer in writers:
            writer.transport.abort()

    query = {"sslmode": "disable", "gssencmode": "disable"}
    named = make_url(url).set(host="127.0.0.1", port=server.sockets[0].getsockname()[1], query=query)
    try:
        yield named.render_as_string(hide_password=False), gone
    finally:
        gone()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)


@asynccontextmanager
async def _before(url: str, change: Change) -> AsyncIterator[str]:
    with psycopg.connect(url) as connection:
        info = connection.info
        where, port = info.host, info.port
    tasks: set[asyncio.Task[None]] = set()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = (
            asyncio.open_unix_connection(f"{where}/.s.PGSQL.{port}")
            if where.startswith("/")
            else asyncio.open_connection(where, port)
        )
        others_reader, others_writer = await there
        both = [
            asyncio.create_task(_pass(reader, others_writer)),
            asyncio.create_task(_pass_on(others_reader, writer, change)),
        ]
        tasks.update(both)
        await asyncio.gather(*both)

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    own = server.sockets[0].getsockname()[1]
    query = {"sslmode": "disable", "gssencmode": "disable"}
    named = make_url(url).set(host="127.0.0.1", port=own, query=query)
    try:
        yield named.render_as_string(hide_password=False)
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Change) -> None:
    """A message of the server is a letter, its length, itself: https://www.postgresql.org/docs/current/protocol-message-formats.html."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(5)
            rest = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            writer.write(change(head + rest))
    writer.close()
