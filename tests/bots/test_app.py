"""A database that can't be reached is tried again more and more seldom, and told of once."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from structlog.testing import capture_logs

from bots import app, platforms
from bots.database import Times
from core.backoff import Backoff

FIRST = 0.05


async def test_a_database_that_is_wrong_is_told_of_once_and_tried_with_growing_pauses() -> None:
    tried: list[float] = []

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(time.monotonic())
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = platforms.settings(
        upstream={"tokens": "emulated"},
        database={"url": f"postgresql://bobbin:wrong@127.0.0.1:{port}/bobbin"},
        web={"host": "127.0.0.1", "port": 0},
    )
    times = app.Times(database=Times(reach=Backoff(first=FIRST, longest=1.0, jitter=0.0)))
    bobbin, stop = app.Bobbin(settings, [], times=times), asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(bobbin.run(stop))
        async with asyncio.timeout(30):
            while len(tried) < 5:
                await asyncio.sleep(0.005)
    [told] = [one for one in logs if "can't be reached" in one["event"]]
    assert f"at 127.0.0.1, port {port}, is not PostgreSQL, or is just starting" in told["why"]
    assert "Check host and port in BOBBIN_DATABASE__URL" in told["why"]
    assert "database" in bobbin.vitals.troubles
    for number, (earlier, later) in enumerate(itertools.pairwise(tried)):
        assert later - earlier >= FIRST * 2**number
    stop.set()
    await asyncio.wait_for(running, 10)
    server.close()
    await server.wait_closed()


@pytest.fixture
def crowded(postgres_url: str) -> Iterator[tuple[str, Callable[[int], None]]]:
    """A database whose owner may have a few connections, and what changes how many."""
    role = f"bobbin_{uuid.uuid4().hex}"
    name, where = sql.Identifier(role), make_url(postgres_url).set(username=role)
    with psycopg.connect(postgres_url, autocommit=True) as server:

        def allow(connections: int) -> None:
            server.execute(sql.SQL("alter role {} connection limit {}").format(name, connections))

        server.execute(sql.SQL("create role {} login").format(name))
        server.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(server.info.dbname), name))
        server.execute(sql.SQL("alter schema public owner to {}").format(name))
        yield where.render_as_string(hide_password=False), allow
        server.execute(sql.SQL("drop owned by {}").format(name))
        server.execute(sql.SQL("alter database {} owner to current_user").format(sql.Identifier(server.info.dbname)))
        server.execute(sql.SQL("drop role {}").format(name))


async def test_a_server_that_has_no_connection_left_for_the_engine_is_waited_for(
    crowded: tuple[str, Callable[[int], None]],
) -> None:
    url, allow = crowded
    settings = platforms.settings(
        upstream={"tokens": "emulated"}, database={"url": url}, web={"host": "127.0.0.1", "port": 0}
    )
    times = app.Times(database=Times(reach=Backoff(first=FIRST, longest=FIRST)))
    bobbin, stop = app.Bobbin(settings, [], times=times, checks=False), asyncio.Event()
    allow(2)  # one holds the lock of who shares the work, one is the ledger's
    with capture_logs() as logs:
        running = asyncio.create_task(bobbin.run(stop))
        async with asyncio.timeout(30):
            while not (told := [one["why"] for one in logs if "can't be reached" in one["event"]]):
                assert not running.done()
                await asyncio.sleep(0.005)
    assert "PostgreSQL has no connection left" in told[0]
    allow(50)
    await asyncio.wait_for(bobbin.vitals.well(), 30)
    stop.set()
    await asyncio.wait_for(running, 10)
