"""A database that can't be reached is tried again more and more seldom, and told of once."""

from __future__ import annotations

import asyncio
import itertools
import time

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
    assert len([one for one in logs if "can't be reached" in one["event"]]) == 1
    assert "database" in bobbin.vitals.troubles
    for number, (earlier, later) in enumerate(itertools.pairwise(tried)):
        assert later - earlier >= FIRST * 2**number
    stop.set()
    await asyncio.wait_for(running, 10)
    server.close()
    await server.wait_closed()
