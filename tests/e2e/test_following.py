"""The whole bot, where it hears without a mention: what it answers there, and what it leaves to the people."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds


class Room:
    """A thread into which Ada has called the bot, on either platform."""

    def __init__(self, side: Any, root: Any) -> None:
        self.side = side
        self.root = root

    async def says(self, who: str, text: str, **more: Any) -> Any:
        local = self.side.local
        if self.side.name == "slack":
            return await local.say(who, self.root.channel, text, self.root.ts, **more)
        return await local.say(who, self.root.thread, text, **more)

    @property
    def answers(self) -> list[str]:
        return [text for is_bot, text in self.side.said(self.root) if is_bot]

    async def answered(self, *texts: str) -> None:
        """Wait until the bot's last messages are these."""
        await self.side.until(lambda: self.answers[-len(texts) :] == list(texts))

    async def told(self, words: str) -> None:
        await self.side.until(lambda: any(words in text for text in self.answers))

    @property
    def thumbs(self) -> int:
        messages: Sequence[Any] = (
            self.side.local.messages(self.root.channel, self.root.ts)
            if self.side.name == "slack"
            else self.side.local.messages(self.root.thread)
        )
        if self.side.name == "slack":
            return sum(one.name in ("+1", "thumbsup") for message in messages for one in message.reactions)
        return sum("👍" in message.reactions for message in messages)

    async def react(self, who: str, *, is_on: bool = True) -> None:
        """With 🔇, under the bot's first message."""
        local = self.side.local
        if self.side.name == "slack":
            message = next(one for one in local.messages(self.root.channel, self.root.ts) if one.bot_id)
            await local.react(who, message, "mute", take_back=not is_on)
        else:
            message = next(one for one in local.messages(self.root.thread) if one.author.is_bot and one.content)
            await (local.react if is_on else local.unreact)(who, message, "🔇")


async def opened(side: Any, text: str = "say exactly: hello", number: int = 1) -> Room:
    room = Room(side, await side.open(number, text))
    await side.until(lambda: room.answers == ["hello"])
    return room


async def test_a_follow_up_needs_no_mention(running: Any, side: Any, sqlite_url: str) -> None:
    async with running(sqlite_url, side.name):
        room = await opened(side)
        await room.says("ada", "say exactly: again")
        await room.answered("hello", "again")


async def test_people_who_talk_past_the_bot_are_left_alone(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side)
        await bobbin.idle()
        await room.says("ben", "lunch at twelve, Ada")
        await room.says("ada", "12:30 is better")
        await room.says("ben", "fine with me")
        await room.says("ada", "@cleo are you with us?" if side.name == "discord" else "@ben are you with us?")
        await room.says("ada", "@bobbin say exactly: back")
        await room.answered("hello", "back")
    assert len(emulator.requests) == 2


async def test_thanks_and_nods_get_no_words(running: Any, side: Any, sqlite_url: str, emulator: Emulator) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side)
        await bobbin.idle()
        await room.says("ada", "thanks, that helps!")
        await side.until(lambda: room.thumbs == 1)
        await room.says("ada", "👍")
        await room.says("ada", "say exactly: more")
        await room.answered("hello", "more")
        assert room.thumbs == 1
    assert len(emulator.requests) == 2


async def test_who_calls_many_does_not_call_the_bot(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name):
        room = await opened(side)
        await room.says("ada", "@here who is in the office?")
        await room.says("ada", "say exactly: more")
        await room.answered("hello", "more")
    assert len(emulator.requests) == 2


async def test_where_only_mentions_are_heard_people_are_told_so_once(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    presets = {"default": {"model": "gpt-5.1", "follow": "mention"}}
    async with running(sqlite_url, side.name, presets=presets) as bobbin:
        room = await opened(side)
        await bobbin.idle()
        await room.says("ada", "say exactly: one")
        await side.until(lambda: told(room))
        await room.says("ada", "say exactly: two")
        await room.says("ada", "@bobbin say exactly: three")
        await side.until(lambda: "three" in room.answers)
        await room.says("ada", "say exactly: four")
        await room.says("ada", "@bobbin say exactly: five")
        await side.until(lambda: "five" in room.answers)
        assert len(told(room)) == 1
    assert len(emulator.requests) == 3


def told(room: Room) -> list[Any]:
    local = room.side.local
    if room.side.name == "slack":
        calls = [call for call in local.calls if call.method == "chat.postEphemeral"]
        return [call for call in calls if "only hear mentions" in str(call.arguments)]
    return [text for text in room.answers if "only hear mentions" in text]


async def test_the_whole_channel_can_be_followed(running: Any, side: Any, sqlite_url: str, emulator: Emulator) -> None:
    presets = {"default": {"model": "gpt-5.1", "follow": "channel"}}
    async with running(sqlite_url, side.name, presets=presets):
        await opened(side)
        local = side.local
        channel = "room-1" if side.name == "slack" else "general"
        await local.say(
            "ben", channel, "@everyone the lift is broken" if side.name == "discord" else "@here a new lift"
        )
        root = await local.say("ben", channel, "say exactly: unasked")
        room = Room(side, root)
        await room.answered("unasked")
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("how", ["word", "reaction"])
async def test_mute_stops_what_is_being_answered_and_holds_after_a_restart(
    how: str, running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async def mute(*, is_on: bool) -> None:
        if how == "reaction":
            await room.react("ben", is_on=is_on)
        else:
            await room.says("ben", f"@bobbin {'mute' if is_on else 'unmute'}")
            await room.told("I'm quiet in this thread" if is_on else "no longer muted")

    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side)
        emulator.pace = 0.2
        await room.says("ada", "say exactly: " + "Round and round it goes. " * 40)
        await side.until(lambda: len(room.answers) == 2 and "Round" in room.answers[-1])
        await mute(is_on=True)
        await bobbin.idle()  # in a fraction of the time that the whole answer would take
        emulator.pace = 0.0
        cut = next(text for text in room.answers if "Round" in text)
        assert "Round and round" in cut
        assert cut.count("Round") < 40
        await room.says("ada", "say exactly: unheard")
        await side.until(lambda: not getattr(side.local, "under_way", 0))  # Slack would bring it again, later
    async with running(sqlite_url, side.name) as bobbin:
        await room.says("ada", "say exactly: unheard as well")
        await room.says("ada", "@bobbin say exactly: called")
        await side.until(lambda: "called" in room.answers)
        await room.says("ada", "say exactly: still unheard")
        await side.until(lambda: not getattr(side.local, "under_way", 0))
        await bobbin.idle()
        await mute(is_on=False)
        await until_unmuted(sqlite_url)
        await room.says("ada", "say exactly: heard")
        await side.until(lambda: "heard" in room.answers)
        assert not any("unheard" in text for text in room.answers)
    assert len(emulator.requests) == 4


async def until_unmuted(sqlite_url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as database:
            while database.execute("select count(*) from stances where muted").fetchone()[0]:
                await asyncio.sleep(0.01)


async def test_told_to_leave_it_stays_out_until_it_is_called(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side)
        await room.says("ada", "@bobbin leave")
        await room.told("I've left this thread")
        await bobbin.idle()
        await room.says("ada", "say exactly: unheard")
    async with running(sqlite_url, side.name) as bobbin:
        await room.says("ada", "say exactly: unheard as well")
        await room.says("ada", "@bobbin say exactly: back")
        await side.until(lambda: "back" in room.answers)
        await bobbin.idle()
        await room.says("ada", "say exactly: heard")
        await side.until(lambda: "heard" in room.answers)
        assert not any("unheard" in text for text in room.answers)
    assert len(emulator.requests) == 3


async def test_a_follow_up_that_was_missed_is_answered_afterwards(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side)
        await bobbin.idle()
    await room.says("ada", "say exactly: missed")
    await room.says("ben", "I am here, too")
    await room.says("ada", "good, 12:30 then")
    async with running(sqlite_url, side.name) as bobbin:
        await side.until(lambda: "missed" in room.answers)
        await bobbin.idle()
        assert room.answers == ["hello", "missed"]
    assert len(emulator.requests) == 2
