"""Which processes may be at one database together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bots import app, platforms
from core.errors import SetupError


@pytest.mark.parametrize(
    ("first", "second"), [("embedded", "procrastinate"), ("procrastinate", "embedded"), ("embedded", "embedded")]
)
async def test_two_that_do_not_know_of_each_other_are_not_at_one_database(
    running: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setattr(app, "ENDING", 0)
    monkeypatch.setenv("BOBBIN_ENGINE", first)
    async with running(postgres_url):
        settings = platforms.settings(
            engine=second,
            shutdown_grace=0,
            upstream={"tokens": "emulated"},
            database={"url": postgres_url},
            web={"host": "127.0.0.1", "port": 0},
        )
        with pytest.raises(SetupError, match="Bobbin"):
            await asyncio.wait_for(app.Bobbin(settings, []).run(asyncio.Event()), 20)


async def test_processes_that_share_their_work_are_welcome(running: Any, postgres_url: str) -> None:
    async with running(postgres_url), running(postgres_url, only=["worker"]):
        pass
