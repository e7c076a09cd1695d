"""Stopping an answer, and what waits behind one: by every way, on both platforms and both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bots.discord import ids as discord_ids
from bots.reply import wanted
from bots.slack import ids as slack_ids
from bots.slack.form import ABOUT_MESSAGE
from core.obeying import NOT_THEIRS_TO_STOP
from sandbox.discord import Message as DiscordMessage
from sandbox.slack import shown
from sandbox.upstream import Emulator
from tests.e2e.conftest import SlackSide
from tests.e2e.test_access import until, whispers
from tests.e2e.test_slack_ways import typed

# Seconds between a click and the end of the upstream's connection, on a machine that may be slow: nothing that is waited
# for in place of the click itself would come so soon.
AT_ONCE = 5.0
ENDLESS = "Round and round it goes. " * 70
WAITS = {"slack": "hourglass_flowing_sand", "discord": "⏳"}
CROSS = {"slack": "x", "discord": "❌"}


@pytest.fixture(params=["sqlite_url", "newest_postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


class Room:
    """A thread in which Ada has asked for an answer that doesn't end by itself."""

    def __init__(self, side: Any, root: Any, emulator: Emulator) -> None:
        self.side = side
        self.root = root
        self.emulator = emulator

    @property
    def messages(self) -> list[Any]:
        if self.side.name == "slack":
            return [one for one in self.side.local.messages(self.root.channel, self.root.ts) if not one.ephemeral_to]
        said = self.side.local.messages(self.root.thread) if self.root.thread else []
        return [one for one in said if one.content and not one.is_ephemeral]

    @property
    def answers(self) -> list[str]:
        if self.side.name == "slack":
            return [shown(one).split("\n:")[0] for one in self.messages if one.bot_id]
        return [one.content for one in self.messages if one.author.is_bot]

    @property
    def answer(self) -> Any:
        """The message with the endless answer."""
        return next(one for one in self.messages if "Round" in self._text(one) and not self._is_peoples(one))

    def _text(self, message: Any) -> str:
        return str(message.text if self.side.name == "slack" else message.content)

    def _is_peoples(self, message: Any) -> bool:
        return not (message.bot_id if self.side.name == "slack" else message.author.is_bot)

    async def says(self, who: str, text: str) -> Any:
        if self.side.name == "slack":
            return await self.side.local.say(who, self.root.channel, text, self.root.ts)
        return await self.side.local.say(who, self.root.thread, text)

    async def edits(self, who: str, message: Any, text: str) -> None:
        by = [who] if self.side.name == "discord" else []
        await self.side.local.edit(*by, message, text)

    async def click(self, who: str, message: Any = None, button: str = "stop") -> Any:
        label = {"stop": wanted.STOP, "instead": wanted.INSTEAD}[button] if self.side.name == "discord" else button
        return await self.side.local.click(who, message or self.answer, label)

    async def react(self, who: str, message: Any, signs: dict[str, str]) -> None:
        await self.side.local.react(who, message, signs[self.side.name])

    def wears(self, message: Any) -> bool:
        """Does a question wear the bot's mark that it waits?"""
        sign = WAITS[self.side.name]
        if isinstance(message, DiscordMessage):
            return sign in message.reactions
        current = next(one for one in self.side.local.messages(message.channel) if one.ts == message.ts)
        return any(one.name == sign for one in current.reactions)

    def can_be_stopped(self) -> bool:
        shown = str(self.answer.blocks if self.side.name == "slack" else self.answer.components)
        return f"'{wanted.STOP}'" in shown

    async def streaming(self) -> None:
        await self.side.until(lambda: any("Round" in text for text in self.answers) and self.can_be_stopped())

    async def stopped(self, words: str = wanted.STOPPED) -> None:
        await self.side.until(lambda: any(words in text for text in self.answers))

    async def left(self) -> None:
        """Wait until the upstream's first client has hung up."""
        await until(lambda: self.emulator.requests[0].ended == "client left")


async def opened(side: Any, emulator: Emulator, who: str = "ada", pace: float = 0.05) -> Room:
    """In Slack, Ada made the channel."""
    emulator.pace = pace
    text = f"@bobbin say exactly: {ENDLESS}"
    if side.name == "slack":
        side.local.add_channel("room-1", "ada", "ben", side.local.bot_user_id)
    root = await side.local.say(who, "room-1" if side.name == "slack" else "general", text)
    room = Room(side, root, emulator)
    await room.streaming()
    return room


async def reworded(bobbin: Any, room: Room, *questions: Any) -> None:
    """Wait until it is known that these were edited."""
    local = room.side.local
    for one in questions:
        is_discords = isinstance(one, DiscordMessage)
        key = discord_ids.key_of(one.id) if is_discords else slack_ids.key_of(local.team_id, one.channel, one.ts)
        async with asyncio.timeout(20):
            while not (await bobbin._ledger.turn(key)).question.edition:
                await asyncio.sleep(0.01)


async def noted(bobbin: Any, room: Room) -> None:
    """Wait until it is written down that the answer stands in its message."""
    mark = f'{_id(room.answer)}"'
    async with asyncio.timeout(20):
        while not await bobbin._ledger.open_turn_noting("", mark, room.side.name):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("processes", ["one", "two"])
async def test_the_upstream_is_hung_up_on_at_once(
    running: Any, side: Any, newest_postgres: str, emulator: Emulator, processes: str
) -> None:
    parts: list[dict[str, Any]] = [{}] if processes == "one" else [{"only": ["worker"]}, {"only": [side.name]}]
    async with AsyncExitStack() as bots:
        for part in parts:
            await bots.enter_async_context(running(newest_postgres, side.name, **part))
        emulator.faults.set("silent_within")
        room = await opened(side, emulator, pace=0.0)
        began = time.monotonic()
        clicking = asyncio.create_task(room.click("ada"))
        await room.left()
        took = time.monotonic() - began
        await clicking
        await room.stopped()
        print(f"\n{side.name}, {processes} process(es): hung up on after {took:.3f} s")  # noqa: T201
        assert took < AT_ONCE
        assert not room.can_be_stopped()
        assert "Round and round" in "".join(room.answers)


@pytest.mark.parametrize("how", ["button", "word", "halt", "cross on the answer", "cross on the question"])
async def test_who_asked_stops_it_in_every_way(running: Any, side: Any, url: str, emulator: Emulator, how: str) -> None:
    async with running(url, side.name) as bobbin:
        emulator.faults.set("silent_within")
        room = await opened(side, emulator, pace=0.0)
        began = time.monotonic()
        match how:
            case "button":
                await room.click("ada")
            case "word":
                await room.says("ada", "Stop!")
            case "halt":
                await room.says("ada", "@bobbin halt")
            case "cross on the answer":
                await noted(bobbin, room)
                await room.react("ada", room.answer, CROSS)
            case _:
                await room.react("ada", room.root, CROSS)
        await room.left()
        print(f"\n{side.name}, {how}: hung up on after {time.monotonic() - began:.3f} s")  # noqa: T201
        await room.stopped()
        await bobbin.idle()
        assert [text.count(wanted.STOPPED) for text in room.answers] == [1]
        assert len(emulator.requests) == 1
        emulator.faults.clear()
        await room.says("ada", "say exactly: still here")
        await side.until(lambda: any("still here" in text for text in room.answers))


async def test_a_question_about_stopping_is_one(running: Any, side: Any, sqlite_url: str, emulator: Emulator) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        room = Room(side, await side.open(1, "say exactly: hello"), emulator)
        await side.until(lambda: room.answers == ["hello"])
        await bobbin.idle()
        await room.says("ada", "stop words in NLP?")
        await until(lambda: len(emulator.requests) == 2)
        await bobbin.idle()
        await room.says("ada", "stop")
        await room.stopped("There is nothing to stop here")
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("how", ["button", "word", "cross"])
async def test_others_are_told_in_private_that_it_is_not_for_them(
    running: Any, side: Any, url: str, emulator: Emulator, how: str
) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        match how:
            case "button":
                told = await room.click("ben")
            case "word":
                await room.says("ben", "stop")
            case _:
                await noted(bobbin, room)
                await room.react("ben", room.answer, CROSS)
        if side.name == "discord" and how == "button":
            await side.until(lambda: told.response and NOT_THEIRS_TO_STOP in told.response.content)
            assert told.response.is_ephemeral
        else:
            await side.until(lambda: whispers(side, "ben") == [NOT_THEIRS_TO_STOP])
        assert not any(NOT_THEIRS_TO_STOP in text for text in room.answers)
        assert not emulator.requests[0].ended
        assert room.can_be_stopped()
        await room.click("ada")
        await room.left()


@pytest.mark.parametrize("how", ["button", "word", "cross"])
async def test_who_manages_the_channel_may_stop_it(
    running: Any, side: Any, url: str, emulator: Emulator, how: str
) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator, "ben")
        boss = "ada" if side.name == "slack" else side.local.add_user("boss", manages_guild=True).name
        match how:
            case "button":
                await room.click(boss)
            case "word":
                await room.says(boss, "@bobbin stop")
            case _:
                await noted(bobbin, room)
                await room.react(boss, room.answer, CROSS)
        await room.left()
        await room.stopped(wanted.STOPPED_BY_ANOTHER)


async def test_two_clicks_at_once_are_one(running: Any, side: Any, url: str, emulator: Emulator) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        await asyncio.gather(room.click("ada"), room.click("ada"))
        await room.stopped()
        await bobbin.idle()
        assert [text.count(wanted.STOPPED) for text in room.answers] == [1]
        assert not whispers(side, "ada")


def as_it_was(room: Room) -> Callable[[], None]:
    """Return what has the answer show the buttons of now again, as in a client that lags behind."""
    name = "blocks" if room.side.name == "slack" else "components"
    answer, before = room.answer, getattr(room.answer, name)

    def lag() -> None:
        current = next(one for one in room.messages if str(_id(one)) == str(_id(answer)))
        object.__setattr__(current, name, before)

    return lag


def _id(message: Any) -> object:
    return message.ts if hasattr(message, "ts") else message.id


async def told_after(room: Room, who: str, words: str) -> None:
    """Click on Stop, and wait until that is told in private."""
    clicked = await room.click(who)
    if room.side.name == "discord":
        await room.side.until(lambda: clicked.response and words in clicked.response.content)
    else:
        await room.side.until(lambda: any(words in text for text in whispers(room.side, who)))


async def test_a_click_after_the_end_is_told_so(running: Any, side: Any, url: str, emulator: Emulator) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        lag = as_it_was(room)
        await room.click("ada")
        await room.stopped()
        await bobbin.idle()
        lag()
        await told_after(room, "ada", "come to its end already")
    async with running(url, side.name):
        lag()
        await told_after(room, "ada", "come to its end already")
    assert len(emulator.requests) == 1


async def test_an_answer_that_goes_on_after_a_restart_is_stopped_by_the_button_of_before(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name, shutdown_grace=0):
        room = await opened(side, emulator)
    emulator.first_delay = 30.0
    async with running(url, side.name):
        await until(lambda: len(emulator.requests) == 2)
        assert room.can_be_stopped()
        await room.click("ada")
        await until(lambda: emulator.requests[1].ended == "client left")
        await room.stopped()
        assert "Round and round" in "".join(room.answers), "what people have read stays"


async def test_what_was_to_stop_when_a_process_died_is_not_answered_again(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name, shutdown_grace=0) as bobbin:
        room = await opened(side, emulator)
        bobbin._relay.stopping._stop = lambda _: None  # it dies before it has heard of it
        if bobbin._jobs:
            bobbin._jobs.on_stop(lambda _: None)
        await room.click("ada")
        await until_stopping(bobbin)
    async with running(url, side.name) as bobbin:
        await room.stopped()
        await bobbin.idle()
    assert len(emulator.requests) == 1


async def until_stopping(bobbin: Any) -> None:
    async with asyncio.timeout(20):
        threads = await bobbin._ledger.open_threads(["slack", "discord"])
        while not await bobbin._ledger.stopping(threads):
            await asyncio.sleep(0.01)


async def test_an_answer_whose_question_is_gone_cannot_be_stopped(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    """The click meets a question that was withdrawn a moment ago."""
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        relay, withdrawn = bobbin._relay, asyncio.Event()
        stop = relay.stopping.stop

        async def late(key: Any, **how: Any) -> Any:
            await relay.withdraw(key)
            withdrawn.set()
            return await stop(key, **how)

        relay.stopping.stop = late
        clicked = await room.click("ada")
        await withdrawn.wait()
        if side.name == "discord":
            await side.until(lambda: clicked.response and "can't find that question" in clicked.response.content)
        else:
            await side.until(lambda: any("can't find that question" in text for text in whispers(side, "ada")))
        await bobbin.idle()
        assert not any("Round" in text for text in room.answers)


# What waits


async def test_a_question_that_waits_wears_a_mark_until_it_begins(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        waiting = await room.says("ada", "say exactly: second")
        await side.until(lambda: room.wears(waiting))
        emulator.pace = 0.0
        await room.click("ada")
        await side.until(lambda: any("second" in text for text in room.answers))
        await bobbin.idle()
        assert not room.wears(waiting)
        later = await room.says("ada", "say exactly: third")
        await side.until(lambda: any("third" in text for text in room.answers))
        assert not room.wears(later)


async def test_the_mark_goes_also_when_another_process_begins(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name, shutdown_grace=0):
        room = await opened(side, emulator)
        waiting = await room.says("ada", "say exactly: second")
        await side.until(lambda: room.wears(waiting))
    emulator.pace = 0.0
    async with running(url, side.name) as bobbin:
        await side.until(lambda: any("second" in text for text in room.answers))
        await bobbin.idle()
        assert not room.wears(waiting)


async def test_a_click_on_the_mark_has_it_answered_instead(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        waiting = await room.says("ada", "@bobbin say exactly: second")
        others = await room.says("ben", "@bobbin say exactly: from ben")
        await side.until(lambda: room.wears(waiting) and room.wears(others))
        await room.react("ben", others, WAITS)
        await side.until(lambda: whispers(side, "ben") == [NOT_THEIRS_TO_STOP])
        await room.react("ada", waiting, WAITS)
        await room.left()
        await side.until(lambda: any("from ben" in text for text in room.answers))
        await bobbin.idle()
        said = "\n".join(room.answers)
        assert said.index(wanted.STOPPED) < said.index("second") < said.index("from ben")


async def test_a_question_that_is_edited_while_it_waits_goes_on_waiting(
    running: Any, side: Any, url: str, emulator: Emulator
) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        waiting = await room.says("ada", "@bobbin say exactly: second")
        others = await room.says("ben", "@bobbin say exactly: from ben")
        await side.until(lambda: room.wears(waiting) and room.wears(others))
        await room.edits("ada", waiting, "@bobbin say exactly: better")
        await room.edits("ben", others, "@bobbin say exactly: bye from ben")
        await reworded(bobbin, room, waiting, others)
        await room.react("ada", waiting, WAITS)
        await room.left()
        emulator.pace = 0.0
        await side.until(lambda: any("bye from ben" in text for text in room.answers))
        await bobbin.idle()
        assert not room.wears(others)
        assert room.answers[1:] == ["better", "bye from ben"]


async def test_what_waits_can_be_taken_back(running: Any, side: Any, url: str, emulator: Emulator) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        waiting = await room.says("ada", "say exactly: second")
        await side.until(lambda: room.wears(waiting))
        await room.react("ada", waiting, CROSS)
        await until_stopping(bobbin)
        assert not emulator.requests[0].ended, "what runs goes on"
        await room.says("ada", "stop")
        await room.left()
        await room.stopped(wanted.NOT_BEGUN)
        await bobbin.idle()
        assert not room.wears(waiting)
    assert len(emulator.requests) == 1


async def test_a_mute_and_an_edit_meet_a_stop(running: Any, side: Any, url: str, emulator: Emulator) -> None:
    async with running(url, side.name) as bobbin:
        room = await opened(side, emulator)
        await asyncio.gather(room.click("ada"), room.says("ada", "@bobbin mute"))
        await room.left()
        await room.stopped()
        await bobbin.idle()
        emulator.pace = 0.0
        author = () if side.name == "slack" else ("ada",)
        await side.local.edit(*author, room.root, "@bobbin say exactly: edited")
        await side.until(
            lambda: wanted.ANSWER_EDITED in str(room.answer.blocks if side.name == "slack" else room.answer.components)
        )
    assert len(emulator.requests) == 1


async def test_stop_is_heard_while_it_answers_also_where_only_mentions_are(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    presets = {"default": {"model": "gpt-5.1", "follow": "mention"}}
    async with running(sqlite_url, side.name, presets=presets) as bobbin:
        room = await opened(side, emulator)
        await room.says("ada", "what a long answer")  # it is remembered that nothing is heard here
        await room.says("ada", "stop")
        await room.left()
        await room.stopped()
        await bobbin.idle()
    assert len(emulator.requests) == 1


async def test_a_form_that_waits_says_so_in_private_with_a_button(
    running: Any, local_slack: Any, sqlite_url: str, emulator: Emulator
) -> None:
    side = SlackSide(local_slack)
    async with running(sqlite_url, side.name) as bobbin:
        room = await opened(side, emulator)
        (view,) = (await local_slack.shortcut("ada", ABOUT_MESSAGE, room.root)).views
        await local_slack.submit("ada", view, typed("say exactly: second"))
        said = local_slack.messages

        def private() -> Any:
            seen = said(room.root.channel, room.root.ts)
            return next((one for one in seen if one.ephemeral_to and wanted.WAITING in one.text), None)

        await side.until(private)
        await room.click("ada", private(), "instead")
        await room.left()
        await side.until(lambda: any("second" in text for text in room.answers))
        await bobbin.idle()
