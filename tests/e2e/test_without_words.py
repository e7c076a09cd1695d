"""Messages that say nothing in words: files, stickers. They are asked about, or it is said why not."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import discord
from sandbox.discord import File, LocalDiscord
from sandbox.slack import LocalSlack, SharedFile
from sandbox.upstream import Emulator
from tests.e2e.answers import PATIENCE, in_slack, on_discord, told_in_slack

IMAGE = File("pump.png", (b"\x89PNG\r\n\x1a\n" + bytes(3000))[:3000], "image/png")
VOICE = File("voice-message.ogg", b"ogg", "audio/ogg")
PASTE = File("message.txt", b"x" * 3000, "text/plain; charset=utf-8")
NOTES = SharedFile("notes.txt", b"the pump stands still")
PUMP = SharedFile(IMAGE.name, IMAGE.content, IMAGE.content_type)


class OnDiscord:
    """ada's direct conversation with the bot, and #general."""

    def __init__(self, local: LocalDiscord) -> None:
        self.local = local
        self.dm = local.open_dm("ada")

    def answers(self, *places: discord.Channel) -> list[str]:
        return on_discord(self.local, *(places or (self.dm, *self.local.threads())))

    async def told(self, bobbin: Any, number: int = 1) -> str:
        """What stands there when *number* questions are answered."""
        await self.local.wait_for(lambda: len(self.answers()) >= number, PATIENCE)
        await bobbin.idle()
        return self.answers()[-1]


@pytest.fixture
def there(local_discord: LocalDiscord) -> OnDiscord:
    return OnDiscord(local_discord)


def questions(emulator: Emulator) -> list[str]:
    return [request.body["question"] for request in emulator.requests if isinstance(request.body, dict)]


def files(emulator: Emulator) -> list[list[str]]:
    """The names of what each request refers to."""
    return [
        [str(url).partition("?")[0].rpartition("/")[2] for url in request.body.get("references", [])]
        for request in emulator.requests
        if isinstance(request.body, dict)
    ]


ALONE = {
    'Please look at the attached image "pump.png" (3 kB)': IMAGE,
    'Please read the attached file "message.txt" (text, 3 kB) and answer what it asks': PASTE,
}


@pytest.mark.parametrize("asked", ALONE)
async def test_a_file_alone_is_asked_about_by_its_name(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator, asked: str
) -> None:
    sent = ALONE[asked]
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", there.dm, "", attachments=[sent])
        answer = await there.told(bobbin)
    [question] = questions(emulator)
    assert asked in question
    assert files(emulator) == [[sent.name] if sent is IMAGE else []]
    assert "Reference" not in answer


async def test_a_mention_and_a_file_name_the_thread_by_the_file(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", "general", "@bobbin \u200b", attachments=[IMAGE])
        await there.told(bobbin)
    assert [thread.name for thread in there.local.threads()] == ["pump.png"]
    assert files(emulator) == [["pump.png"]]
    assert '"pump.png"' in questions(emulator)[0]


async def test_what_is_asked_without_words_is_retold_in_words(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", there.dm, "", attachments=[PASTE])
        await there.told(bobbin)
        emulator.forget()
        await there.local.say("ada", there.dm, "say exactly: and now?")
        await there.told(bobbin, 2)
    assert 'attached file \\"message.txt\\"' in questions(emulator)[-1]


async def test_what_can_not_be_heard_is_said_and_not_asked(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", there.dm, "", attachments=[VOICE])
        answer = await there.told(bobbin)
    assert answer == "I can't listen to audio yet. Ask me something in words, and I'll answer."
    assert not emulator.requests


async def test_words_beside_it_are_answered_and_it_is_said_once_what_was_left_out(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", there.dm, "say exactly: got it", attachments=[VOICE, IMAGE])
        await there.told(bobbin)
        aside = '-# I can\'t listen to audio yet, so this answer leaves out "voice-message.ogg".'
        assert there.answers() == [f"got it\n{aside}"]
    assert questions(emulator) == ["say exactly: got it"]
    assert files(emulator) == [["pump.png"]]


async def test_a_sticker_alone_is_called_by_its_name(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", there.dm, stickers=["Wave"])
        assert (await there.told(bobbin)).startswith("I can't see stickers yet. Ask me something")
    assert not emulator.requests


async def test_in_the_bots_thread_a_forward_is_answered_and_a_sticker_is_left_alone(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    local = there.local
    async with running(sqlite_url, "discord") as bobbin:
        said = await local.say("ben", "general", "E42: valve sensor out of range")
        await local.say("ada", "general", "@bobbin say exactly: hi")
        await there.told(bobbin)
        [thread] = local.threads()
        await local.say("ben", thread, stickers=["Wave"])
        await local.say("ada", thread, forward=said)
        await there.told(bobbin, 2)
    assert len(there.answers()) == 2
    assert "a forwarded message" in questions(emulator)[-1]
    assert "E42" in questions(emulator)[-1]


@pytest.mark.parametrize("unseen", ["\u200b", "\u2800", "\u3164", " \u2060\ufe0f "])
async def test_words_that_nobody_sees_are_none(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator, unseen: str
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await there.local.say("ada", "general", f"@bobbin {unseen}")
        assert (await there.told(bobbin)).startswith("Hi! Mention me and ask")
    assert not emulator.requests


async def test_words_that_are_edited_away_leave_the_file_to_be_asked_about(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord", questions={"on_edit": "redo"}) as bobbin:
        said = await there.local.say("ada", there.dm, "say exactly: got it", attachments=[IMAGE])
        await there.told(bobbin)
        await there.local.edit("ada", said, "\u200b")
        await there.local.wait_for(lambda: there.answers() and there.answers() != ["got it"], PATIENCE)
        await bobbin.idle()
    assert '"pump.png"' in questions(emulator)[-1]
    assert files(emulator)[-1] == ["pump.png"]


async def test_an_edit_that_leaves_nothing_changes_nothing(
    running: Any, there: OnDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord", questions={"on_edit": "redo"}) as bobbin:
        said = await there.local.say("ada", there.dm, "say exactly: one")
        await there.told(bobbin)
        await there.local.edit("ada", said, "\u2800")
        await there.local.say("ada", there.dm, "say exactly: two")  # heard after it
        await there.told(bobbin, 2)
    assert there.answers() == ["one", "two"]
    assert len(emulator.requests) == 2


# Slack


async def test_a_file_alone_in_slack_is_asked_about(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    dm = local_slack.open_dm("ada").id
    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.say("ada", dm, "", files=[NOTES])
        await told_in_slack(local_slack, bobbin, dm)
        await local_slack.say("ada", "general", "@bobbin", files=[NOTES])
        await told_in_slack(local_slack, bobbin, "general")
    assert len(questions(emulator)) == 2
    for question in questions(emulator):
        assert '{"file": "notes.txt", "text": "the pump stands still"}' in question
        assert 'Please read the attached file "notes.txt" (text, 21 bytes) and answer what it asks' in question


@pytest.mark.parametrize("mention_first", [False, True])
async def test_words_beside_a_file_in_slack_are_answered_once_and_it_is_said_what_was_left_out(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator, *, mention_first: bool
) -> None:
    local_slack.faults.mention_first = mention_first
    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.say("ada", "general", "@bobbin say exactly: got it", files=[PUMP])
        answer = await told_in_slack(local_slack, bobbin, "general")
    assert answer.startswith("got it")
    assert (
        answer.count('I can\'t open images and documents here yet, so this answer leaves out "pump.png". Paste the')
        == 1
    )
    assert questions(emulator) == ['"ada" asks:\n\nsay exactly: got it']


async def test_words_added_to_a_file_in_slack_are_offered_an_answer(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    dm = local_slack.open_dm("ada").id
    async with running(sqlite_url, "slack") as bobbin:
        said = await local_slack.say("ada", dm, "", files=[PUMP])
        await told_in_slack(local_slack, bobbin, dm)
        await local_slack.edit(said, "say exactly: got it")
        await local_slack.wait_for(lambda: "[Answer the edited question]" in in_slack(local_slack, dm)[0], PATIENCE)
        [answer] = [one for one in local_slack.messages(dm) if one.user == local_slack.bot_user_id]
        await local_slack.click("ada", answer, "again")
        await local_slack.wait_for(lambda: in_slack(local_slack, dm)[0].startswith("got it"), PATIENCE)
        await bobbin.idle()
    assert 'leaves out "pump.png"' in in_slack(local_slack, dm)[0]


async def test_a_voice_clip_alone_in_slack_is_said_not_to_be_heard(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    dm = local_slack.open_dm("ada").id
    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.say("ada", dm, "", files=[SharedFile("audio_message.m4a", b"m4a", "audio/mp4")])
        assert (await told_in_slack(local_slack, bobbin, dm)).startswith("I can't listen to audio yet.")
    assert not emulator.requests


@pytest.mark.parametrize("side", ["slack", "discord"], indirect=True)
async def test_words_that_came_to_nothing_ask_for_some(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, "\u2800\u200b")
        await side.until(lambda: any(is_bot for is_bot, _ in side.said(thread)))
        await bobbin.idle()
    assert side.said(thread)[-1][1].startswith("Hi! Mention me and ask")
    assert not emulator.requests
