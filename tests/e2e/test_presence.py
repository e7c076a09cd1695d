"""Which processes may be at one database together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots import app, platforms
from bots.database import Times
from core.errors import SetupError
from tests.pooler import deaf


@pytest.mark.parametrize(
    ("first", "second"), [("embedded", "procrastinate"), ("procrastinate", "embedded"), ("embedded", "embedded")]
)
async def test_two_that_do_not_know_of_each_other_are_not_at_one_database(
    running: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv("BOBBIN_ENGINE", first)
    async with running(postgres_url):
        with pytest.raises(SetupError, match="Bobbin"):
            await asyncio.wait_for(_bobbin(postgres_url, engine=second, grace=0).run(asyncio.Event()), 20)


@pytest.mark.parametrize(("first", "second"), [("embedded", "procrastinate"), ("embedded", "embedded")])
async def test_who_waits_for_another_to_end_ends_at_once_when_asked_to(
    running: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv("BOBBIN_ENGINE", first)
    async with running(postgres_url):
        stop = asyncio.Event()
        with capture_logs() as logs:
            waiting = asyncio.create_task(_bobbin(postgres_url, engine=second, grace=600).run(stop))
            while not any("waiting for another Bobbin" in line["event"] for line in logs):
                await asyncio.sleep(0.01)
            stop.set()
            await asyncio.wait_for(waiting, 5)


async def test_processes_that_share_their_work_are_welcome(running: Any, postgres_url: str) -> None:
    async with running(postgres_url), running(postgres_url, only=["worker"]):
        pass


@pytest.mark.parametrize("engine", ["embedded", "procrastinate"])
async def test_a_pooler_that_gives_one_connection_to_several_is_refused(postgres_url: str, engine: str) -> None:
    async with deaf(postgres_url) as url:
        with pytest.raises(SetupError, match="PgBouncer"):
            await asyncio.wait_for(_bobbin(url, engine=engine, grace=0).run(asyncio.Event()), 20)


def _bobbin(url: str, *, engine: str, grace: float) -> app.Bobbin:
    settings = platforms.settings(
        engine=engine,
        shutdown_grace=grace,
        upstream={"tokens": "emulated"},
        database={"url": url},
        web={"host": "127.0.0.1", "port": 0},
    )
    return app.Bobbin(settings, [], times=app.Times(database=Times(ending=0.0, hearing=0.5)))
