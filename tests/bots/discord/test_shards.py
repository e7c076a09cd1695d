"""Shards are away one by one, in one process or in several: each is told what it missed itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord
import pytest

from bots.discord.catch_up import note_of
from bots.discord.ids import key_of
from sandbox.discord.sessions import Goodbye

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House

MINUTE = 60_000 << 22  # as a difference of ids


def number_of_shards(house: House) -> tuple[int, int]:
    """Return a number of shards with which the server is not where direct conversations are, and where it is."""
    guild = house.discord.guild_id >> 22
    count = next(count for count in range(2, 100) if guild % count)
    return count, guild % count


async def caught_up(house: House, *shards: int, count: int) -> None:
    """Until they have heard what was said before: then what they hear counts."""
    async with asyncio.timeout(10):
        while not all([await house.ledger.note(note_of(shard, count)) for shard in shards]):
            await asyncio.sleep(0.005)


def let_a_minute_pass(house: House) -> None:
    """For ids; whatever is near in time counts as missed."""
    house.discord.world.snowflakes._last += MINUTE


@pytest.fixture
async def server_was_away(house: House) -> tuple[int, int]:
    """Something was asked on the server while only the other shard was there; return how many there are, and which."""
    count, server = number_of_shards(house)
    direct, other, here = house.discord.open_dm("ada"), house.sharded(count, 0), house.sharded(count, server)
    async with here.listening():
        await here.asked("@bobbin before")
        await caught_up(here, server, count=count)
    async with other.listening():
        await caught_up(other, 0, count=count)
        await house.discord.say("ada", "general", "@bobbin missed")
        let_a_minute_pass(house)
        await other.asked("hello", to=direct)
    return count, server


async def test_what_a_process_missed_it_hears_though_others_were_there(
    house: House, server_was_away: tuple[int, int]
) -> None:
    house = house.sharded(*server_was_away)
    async with house.listening():
        assert "missed" in [turn.question.text for turn in await house.accepted()]


async def test_what_was_missed_is_heard_by_another_number_of_shards(
    house: House, server_was_away: tuple[int, int]
) -> None:
    house = house.sharded(count := server_was_away[0] + 1, (house.discord.guild_id >> 22) % count)
    async with house.listening():
        assert "missed" in [turn.question.text for turn in await house.accepted()]


async def test_what_one_shard_of_a_process_missed_is_heard_though_another_was_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_connect = asyncio.Event()
    may_connect.set()

    async def held(*_: object, **__: object) -> None:
        await may_connect.wait()

    monkeypatch.setattr(discord.Client, "before_identify_hook", held)  # five seconds, otherwise
    count, server = number_of_shards(house)
    house, direct = house.sharded(count, 0, server), house.discord.open_dm("ada")
    gateway = house.discord.gateway
    async with house.listening():
        await caught_up(house, 0, server, count=count)
        await house.asked("@bobbin before")
        may_connect.clear()
        session = next(one for one in gateway._sessions.values() if one.shard == (server, count))
        connection = gateway._sessions.pop(session.id).connection
        assert connection
        connection.close(Goodbye(1006, rudely=True))
        missed = await house.discord.say("ada", "general", "@bobbin missed")
        let_a_minute_pass(house)
        await house.asked("hello", to=direct)
        may_connect.set()
        async with asyncio.timeout(10):
            while not await house.ledger.turn(key_of(missed.id)):
                await asyncio.sleep(0.005)


async def test_of_direct_conversations_only_the_first_shard_is_told_what_was_missed(house: House) -> None:
    count, server = number_of_shards(house)
    direct, first = house.discord.open_dm("ada"), house.sharded(count, 0)
    async with first.listening():
        await first.asked("before", to=direct)
    await house.discord.say("ada", direct, "missed")
    house = house.sharded(count, server)
    house.discord.calls.clear()
    async with house.listening():
        await caught_up(house, server, count=count)
    assert not house.calls("GET /channels/{channel_id}")
    first.chat = first.build()
    async with first.listening():
        await first.accepted(2)
