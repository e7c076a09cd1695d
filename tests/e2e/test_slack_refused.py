"""Slack lets the bot do less than it needs: that is said by the process that runs."""

from __future__ import annotations

import asyncio
from typing import Any

from bots import platforms
from bots.app import Bobbin
from sandbox.upstream import Emulator
from tests.e2e.conftest import PATIENCE, section


async def test_a_scope_that_lacks_is_told_by_a_process_that_runs(
    emulator: Emulator, local_slack: Any, sqlite_url: str
) -> None:
    local_slack.installation.scopes.discard("reactions:write")
    settings = platforms.settings(
        upstream={"url": emulator.url, "token": "emulated"},
        database={"url": sqlite_url},
        web={"host": "127.0.0.1", "port": 0},
        slack=section("slack", local_slack),
    )
    bobbin = Bobbin(settings, ["slack"], checks=True)
    stop = asyncio.Event()
    task = asyncio.create_task(bobbin.run(stop))
    async with asyncio.timeout(PATIENCE):
        while "reactions:write" not in bobbin.vitals.troubles.get("slack setup", ""):
            await asyncio.sleep(0.01)
        while "slack" in bobbin.vitals.troubles:
            await asyncio.sleep(0.01)
    stop.set()
    await task
