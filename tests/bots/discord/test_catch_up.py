"""What was said while the bot was away, against a Discord that does not always want to tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
import pytest
from structlog.testing import capture_logs

from bots.discord.catch_up import DiscordReader
from bots.discord.ids import key_of
from bots.discord.pace import Pace
from bots.discord.times import USUAL
from bots.listening.catch_up import CatchUp
from bots.listening.reader import Backlog
from core.metrics import Metrics
from core.turn import QuestionKey, Turn
from sandbox.discord import Channel, Message, Permission

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bots.discord.conftest import House

HISTORY = "GET /channels/{channel_id}/messages"


async def test_a_refusal_ends_the_round_and_the_next_start_takes_it_up(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    # Longer than anybody waits.
    house.discord.faults.next_calls(HISTORY, status=429, retry_after=60, times=100)
    house.chat = house.build()
    async with house.listening():
        await house.discord.wait_for(lambda: house.calls(HISTORY))
        turn = await house.asked("@bobbin now", to="random")
        assert turn.question.text == "now"
    house.discord.faults.clear()
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(3))[-1].question.text == "missed"


async def test_a_place_that_was_refused_to_who_asked_there_meanwhile_is_read_all_the_same(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    house.discord.faults.next_calls(HISTORY, status=429, retry_after=60)
    house.chat = house.build()
    async with house.listening():
        assert (await house.asked("@bobbin now")).question.text == "now"
        assert (await house.accepted(3))[-1].question.text == "missed"


async def test_a_place_that_is_lost_does_not_keep_the_others(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    await house.discord.say("ada", "random", "@bobbin unseen")
    house.discord.deny("random", Permission.READ_MESSAGE_HISTORY)
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"


async def test_a_process_that_died_has_missed_nothing(house: House) -> None:
    """Without an orderly end, what was noted last counts; what is heard twice is asked once."""
    async with house.listening():
        first = await house.asked("@bobbin before")
        noted = await house.ledger.note("discord/seen")
    await house.ledger.write_note("discord/seen", noted or str(int(first.question.key.rpartition(":")[2]) - 1))
    await house.discord.say("ada", "general", "@bobbin missed")
    house.chat = house.build()
    async with house.listening():
        turns = await house.accepted(2)
        assert [turn.question.text for turn in turns] == ["before", "missed"]


# Where much was said


async def test_a_question_after_much_talk_is_heard(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await chat(house, 250)
    await house.discord.say("ada", "general", "@bobbin missed")
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"


async def test_what_lies_far_apart_is_asked_in_the_order_in_which_it_was_said(house: House) -> None:
    direct = house.discord.open_dm("ada")
    async with house.listening():
        await house.asked("before", to=direct)
    for number in range(120):
        await house.discord.say("ada", direct, str(number))
    house.chat = house.build()
    async with house.listening(), asyncio.timeout(10):
        while len(house.woken) < 121:
            await asyncio.sleep(0.005)
    assert await asked_in(house, house.discord.messages(direct)) == ["before", *map(str, range(120))]


async def test_where_too_much_was_said_the_newest_is_heard_and_the_log_says_so(house: House) -> None:
    house.have_times(catch_up=replace(USUAL.catch_up, messages=200))
    async with house.listening():
        await house.asked("@bobbin before")
    oldest = await house.discord.say("ada", "general", "@bobbin oldest")
    await chat(house, 150)
    await house.discord.say("ada", "general", "@bobbin older")
    await chat(house, 100)
    await house.discord.say("ada", "general", "@bobbin newest")
    house.chat = house.build()
    with capture_logs() as logs:
        async with house.listening():
            turns = await house.accepted(3)
    assert [turn.question.text for turn in turns] == ["before", "older", "newest"]
    assert await house.ledger.turn(key_of(oldest.id)) is None
    (warning,) = [one for one in logs if one["log_level"] == "warning"]
    assert (warning["place"], warning["read"]) == (house.discord.channel("general").id, 200)


async def test_talk_that_was_heard_already_is_nothing_to_warn_about(house: House, thread: Channel) -> None:
    """It is read again, since the newest question may have been changed."""
    house.have_times(catch_up=replace(USUAL.catch_up, messages=100), overlap=0)
    marked = await house.ledger.note("discord/seen")
    async with house.listening():
        await chat(house, 120, thread)
        async with asyncio.timeout(5):
            while await house.ledger.note("discord/seen") == marked:
                await asyncio.sleep(0.005)
    house.chat = house.build()
    with capture_logs() as logs:
        await all_read(house)
    assert not [one for one in logs if one["log_level"] == "warning"]


async def test_so_many_pages_are_read_and_no_more(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    unread = await house.discord.say("ada", "general", "@bobbin unread")
    await house.discord.say("ada", "random", "@bobbin missed")
    house.have_times(catch_up=replace(USUAL.catch_up, calls=2))  # of the thread that was active, and of #random
    with capture_logs() as logs:
        async with house.listening(), asyncio.timeout(30):
            while not any("not all places" in one["event"] for one in logs):
                await asyncio.sleep(0.005)
    assert await house.ledger.turn(key_of(unread.id)) is None
    assert house.woken[1:]


async def chat(house: House, messages: int, where: Channel | str = "general") -> None:
    for number in range(messages):
        await house.discord.say("ben", where, f"@ada chatter {number}")


async def asked_in(house: House, messages: list[Message]) -> list[str]:
    """The questions among *messages*, in the order in which they were accepted."""
    turns = [turn for one in messages if (turn := await house.ledger.turn(key_of(one.id)))]
    return [turn.question.text for turn in sorted(turns, key=lambda turn: turn.id)]


# Changes of what was asked before


@pytest.fixture
async def thread(house: House) -> Channel:
    """One in which two questions were answered before the bot went away."""
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
        thread = house.thread()
        await settled(house, await house.asked("reply", to=thread))
    house.chat = house.build()
    return thread


async def settled(house: House, turn: Turn) -> None:
    await house.settle(await house.show(turn.start("m").finish("Because.")))


def question(house: House, thread: Channel, text: str) -> Message:
    found = [*house.discord.messages("general"), *house.discord.messages(thread)]
    return next(one for one in found if one.content.endswith(f" {text}") or one.content == text)


async def stored(house: House, message: Message) -> Turn:
    turn = await house.ledger.turn(key_of(message.id))
    assert turn
    return turn


async def changed(house: House, message: Message, wanted: Callable[[Turn], object]) -> None:
    async with asyncio.timeout(5):
        while not wanted(await stored(house, message)):
            await asyncio.sleep(0.005)


async def all_read(house: House) -> None:
    """Until the threads that were active of late have been heard: they come before what else has news."""
    last = await house.discord.say("ada", "random", "@bobbin last")
    async with house.listening(), asyncio.timeout(5):
        while not await house.ledger.turn(key_of(last.id)):
            await asyncio.sleep(0.005)


async def test_a_follow_up_that_was_missed_is_asked_though_a_later_one_was_heard(house: House, thread: Channel) -> None:
    """As when the place can't be read while somebody asks there, and the process dies before it can."""
    missed = await house.discord.say("ada", thread, "and why?")
    house.discord.faults.next_calls(HISTORY, status=429, retry_after=60, times=100)
    async with house.listening():
        assert (await house.asked("and how?", to=thread)).question.text == "and how?"
    assert await house.ledger.turn(key_of(missed.id)) is None
    house.discord.faults.clear()
    house.chat = house.build()
    await all_read(house)
    assert (await stored(house, missed)).question.text == "and why?"


async def test_an_edit_of_the_newest_question_is_heard_afterwards(house: House, thread: Channel) -> None:
    reply = question(house, thread, "reply")
    await house.discord.edit("ada", reply, "another reply")
    async with house.listening():
        await changed(house, reply, lambda turn: turn.revised == "another reply")


async def test_an_edit_of_the_question_that_a_thread_was_made_from_is_heard_afterwards(house: House) -> None:
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
    root = question(house, house.thread(), "root")
    await house.discord.edit("ada", root, "@bobbin another root")
    house.chat = house.build()
    async with house.listening():
        await changed(house, root, lambda turn: turn.revised == "another root")


async def test_a_deletion_of_the_newest_question_is_heard_afterwards(house: House, thread: Channel) -> None:
    reply = question(house, thread, "reply")
    await house.discord.delete("ada", reply)
    await house.discord.say("ben", thread, "@ada just us")
    async with house.listening():
        await changed(house, reply, lambda turn: turn.is_withdrawn)
    assert not (await stored(house, question(house, thread, "root"))).is_withdrawn


async def test_a_deletion_of_the_question_that_a_thread_was_made_from_is_heard_afterwards(house: House) -> None:
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
    root = question(house, house.thread(), "root")
    await house.discord.delete("ada", root)
    house.chat = house.build()
    async with house.listening():
        await changed(house, root, lambda turn: turn.is_withdrawn)


async def test_what_stands_as_it_was_is_left_alone(house: House, thread: Channel) -> None:
    woken = len(house.woken)
    await all_read(house)
    assert len(house.woken) == woken + 1


async def test_where_history_is_not_told_nothing_counts_as_deleted(house: House, thread: Channel) -> None:
    house.discord.deny("general", Permission.READ_MESSAGE_HISTORY)
    await house.discord.say("ben", thread, "@ada just us")
    await all_read(house)
    assert not (await stored(house, question(house, thread, "reply"))).is_withdrawn


@pytest.mark.parametrize(
    ("key", "channel", "after", "said", "is_deleted"),
    [
        ("discord:5", 1, 4, [6, 7], True),
        ("discord:5", 1, 4, [5, 6], False),
        ("discord:5", 1, 4, [], False),  # nothing is told
        ("discord:5", 1, 2, [3, 4], False),  # cut before it
        ("discord:5", 1, 5, [6], False),  # older than what is told
        ("discord:5", 5, 4, [6, 7], False),  # it lies in the channel around
        ("discord:interaction/5", 1, 4, [6, 7], False),
    ],
)
def test_in_doubt_nothing_was_deleted(key: str, channel: int, after: int, said: list[int], *, is_deleted: bool) -> None:
    reader = DiscordReader(discord.Client(intents=discord.Intents.none()), Pace(), Metrics(), 0, Any)  # type: ignore[arg-type]
    told: Backlog[int] = Backlog([(one, None) for one in said], after)
    assert CatchUp(reader, Any, Any, Any, Metrics())._is_deleted(channel, QuestionKey(key), told) is is_deleted  # type: ignore[arg-type]  # as much as is used
