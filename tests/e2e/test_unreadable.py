"""What one platform sends that nobody can read is survived, there and beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bots.discord import connection as gateway
from bots.slack import connection as socket
from tests.e2e.conftest import DiscordSide, Side, SlackSide

if TYPE_CHECKING:
    import pytest

    from sandbox import discord, slack
    from tests.e2e.conftest import Running

POISON = {"id": "1", "content": "hello", "author": {}, "poll": {"answers": []}}


async def answered(side: Side, number: int, text: str) -> None:
    thread = await side.open(number, f"say exactly: {text}")
    await side.until(lambda: any(is_bot and text in said for is_bot, said in side.said(thread)))


async def test_poison_on_discord_is_no_trouble_anywhere(
    running: Running, sqlite_url: str, local_slack: slack.LocalSlack, local_discord: discord.LocalDiscord
) -> None:
    there, beside = DiscordSide(local_discord), SlackSide(local_slack)
    async with running(sqlite_url, "slack", "discord") as bobbin:
        for event in ("MESSAGE_CREATE", "GUILD_UPDATE", "THREAD_LIST_SYNC", "INTERACTION_CREATE"):
            local_discord.send_raw(event, POISON)
        await answered(beside, 1, "one")
        await answered(there, 1, "two")
        assert not bobbin.vitals.troubles
        local_discord.send_frame("[null")
        await answered(beside, 2, "three")
        await answered(there, 2, "four")


async def test_listening_that_breaks_is_begun_again(
    running: Running,
    sqlite_url: str,
    local_slack: slack.LocalSlack,
    local_discord: discord.LocalDiscord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it is that breaks: the adapters can be asked to listen twice."""
    there, beside = DiscordSide(local_discord), SlackSide(local_slack)
    breaking = asyncio.Event()
    stay, watch = gateway.stay, socket.watch
    times = dict.fromkeys(("discord", "slack"), 0)

    async def broken_stay(*given: object) -> None:
        times["discord"] += 1
        await _until_broken(stay(*given), breaking, is_to_break=times["discord"] == 1)  # type: ignore[arg-type]

    async def broken_watch(*given: object) -> None:
        times["slack"] += 1
        await _until_broken(watch(*given), breaking, is_to_break=times["slack"] == 1)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "stay", broken_stay)
    monkeypatch.setattr(socket, "watch", broken_watch)
    async with running(sqlite_url, "slack", "discord") as bobbin:
        breaking.set()
        async with asyncio.timeout(20):
            while min(times.values()) < 2:
                await asyncio.sleep(0.01)
            await bobbin.vitals.well()
        await answered(beside, 1, "one")
        await answered(there, 1, "two")
        restarts = bobbin.vitals.metrics.restarts
        assert [restarts.labels(name)._value.get() for name in ("discord", "slack")] == [1, 1]


async def test_discord_that_breaks_before_it_is_connected_is_begun_again(
    running: Running, sqlite_url: str, local_discord: discord.LocalDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the client that is logged in is used once more."""
    failures = [RuntimeError()]
    stay = gateway.stay

    async def fail_once(*given: object) -> None:
        if failures:
            raise failures.pop()
        await stay(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "stay", fail_once)
    async with running(sqlite_url, "discord"):
        await answered(DiscordSide(local_discord), 1, "one")
    assert not failures


async def _until_broken(listening: object, breaking: asyncio.Event, *, is_to_break: bool) -> None:
    task = asyncio.ensure_future(listening)  # type: ignore[call-overload]
    try:
        if not is_to_break:
            await task
        await breaking.wait()
        raise RuntimeError
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
