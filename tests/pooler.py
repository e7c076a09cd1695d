"""Stands in for a pooler between us and PostgreSQL that gives one connection to several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from sqlalchemy import make_url


@asynccontextmanager
async def deaf(url: str) -> AsyncIterator[str]:
    """The URL of a server before that of *url*, which passes on all but notifications."""
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
        both = [asyncio.create_task(_pass(reader, others_writer)), asyncio.create_task(_pass_on(others_reader, writer))]
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


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A message of the server is a letter, its length, itself: https://www.postgresql.org/docs/current/protocol-message-formats.html."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(5)
            rest = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            if head[:1] != b"A":
                writer.write(head + rest)
    writer.close()
