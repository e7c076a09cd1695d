"""The real discord.py lives in the local Discord as in the real one: talking, threads, forums, DMs, files."""

import asyncio
import io
import time
from typing import Any

import discord
import pytest

from sandbox.discord import File, LocalDiscord, Permission, shown


async def test_a_bot_logs_in_and_knows_the_guild(local: LocalDiscord, bot: Any) -> None:
    guild = bot.get_guild(local.guild_id)
    assert bot.user.id == local.bot_user_id
    assert guild.name == "Bobbin's workshop"
    assert {channel.name for channel in guild.text_channels} == {"general", "random"}
    assert [forum.name for forum in guild.forums] == ["ideas"]
    assert guild.me.guild_permissions.send_messages
    assert (await bot.application_info()).owner.name == "ada"


async def test_a_mention_is_answered_in_a_thread(local: LocalDiscord, bot: Any) -> None:
    asked = await local.say("ben", "general", "@bobbin why is the sky blue?")
    await bot.until(bot.texts)
    heard = bot.heard[0]
    assert bot.user in heard.mentions
    assert heard.content == f"<@{local.bot_user_id}> why is the sky blue?"

    thread = await heard.create_thread(name="Sky")
    sent = await thread.send("Because")
    await thread.get_partial_message(sent.id).edit(content="Because of Rayleigh")

    assert thread.id == asked.id
    assert asked.thread in local.threads("general")
    answer = local.messages(local.channel(thread.id))[-1]
    assert [view.content for view in answer.history] == ["Because", "Because of Rayleigh"]
    assert [one.name for one in local.threads()] == ["Sky"]
    assert "🧵 Sky" in shown(asked)

    with pytest.raises(discord.HTTPException) as refused:
        await bot.get_channel(heard.channel.id).get_partial_message(asked.id).create_thread(name="Again")
    assert (refused.value.status, refused.value.code) == (400, 160004)


async def test_follow_ups_in_the_thread_are_heard(local: LocalDiscord, bot: Any) -> None:
    asked = await local.say("ben", "general", "@bobbin hello")
    await bot.until(bot.texts)
    thread = await bot.heard[0].create_thread(name="Hello")
    await local.say("ada", local.channel(thread.id), "and me?")
    await bot.until(lambda: "and me?" in bot.texts())
    heard = bot.heard[-1]
    assert isinstance(heard.channel, discord.Thread)
    assert heard.channel.parent_id == asked.channel.id


async def test_edits_beyond_the_limit_are_delayed_and_all_arrive(local: LocalDiscord, bot: Any) -> None:
    sent = await bot.get_channel(local.channel("general").id).send("0")
    started = time.monotonic()
    for number in range(1, 7):
        await sent.edit(content=str(number))
    assert time.monotonic() - started > 4.5
    assert [view.content for view in local.messages("general")[0].history] == [str(n) for n in range(7)]
    assert all(call.status == 200 for call in local.calls if call.route.startswith("PATCH"))


async def test_a_429_is_honoured_and_the_call_repeated(local: LocalDiscord, bot: Any) -> None:
    local.faults.next_calls("POST /channels/{channel_id}/messages", status=429, retry_after=0.05)
    await bot.get_channel(local.channel("general").id).send("still here")
    statuses = [call.status for call in local.calls if call.route == "POST /channels/{channel_id}/messages"]
    assert statuses == [429, 200]


async def test_a_server_error_is_retried_by_the_library(local: LocalDiscord, bot: Any) -> None:
    local.faults.next_calls("POST /channels/{channel_id}/messages", status=502)
    await bot.get_channel(local.channel("general").id).send("still here")
    assert [message.content for message in local.messages("general")] == ["still here"]


async def test_the_same_nonce_sends_once(local: LocalDiscord, bot: Any) -> None:
    channel = bot.get_channel(local.channel("general").id)
    first = await channel.send("once", nonce="turn-1")
    second = await channel.send("once", nonce="turn-1")
    assert first.id == second.id
    assert len(local.messages("general")) == 1


async def test_a_dm_is_heard_and_answered(local: LocalDiscord, bot: Any) -> None:
    place = local.open_dm("ben")
    await local.say("ben", place, "psst")
    await bot.until(bot.texts)
    assert isinstance(bot.heard[0].channel, discord.DMChannel)
    await bot.heard[0].channel.send("yes?")
    assert [message.content for message in local.messages(place)] == ["psst", "yes?"]
    opened = await (await bot.fetch_user(local.user("ben").id)).create_dm()
    assert opened.id == place.id


async def test_a_forum_post_has_the_id_of_its_first_message(local: LocalDiscord, bot: Any) -> None:
    forum = bot.get_channel(local.channel("ideas").id)
    made = await forum.create_thread(name="Faster looms", content="What if")
    assert made.thread.id == made.message.id
    theirs = await local.post("ada", "ideas", "Silk", "@bobbin is silk better?")
    await bot.until(lambda: any("silk" in text for text in bot.texts()))
    assert bot.heard[-1].id == theirs.id


async def test_edits_and_deletions_are_told(local: LocalDiscord, bot: Any) -> None:
    said = await local.say("ben", "general", "helo")
    await local.edit("ben", said, "hello")
    await bot.until(lambda: bot.edits)
    assert bot.edits[0].message.content == "hello"
    await local.delete("ben", said)
    await bot.until(lambda: bot.deletions)
    assert bot.deletions == [said.id]
    assert shown(said) == ""


async def test_several_messages_are_deleted_at_once_by_who_keeps_order(local: LocalDiscord, bot: Any) -> None:
    said = [await local.say("ben", "general", str(number)) for number in range(2)]
    with pytest.raises(ValueError, match="may not delete"):
        await local.purge("ben", said)
    with pytest.raises(ValueError, match="one channel"):
        await local.purge("ada", [*said, await local.say("ben", "random", "2")])
    await local.purge("ada", said)
    await bot.until(lambda: bot.deletions)
    assert bot.deletions == [one.id for one in said]
    assert not local.messages("general")


async def test_a_preview_of_a_link_is_an_update_and_no_edit(local: LocalDiscord, bot: Any) -> None:
    said = await local.say("ben", "general", "see https://example.org")
    await local.preview(said, "A page")
    await bot.until(lambda: bot.edits)
    update = bot.edits[0].message
    assert update.edited_at is None
    assert (update.content, update.embeds[0].title) == (said.content, "A page")
    assert "A page" in shown(said)


async def test_reactions_come_and_go(local: LocalDiscord, bot: Any) -> None:
    said = await local.say("ben", "general", "@bobbin hi")
    await bot.until(bot.texts)
    heard = bot.heard[0]
    await heard.add_reaction("👀")
    assert said.reactions == {"👀": [local.bot_user_id]}
    await local.react("ben", said, "👍")
    await bot.until(lambda: bot.events.count("MESSAGE_REACTION_ADD") == 2)
    await heard.remove_reaction("👀", bot.user)
    assert list(said.reactions) == ["👍"]


async def test_typing_is_seen_by_people(local: LocalDiscord, bot: Any) -> None:
    channel = bot.get_channel(local.channel("general").id)
    async with channel.typing():
        assert [user.name for user in local.typing("general")] == ["bobbin"]
    await channel.send("done")
    assert local.typing("general") == []


async def test_files_go_both_ways(local: LocalDiscord, bot: Any) -> None:
    await local.say("ben", "general", "@bobbin read", attachments=[File("notes.txt", b"wool", "text/plain")])
    await bot.until(bot.texts)
    attachment = bot.heard[0].attachments[0]
    assert (attachment.filename, await attachment.read()) == ("notes.txt", b"wool")
    await bot.heard[0].reply("here", file=discord.File(io.BytesIO(b"yarn"), "answer.txt"))
    sent = local.messages("general")[-1]
    assert [(one.file.name, one.file.content) for one in sent.attachments] == [("answer.txt", b"yarn")]


async def test_a_reply_pings_only_whom_it_may(local: LocalDiscord, bot: Any) -> None:
    asked = await local.say("ben", "general", "@bobbin hi")
    await bot.until(bot.texts)
    none = discord.AllowedMentions.none()
    ada, ben = local.user("ada"), local.user("ben")
    text = f"@everyone {ada.mention}"
    await bot.heard[0].reply(text, allowed_mentions=none, mention_author=False)
    await bot.heard[0].reply(text, allowed_mentions=none, mention_author=True)
    await bot.heard[0].reply(text)
    silent, author, everybody = local.messages("general")[-3:]
    assert asked.pings == {local.bot_user_id}
    assert (silent.pings, author.pings) == (frozenset(), frozenset({ben.id}))
    assert everybody.pings == {ada.id, ben.id}
    assert silent.reply_to is not None


async def test_what_is_forbidden_is_forbidden(local: LocalDiscord, bot: Any) -> None:
    channel = bot.get_channel(local.channel("general").id)
    local.deny("general", Permission.SEND_MESSAGES)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("hello?")
    assert refused.value.code == 50013
    local.deny("general", Permission.VIEW_CHANNEL)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("hello?")
    assert refused.value.code == 50001
    local.allow("general")
    await channel.send("hello")


async def test_an_archived_thread_wakes_when_written_to_and_not_when_edited(local: LocalDiscord, bot: Any) -> None:
    await local.say("ben", "general", "@bobbin hi")
    await bot.until(bot.texts)
    thread = await bot.heard[0].create_thread(name="Sleepy")
    sent = await thread.send("one")
    place = local.channel(thread.id)
    await local.archive(place)
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="two")
    assert refused.value.code == 50083
    await thread.send("three")
    assert place.thread is not None
    assert not place.thread.archived
    await local.archive(place, locked=True)
    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("four")
    assert refused.value.code == 160005


async def test_history_is_read_after_a_message(local: LocalDiscord, bot: Any) -> None:
    said = [await local.say("ben", "general", str(number)) for number in range(5)]
    channel = bot.get_channel(local.channel("general").id)
    after = [one.content async for one in channel.history(after=discord.Object(said[1].id))]
    newest = [one.content async for one in channel.history(limit=2)]
    assert (after, newest) == (["2", "3", "4"], ["4", "3"])


async def test_a_closed_bot_and_a_stopped_server_leave_nothing_running(local: LocalDiscord, bot: Any) -> None:
    await bot.close()
    await local.wait_for(lambda: not local.gateway.is_connected)
    await local.stop()
    async with asyncio.timeout(5):
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left)
