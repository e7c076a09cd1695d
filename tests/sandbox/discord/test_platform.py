"""What Discord itself does, as the real discord.py meets it: locks, archives, deletions, hidden channels, slowness."""

import time
from typing import Any

import discord
import pytest

from sandbox.discord import Channel, LocalDiscord, Permission
from tests.sandbox.discord.conftest import Bot


async def thread_with(local: LocalDiscord, bot: Any) -> tuple[Channel, discord.Thread, discord.Message]:
    """A thread that ada owns, and in it a message of the bot's."""
    place = await local.start_thread("ada", "general", "Ada's")
    await bot.until(lambda: bot.get_guild(local.guild_id).get_thread(place.id))
    thread = bot.get_guild(local.guild_id).get_thread(place.id)
    return place, thread, await thread.send("one")


async def code_of(call: Any) -> int:
    with pytest.raises(discord.HTTPException) as refused:
        await call
    return refused.value.code


async def test_in_a_locked_thread_nothing_is_said_nor_edited_nor_renamed(local: LocalDiscord, bot: Any) -> None:
    """https://discord.com/developers/docs/topics/threads#locked-threads"""
    place, thread, sent = await thread_with(local, bot)
    await local.lock(place)
    assert await code_of(thread.send("two")) == 160005
    assert await code_of(sent.edit(content="two")) == 160005
    assert await code_of(thread.edit(name="Mine")) == 50013
    await sent.add_reaction("👍")  # while it is active
    await local.archive(place, locked=True)
    assert await code_of(sent.remove_reaction("👍", bot.user)) == 50083
    assert await code_of(sent.delete()) == 50083
    assert await code_of(thread.edit(archived=False)) == 50013
    await local.lock(place, locked=False)
    await sent.delete()


async def test_who_may_write_may_wake_a_thread_that_is_not_locked(local: LocalDiscord, bot: Any) -> None:
    """https://discord.com/developers/docs/resources/channel#modify-channel-json-params-thread"""
    place, thread, _ = await thread_with(local, bot)
    await local.archive(place)
    assert await code_of(thread.edit(archived=False, name="Mine")) == 50013
    await thread.edit(archived=False)
    assert place.thread is not None
    assert not place.thread.archived
    await local.archive(place)
    local.deny("general", Permission.SEND_MESSAGES)
    assert await code_of(thread.edit(archived=False)) == 50013


async def test_a_deleted_thread_or_channel_is_gone(local: LocalDiscord, bot: Any) -> None:
    place, thread, _ = await thread_with(local, bot)
    guild = bot.get_guild(local.guild_id)
    await local.delete_channel("ada", place)
    await bot.until(lambda: guild.get_thread(place.id) is None)
    assert await code_of(thread.send("two")) == 10003
    with pytest.raises(ValueError, match="may not delete"):
        await local.delete_channel("ben", "random")
    channel = guild.get_channel(local.channel("random").id)
    await local.delete_channel("ada", "random")
    await bot.until(lambda: guild.get_channel(channel.id) is None)
    assert await code_of(channel.send("two")) == 10003


async def test_a_hidden_channel_is_told_by_the_gateway_without_what_it_is(local: LocalDiscord, connect: Any) -> None:
    """Since 2026-11-16: https://discord.com/developers/docs/change-log (Channel Obfuscation for Users and Bots)"""
    local.deny("random", Permission.VIEW_CHANNEL)
    bot = await connect(Bot())
    guild = bot.get_guild(local.guild_id)
    channel = guild.get_channel(local.channel("random").id)
    assert (channel.name, channel.topic, channel.category.name) == ("___hidden___", None, "workshop")
    assert not channel.permissions_for(guild.me).view_channel
    assert channel.id not in [one.id for one in await guild.fetch_channels()]
    assert await code_of(channel.send("hello?")) == 50001
    local.allow("random")
    await bot.until(lambda: channel.name == "random")
    assert channel.permissions_for(guild.me).view_channel
    local.deny("random", Permission.VIEW_CHANNEL)
    await bot.until(lambda: channel.name == "___hidden___")


async def test_discord_can_be_slow(local: LocalDiscord, bot: Any) -> None:
    local.latency = 0.3
    channel, began = bot.get_channel(local.channel("general").id), time.monotonic()
    await channel.send("hello")
    assert time.monotonic() - began >= 0.3
    local.latency = 0
    assert local.faults.latency == 0


async def test_anything_can_be_told(local: LocalDiscord, bot: Any) -> None:
    local.send_raw("SOMETHING_NEW", {"unheard": "of"})
    await bot.until(lambda: "SOMETHING_NEW" in bot.events)
