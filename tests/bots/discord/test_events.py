"""What is a question, and what is none of the bot's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord
import pytest

from bots.discord.events import Wordless, read_message, thread_name
from bots.listening.events import Ignored, Overheard, Said
from bots.listening.quiet import Addressing, RepliesTo
from core.attachment import Attachment, Kind
from sandbox.discord import LocalDiscord, Message, Permission
from sandbox.discord.payloads import guild_create_json, message_json
from tests.answers import FAMILY

Heard = Callable[..., discord.Message]


@pytest.fixture
def local() -> LocalDiscord:
    """Not started: only its payloads are wanted."""
    return LocalDiscord()


@pytest.fixture
def heard(local: LocalDiscord) -> Heard:
    """Make discord.py read a message that was said in the local Discord, with changes to its payload."""
    state = discord.Client(intents=discord.Intents.none(), max_messages=None)._connection
    state.user = discord.ClientUser(state=state, data=_myself(local))

    def hear(message: Message, **changes: Any) -> discord.Message:
        guild = state._add_guild_from_data(guild_create_json(local.world))  # type: ignore[arg-type]
        data: Any = {**message_json(local.world, message), **changes}
        channel = guild._resolve_channel(message.channel.id) or discord.DMChannel._from_message(
            state, message.channel.id
        )
        if not message.channel.is_dm:
            data["guild_id"] = str(local.guild_id)
        return discord.Message(state=state, channel=channel, data=data)  # type: ignore[arg-type]

    return hear


def _myself(local: LocalDiscord) -> Any:
    return {"id": str(local.bot_user_id), "username": "bobbin", "discriminator": "0", "avatar": None, "bot": True}


async def test_the_mention_of_the_bot_is_no_part_of_the_question(local: LocalDiscord, heard: Heard) -> None:
    asked = read_message(heard(await local.say("ada", "general", "@bobbin who is @ben?")), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.text == "who is @Ben?"


async def test_a_channel_out_of_sight_is_not_called_by_what_hides_its_name(local: LocalDiscord, heard: Heard) -> None:
    """Discord tells of it as ___hidden___ since 2026-11-16."""
    local.deny("random", Permission.VIEW_CHANNEL)
    text = f"@bobbin what is in <#{local.channel('random').id}> and <#{local.channel('general').id}>?"
    asked = read_message(heard(await local.say("ada", "general", text)), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.text == "what is in #channel and #general?"


async def test_the_bots_own_role_is_as_good_a_mention(local: LocalDiscord, heard: Heard) -> None:
    """It bears the bot's name, so that people pick it from the list."""
    role = next(role for role in local.world.roles.values() if role.bot_id == local.bot_user_id)
    said = await local.say("ada", "general", f"<@&{role.id}> why?")
    asked = read_message(heard(said, mention_roles=[str(role.id)]), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.text == "why?"


async def test_people_who_answer_each_other_in_the_bots_thread_are_left_alone(
    local: LocalDiscord, heard: Heard
) -> None:
    starter = await local.say("ada", "general", "@bobbin why?")
    thread = await local.start_thread("bobbin", starter, "why?")
    first = await local.say("ada", thread, "and now?")
    reply = heard(await local.say("ben", thread, "now is good", reply_to=first))
    nearby, talk = read_message(heard(first), local.bot_user_id), read_message(reply, local.bot_user_id)
    assert isinstance(nearby, Overheard)
    assert isinstance(talk, Overheard)
    assert (nearby.addressing.replies_to, talk.addressing.replies_to) == (RepliesTo.NOBODY, RepliesTo.OTHER)


async def test_a_thread_and_its_note_are_known_before_it_exists(local: LocalDiscord, heard: Heard) -> None:
    said = await local.say("ada", "general", "@bobbin why?\nReally, why?")
    asked = read_message(heard(said), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.thread.id == f"discord:{local.guild_id}/{said.id}"
    assert asked.note.where.channel == said.id
    assert asked.note.where.starter
    assert asked.note.where.starter.name == "why? Really, why?"


async def test_a_category_lies_between_server_and_channel(local: LocalDiscord, heard: Heard) -> None:
    channel = next(one for one in local.world.channels.values() if one.name == "general")
    said = await local.say("ada", channel, "@bobbin why?")
    asked = read_message(heard(said), local.bot_user_id)
    assert isinstance(asked, Said)
    within = [f"discord:{local.guild_id}", f"discord:{local.guild_id}/{channel.id}"]
    if channel.parent_id:
        within.insert(1, f"discord:{local.guild_id}/{channel.parent_id}")
    assert list(asked.question.thread.within) == within


async def test_files_are_attachments(local: LocalDiscord, heard: Heard) -> None:
    said = await local.say("ada", "general", "@bobbin what is this?")
    url = "https://cdn.discordapp.com/attachments/1/2/picture.png"
    file = {"id": "2", "filename": "picture.png", "size": 3, "url": url, "proxy_url": url}
    asked = read_message(heard(said, attachments=[file]), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.attachments == (Attachment(Kind.IMAGE, "picture.png", 3, url),)
    assert asked.note.where.starter
    assert asked.note.where.starter.name == "what is this?"


STICKER = {"sticker_items": [{"id": "749054660769218631", "name": "Wave", "format_type": 3}]}
EXPIRY = "2026-01-02T00:00:00+00:00"
POLL: dict[str, Any] = {"poll": {"question": {"text": "Lunch?"}, "answers": [], "expiry": EXPIRY, "layout_type": 1}}
EMBED = {"embeds": [{"type": "rich", "title": "Example"}]}
SNAPSHOT = {"type": 0, "content": "E42", "embeds": [], "attachments": [], "timestamp": "2026-01-01T00:00:00+00:00"}
FORWARD = {"message_snapshots": [{"message": {**SNAPSHOT, "edited_timestamp": None, "flags": 0}}]}


@pytest.mark.parametrize(
    ("sent", "alone", "beside_words"),
    [
        (STICKER, [Kind.STICKER], []),  # an ornament
        (POLL, [], []),  # told in words, and so is the next
        (FORWARD, [], []),
        ({"flags": 1 << 14}, [Kind.OTHER], [Kind.OTHER]),  # a forward of a shape that can't be read
        (EMBED, [Kind.OTHER], []),  # a preview of a link
        (POLL | EMBED, [], []),
        ({}, [], []),
    ],
    ids=["sticker", "poll", "forward", "odd forward", "embed", "poll and embed", "nothing"],
)
async def test_what_is_said_in_other_ways_than_words_is_known(
    local: LocalDiscord, heard: Heard, sent: dict[str, Any], alone: list[Kind], beside_words: list[Kind]
) -> None:
    said = await local.say("ada", local.open_dm("ada"), "hello")
    for content, kinds in (("\u200b", alone), ("hello", beside_words)):
        asked = read_message(heard(said, content=content, **sent), local.bot_user_id)
        assert isinstance(asked, Said)
        assert [one.kind for one in asked.question.attachments] == kinds


async def test_in_the_bots_thread_a_nod_is_left_alone_and_words_that_are_hidden_are_noticed(
    local: LocalDiscord, heard: Heard
) -> None:
    starter = await local.say("ada", "general", "@bobbin why?")
    said = await local.say("ada", await local.start_thread("bobbin", starter, "why?"), "hello")
    for sent, is_hidden in ((STICKER, False), (POLL, False), ({}, True)):
        ignored = read_message(heard(said, content="", **sent), local.bot_user_id)
        assert isinstance(ignored, Ignored | Overheard)
        assert isinstance(ignored, Wordless) == is_hidden
    assert isinstance(read_message(heard(said, content="", **FORWARD), local.bot_user_id), Overheard)


@pytest.mark.parametrize("content", ["", " \u200b", "\u2800"])
async def test_a_thread_without_words_is_named_by_the_file(local: LocalDiscord, heard: Heard, content: str) -> None:
    said = await local.say("ada", "general", "@bobbin")
    url = "https://cdn.discordapp.com/attachments/1/2/picture.png"
    file = {"id": "2", "filename": "my\n@everyone.png", "size": 3, "url": url, "proxy_url": url}
    asked = read_message(heard(said, content=f"<@{local.bot_user_id}>{content}", attachments=[file]), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.note.where.starter
    assert asked.note.where.starter.name == "my _everyone.png"


@pytest.mark.parametrize("changes", [{"webhook_id": "5"}, {"type": 18}, {"type": 20}, {"type": 6}])
async def test_what_no_person_said_is_ignored(local: LocalDiscord, heard: Heard, changes: dict[str, Any]) -> None:
    said = await local.say("ada", "general", "@bobbin hello")
    assert isinstance(read_message(heard(said), local.bot_user_id), Said)
    assert isinstance(read_message(heard(said, **changes), local.bot_user_id), Ignored | Overheard)


async def test_in_a_channel_only_mentions_count(local: LocalDiscord, heard: Heard) -> None:
    said = await local.say("ada", "general", "@ben hello")
    assert isinstance(read_message(heard(said), local.bot_user_id), Ignored | Overheard)


@pytest.mark.parametrize(
    "denied", [Permission.CREATE_PUBLIC_THREADS, Permission.SEND_MESSAGES_IN_THREADS], ids=lambda one: one.name
)
async def test_without_permission_for_a_thread_the_channel_is_the_thread(
    local: LocalDiscord, heard: Heard, denied: Permission
) -> None:
    local.deny("general", denied)
    said = await local.say("ada", "general", "@bobbin why?")
    asked = read_message(heard(said), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.thread.layers[-1] == asked.question.thread.channel
    assert asked.note.where.starter is None
    assert asked.note.where.reply_to == said.id


async def test_without_permission_to_read_history_it_refers_to_nothing(local: LocalDiscord, heard: Heard) -> None:
    local.deny("general", Permission.CREATE_PUBLIC_THREADS, Permission.READ_MESSAGE_HISTORY)
    asked = read_message(heard(await local.say("ada", "general", "@bobbin why?")), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.note.where.reply_to is None


async def test_a_direct_conversation_is_its_own_place(local: LocalDiscord, heard: Heard) -> None:
    direct = local.open_dm("ada")
    asked = read_message(heard(await local.say("ada", direct, "hello")), local.bot_user_id)
    assert isinstance(asked, Said)
    assert asked.question.thread.within == (f"discord:dm/{direct.id}",)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("why?", "why?"),
        ("  **Two** words, and a `third`.\n\nlines ", "Two words, and a third"),
        ("@everyone look at <https://example.org/a?b=c> please", "everyone look at example.org please"),
        ("这是什么？请告诉我。", "这是什么？"),
        ("", "Question"),
        ("```py\nprint(1)\n```", "print(1)"),
        ("~~~\nnever closed", "never closed"),
        ("x" * 61, "x" * 59 + "…"),
        ("😀" * 51, "😀" * 49 + "…"),  # two units each
        ("half \ud83d of it", "half of it"),  # else no note could be written, and nobody would answer
        (FAMILY * 10, FAMILY * 9 + "…"),  # eleven units each
    ],
)
def test_a_thread_is_named_after_its_question(text: str, name: str) -> None:
    assert thread_name(text) == name


@pytest.mark.parametrize(
    ("text", "addressing"),
    [
        ("hello", Addressing(is_first=True)),
        ("@ben look", Addressing(begins_with_other=True, names_other=True, is_first=True)),
        ("look, @ben", Addressing(names_other=True, is_first=True)),
        ("> @ben said so\nis that right?", Addressing(is_first=True)),
        ("> so @ben\n@ben look", Addressing(begins_with_other=True, names_other=True, is_first=True)),
        ("@everyone look", Addressing(calls_all=True, is_first=True)),
        ("@here look", Addressing(calls_all=True, is_first=True)),
    ],
)
async def test_who_is_called_is_marked(local: LocalDiscord, heard: Heard, text: str, addressing: Addressing) -> None:
    overheard = read_message(heard(await local.say("ada", "general", text)), local.bot_user_id)
    assert isinstance(overheard, Overheard)
    assert overheard.addressing == addressing


async def test_whom_a_reply_pings_is_not_named_in_it(local: LocalDiscord, heard: Heard) -> None:
    first = await local.say("ben", "general", "hello")
    overheard = read_message(heard(await local.say("ada", "general", "hi", reply_to=first)), local.bot_user_id)
    assert isinstance(overheard, Overheard)
    assert overheard.addressing == Addressing(replies_to=RepliesTo.OTHER)


async def test_a_reply_to_oneself_is_one_to_nobody(local: LocalDiscord, heard: Heard) -> None:
    first = await local.say("ada", "general", "hello")
    overheard = read_message(heard(await local.say("ada", "general", "and more", reply_to=first)), local.bot_user_id)
    assert isinstance(overheard, Overheard)
    assert overheard.addressing.replies_to is RepliesTo.NOBODY
