"""Discord takes the bot no more while it runs: that is said with what to do, and takes nothing else down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots import platforms
from bots.app import Bobbin
from sandbox.discord.sessions import Goodbye
from tests.e2e.conftest import PATIENCE, DiscordSide, Running, SlackSide


async def until(true: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


ADVICE = {
    4010: "compare BOBBIN_DISCORD__SHARDS and BOBBIN_DISCORD__SHARD_COUNT",
    4011: "set BOBBIN_DISCORD__SHARD_COUNT, one for every 2,500 servers",
    4012: "install a newer Bobbin",
    4013: "install a newer Bobbin",
    4014: "switch on “Message Content Intent”",
}


@pytest.mark.parametrize("code", ADVICE)
async def test_a_close_code_comes_with_advice(running: Running, sqlite_url: str, local_discord: Any, code: int) -> None:
    with capture_logs() as logs:
        async with running(sqlite_url, "discord") as bobbin:
            local_discord.gateway._part_all(Goodbye(code))
            await until(lambda: ADVICE[code] in bobbin.vitals.troubles.get("discord", ""))
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)  # here it takes the bot again
    assert sum(ADVICE[code] in str(entry) for entry in logs) == 1


async def test_a_token_that_is_revoked_and_restored_costs_the_other_platform_nothing(
    running: Running, sqlite_url: str, local_discord: Any, local_slack: Any
) -> None:
    good = local_discord.world.token
    async with running(sqlite_url, "discord", "slack") as bobbin:
        local_discord.world.token = "revoked"
        local_discord.gateway.drop(resumable=False)
        await until(lambda: "does not accept BOBBIN_DISCORD__TOKEN" in bobbin.vitals.troubles.get("discord", ""))
        slack = SlackSide(local_slack)
        thread = await slack.open(1, "say exactly: still here")
        await slack.until(lambda: any(is_bot and "still here" in text for is_bot, text in slack.said(thread)))
        local_discord.world.token = good
        await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
        discord = DiscordSide(local_discord)
        message = await discord.open(2, "say exactly: back again")
        await discord.until(lambda: any(is_bot and "back again" in text for is_bot, text in discord.said(message)))


@pytest.mark.parametrize("shards", [1, 2])
async def test_a_gateway_that_is_not_there_is_named_without_a_traceback(
    emulator: Any, sqlite_url: str, local_discord: Any, caplog: pytest.LogCaptureFixture, shards: int
) -> None:
    caplog.set_level("INFO")
    given = {"token": local_discord.token, "api_url": local_discord.api_url, "gateway_url": "ws://127.0.0.1:9/"}
    settings = platforms.settings(
        upstream={"url": emulator.url, "token": "emulated"},
        database={"url": sqlite_url},
        web={"host": "127.0.0.1", "port": 0},
        discord={**given, "shard_count": shards},
    )
    bobbin = Bobbin(settings, ["discord"])
    stop = asyncio.Event()
    task = asyncio.create_task(bobbin.run(stop))
    await until(lambda: "BOBBIN_DISCORD__GATEWAY_URL" in bobbin.vitals.troubles.get("discord", ""))
    again = ("Attempting a reconnect", "Failed to connect for shard")
    await until(lambda: any(record.message.startswith(again) for record in caplog.records))
    stop.set()
    await task
    assert not any(record.exc_info for record in caplog.records)
