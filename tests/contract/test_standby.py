"""A standby of PostgreSQL, which becomes the primary in the end: as when the primary is lost while somebody sleeps."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from bots import app, platforms
from bots.database import Times
from bots.doctor.database import check, check_engine
from bots.finding import Verdict
from core.backoff import Backoff
from core.settings import Settings
from tests.conftest import YOURS
from tests.postgresql import start

REACH = Backoff(first=0.1, longest=0.2)


@pytest.fixture
def standby_url() -> Iterator[str]:
    if YOURS:
        pytest.skip("it takes a server of its own")
    folder = Path(tempfile.mkdtemp(prefix="bobbin-standby-"))
    server = start(folder)
    server.stop()
    # https://www.postgresql.org/docs/current/warm-standby.html: it waits for a primary that never sends anything
    (folder / "standby.signal").touch()
    server.ensure_postgres_running()
    yield server.get_uri()
    server.cleanup()


def _settings(url: str) -> Settings:
    return platforms.settings(
        upstream={"tokens": "emulated"}, database={"url": url}, web={"host": "127.0.0.1", "port": 0}
    )


async def test_the_doctor_names_it_once(standby_url: str) -> None:
    settings = _settings(standby_url)
    found = [one async for one in check(settings)] + [one async for one in check_engine(settings, hearing=5)]
    [wrong] = [one for one in found if one.verdict is Verdict.WRONG]
    assert "it is a standby" in wrong.sentence


async def test_who_starts_on_it_waits_until_it_is_the_primary(standby_url: str) -> None:
    times = app.Times(database=Times(reach=REACH))
    bobbin, stop = app.Bobbin(_settings(standby_url), [], times=times, checks=False), asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(bobbin.run(stop))
        async with asyncio.timeout(30):
            while not (told := [line["why"] for line in logs if "can't be reached or written to" in line["event"]]):
                assert not running.done()
                await asyncio.sleep(0.01)
        with psycopg.connect(standby_url, autocommit=True) as server:
            server.execute("select pg_promote()")
        async with asyncio.timeout(60):
            await bobbin.vitals.well()
    assert "takes no changes" in told[0]
    assert "Name the primary in BOBBIN_DATABASE__URL" in told[0]
    stop.set()
    await asyncio.wait_for(running, 20)
