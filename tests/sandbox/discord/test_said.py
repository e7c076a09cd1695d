"""What people's messages carry besides words, as the real discord.py reads them."""

from typing import Any

import discord
import pytest

from sandbox.discord import File, LocalDiscord, Poll, shown

PICTURE = File("pump.png", b"png", "image/png")


async def heard(local: LocalDiscord, bot: Any, number: int = 1) -> discord.Message:
    """The newest message that the bot heard, once there are *number*."""
    await bot.until(lambda: len(bot.heard) >= number)
    message: discord.Message = bot.heard[-1]
    return message


async def test_a_reply_brings_what_it_answers(local: LocalDiscord, bot: Any) -> None:
    said = await local.say("ada", "general", "E42: valve sensor", attachments=[PICTURE])
    await local.say("ben", "general", "what does that mean?", reply_to=said)
    message = await heard(local, bot, 2)
    assert message.reference is not None
    replied = message.reference.resolved
    assert isinstance(replied, discord.Message)
    assert (message.type, replied.content) == (discord.MessageType.reply, "E42: valve sensor")
    assert [one.filename for one in replied.attachments] == ["pump.png"]


async def test_a_forward_brings_words_and_files_as_they_were(local: LocalDiscord, bot: Any) -> None:
    said = await local.say("ada", "general", "E42: valve sensor", attachments=[PICTURE])
    forwarded = await local.say("ben", "random", forward=said)
    await local.edit("ada", said, "never mind")
    message = await heard(local, bot, 2)
    (snapshot,) = message.message_snapshots
    assert (message.content, snapshot.content) == ("", "E42: valve sensor")
    assert await snapshot.attachments[0].read() == b"png"
    assert message.reference is not None
    assert (message.reference.type, message.reference.message_id) == (discord.MessageReferenceType.forward, said.id)
    assert shown(forwarded).splitlines() == ["↪ E42: valve sensor", "↪ 📎 pump.png (3 bytes)"]
    with pytest.raises(ValueError, match="no words of its own"):
        await local.say("ben", "random", "look", forward=said)


async def test_what_is_forwarded_again_is_what_was_forwarded_first(local: LocalDiscord, bot: Any) -> None:
    first = await local.say("ben", "random", forward=await local.say("ada", "general", "E42: valve sensor"))
    await local.say("ada", "general", forward=first)
    message = await heard(local, bot, 3)
    assert [one.content for one in message.message_snapshots] == ["E42: valve sensor"]


async def test_people_are_shown_by_the_names_that_they_chose(local: LocalDiscord, bot: Any) -> None:
    cai = local.add_user("cai", shown="Cai of York", nick="Captain")
    await local.say(cai, "general", "hello @cai")
    message = await heard(local, bot)
    assert (message.author.global_name, message.author.display_name) == ("Cai of York", "Captain")
    assert [one.display_name for one in message.mentions] == ["Captain"]


async def test_stickers_polls_and_embeds_are_read(local: LocalDiscord, bot: Any) -> None:
    await local.say("ada", "general", stickers=["Wave"])
    assert [one.name for one in (await heard(local, bot)).stickers] == ["Wave"]
    await local.say("ada", "general", poll=Poll("Lunch?", ("Now", "Later")))
    poll = (await heard(local, bot, 2)).poll
    assert poll is not None
    assert (poll.question, [one.text for one in poll.answers]) == ("Lunch?", ["Now", "Later"])
    herald = local.add_user("herald", is_bot=True)
    await local.say(herald, "general", embeds=[{"title": "Build 7", "description": "failed"}])
    message = await heard(local, bot, 3)
    assert (message.author.bot, message.embeds[0].description) == (True, "failed")


async def test_a_voice_message_is_a_file_and_nothing_else(local: LocalDiscord, bot: Any) -> None:
    await local.say("ada", "general", voice=File("voice-message.ogg", b"ogg", "audio/ogg", seconds=2.5))
    message = await heard(local, bot)
    assert message.flags.voice
    assert (message.content, message.attachments[0].duration) == ("", 2.5)
    assert message.attachments[0].waveform
    with pytest.raises(ValueError, match="no words of its own"):
        await local.say("ada", "general", "hello", voice=PICTURE)


async def test_a_webhook_speaks_under_any_name(local: LocalDiscord, bot: Any) -> None:
    said = await local.say_by_webhook("Ada, by proxy", "general", "@bobbin hello")
    message = await heard(local, bot)
    assert (message.author.name, message.author.bot, message.webhook_id) == ("Ada, by proxy", True, said.author.id)
    assert bot.user in message.mentions
    assert not isinstance(message.author, discord.Member)
    thread = await message.create_thread(name="Side")
    await local.say_by_webhook("Ada, by proxy", thread.id, "and more")
    await bot.until(lambda: "and more" in bot.texts())
    assert "Ada, by proxy" not in [user.name for user in local.world.users.values()]


async def test_a_message_says_something(local: LocalDiscord) -> None:
    with pytest.raises(ValueError, match="no empty messages"):
        await local.say("ada", "general")
